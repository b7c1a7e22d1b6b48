"""What is noted of a batch beside its answers: the likelihoods of what was written, of options, and of full precision's answers.

Options and full precision's answers are read behind the prompts that generating has computed already, once it is over, so that
no answer depends on whether a ledger is kept. Where memory does not suffice for that, they are left out of the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray

from ..contracts.sample_scores import ReferenceScores, SampleScores, TokenScores, joined
from ..models.out_of_memory import POSSIBLE, is_out_of_memory, release
from .batches import Request
from .divergence import KnownTokens
from .given_tokens import Prompted
from .step_scores import Expected, Options, StepScores

_Scores = NDArray[np.float32]


@dataclass(frozen=True)
class Asked:
    """What a cell's ledger is to hold beside what was written.

    Attributes:
        options: sample id -> token ids of each option, as they would stand behind the prompt; samples without are asked for none.
        reference: sample id -> what full precision wrote, an output a chain; samples without are not read.
        aside: entered while either is read, which is no part of answering.
    """

    options: Mapping[str, Sequence[Sequence[int]]] = field(default_factory=dict)
    reference: Mapping[str, Sequence[KnownTokens]] = field(default_factory=dict)
    aside: Callable[[], AbstractContextManager[object]] = nullcontext


class Ledger:
    """Collects the likelihoods of the batches that one model answers, until :meth:`take`."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        # Of the whole cell alike, so that no score depends on what shares a batch.
        self._told_at_once = all(len({option[0] for option in own}) == len(own) for own in asked.options.values())
        self._noted: list[SampleScores] = []

    def watch(self, batch: Sequence[Request], chains: Sequence[int]) -> StepScores:
        """What looks on while a batch is answered, so many outputs a request."""
        options = self._options(batch)
        known = self._known(batch, chains)
        expected = Expected(_padded([one.outcomes if one else None for one in known])) if any(known) else None
        return StepScores(options if self._told_at_once else None, expected)

    def scores(
        self,
        batch: Sequence[Request],
        chains: Sequence[int],
        steps: StepScores,
        lengths: Sequence[int],
        prompted: Prompted,
    ) -> list[SampleScores]:
        """The likelihoods of a batch that has just been answered.

        Args:
            batch: its requests.
            chains: numbers of the outputs of each request.
            steps: what looked on.
            lengths: tokens of each output, rows by request, then chain.
            prompted: its prompts, a row an output.
        """
        written, each = steps.rows(lengths), len(chains)
        with self._asked.aside():
            options = self._read_options(batch, steps, prompted)
            reference = self._read_reference(batch, chains, steps, written, prompted)
        return [
            SampleScores(
                sample_id=request.sample_id,
                written=joined(written[place * each : (place + 1) * each]),
                options=options[place],
                reference=reference[place],
            )
            for place, request in enumerate(batch)
        ]

    def note(self, scores: Sequence[SampleScores]) -> None:
        """Keep the likelihoods of answered samples."""
        self._noted += scores

    def take(self) -> list[SampleScores]:
        """What was noted since the last time."""
        taken, self._noted = self._noted, []
        return taken

    def _options(self, batch: Sequence[Request]) -> Options | None:
        rows = [self._asked.options.get(request.sample_id, ()) for request in batch]
        return Options(rows) if all(rows) else None

    def _read_options(
        self, batch: Sequence[Request], steps: StepScores, prompted: Prompted
    ) -> Sequence[_Scores | None]:
        """Of each request its options' scores: of their first tokens, or where these do not differ, of all their tokens."""
        options = self._options(batch)
        if options is None:
            return [None] * len(batch)
        if self._told_at_once:
            return steps.first_choices()
        own = _read_sequences(prompted, options.rows)
        return own if own is not None else [None] * len(batch)

    def _known(self, batch: Sequence[Request], chains: Sequence[int]) -> list[KnownTokens | None]:
        """Full precision's output in the place of each row."""
        found = (self._asked.reference.get(request.sample_id) for request in batch)
        return [outputs[chain] if outputs else None for outputs in found for chain in chains]

    def _read_reference(
        self,
        batch: Sequence[Request],
        chains: Sequence[int],
        steps: StepScores,
        written: Sequence[TokenScores],
        prompted: Prompted,
    ) -> Sequence[ReferenceScores | None]:
        """Of each request full precision's outputs as this model reads them; those that it has written itself it has read."""
        known = self._known(batch, chains)
        nothing: Sequence[ReferenceScores | None] = [None] * len(batch)
        if not any(known):
            return nothing
        looked_up = steps.looked_up()
        rows: list[ReferenceScores | None] = [
            _itself(one, own, logs) if one else None for one, own, logs in zip(known, written, looked_up, strict=True)
        ]
        pending = {place: one for place, (one, row) in enumerate(zip(known, rows, strict=True)) if one and row is None}
        if pending:
            read = _read(prompted, pending)
            if read is None:
                return nothing
            for place, row in read.items():
                rows[place] = row
        parts = [rows[at : at + len(chains)] for at in range(0, len(rows), len(chains))]
        return [joined([one for one in part if one]) if all(part) else None for part in parts]


def merged(outputs: Sequence[SampleScores]) -> SampleScores:
    """One sample whose outputs were generated one after another."""
    read = [one.reference for one in outputs if one.reference]
    return replace(
        outputs[0],
        written=joined([one.written for one in outputs]),
        reference=joined(read) if len(read) == len(outputs) else None,
    )


def _itself(known: KnownTokens, written: TokenScores, logs: _Scores) -> ReferenceScores | None:
    """Full precision's output where the model has written the same; None: it has not."""
    count = len(known.tokens)
    if len(written.tokens) < count or (written.tokens[:count] != known.tokens).any():
        return None
    return _compared(known, logs[:count], written.top_tokens[:count, 0])


def _compared(known: KnownTokens, logs: _Scores, likeliest: NDArray[np.integer]) -> ReferenceScores:
    return ReferenceScores(logs[:, -1], known.divergence(logs), likeliest == known.outcomes[:, 0])


def _read(prompted: Prompted, known: Mapping[int, KnownTokens]) -> dict[int, ReferenceScores] | None:
    """Read other outputs in some rows of a batch; None: memory does not suffice."""
    places = list(known) if 2 * len(known) <= prompted.tokens.shape[0] else list(range(prompted.tokens.shape[0]))
    given = [known[place].tokens.tolist() if place in known else [] for place in places]
    outcomes = _padded([known[place].outcomes if place in known else None for place in places])
    look = _LookUp(outcomes)

    def read() -> None:
        some = prompted if len(places) == prompted.tokens.shape[0] else prompted.rows(places)
        some.read(given, look)

    if not _fits(read):
        return None
    logs, likeliest = look.found()
    counts = {place: len(one.tokens) for place, one in known.items()}
    rows = {place: row for row, place in enumerate(places) if place in known}
    return {
        place: _compared(one, logs[rows[place], : counts[place]], likeliest[rows[place], : counts[place]])
        for place, one in known.items()
    }


def _read_sequences(prompted: Prompted, options: Sequence[Sequence[Sequence[int]]]) -> list[_Scores] | None:
    """Of each row the log-probability of each option, all of its tokens together; None: memory does not suffice.

    What all options of a row begin with is read once.
    """
    stem = min(_shared(row) for row in options)
    most = max(map(len, options))
    filled = [[*row, *[row[0]] * (most - len(row))] for row in options]
    begin = [row[0][:stem] for row in filled]
    nexts = np.array([[option[stem] for option in row] for row in filled])
    first = np.zeros((len(filled), stem + 1, most), dtype=np.int64)
    first[:, :stem] = np.array(begin, dtype=np.int64).reshape(len(filled), stem, 1)
    first[:, stem] = nexts
    look = _LookUp(first)
    found: list[_Scores] = []

    def read() -> None:
        cache = prompted.read([[*own, 0] for own in begin], look)
        logs = look.found()[0].sum(1)  # (rows, options)
        for place in range(most):
            rest = [row[place][stem + 1 :] for row in filled]
            if any(rest):
                behind = prompted.followed_by([row[place][: stem + 1] for row in filled], cache)
                logs[:, place] += _sums(behind, rest)
        found.extend(logs[row, : len(own)] for row, own in enumerate(options))

    return found if _fits(read) else None


def _sums(prompted: Prompted, given: Sequence[Sequence[int]]) -> _Scores:
    """Of each row the log-probability of all given tokens together."""
    look = _LookUp(_padded([np.array(row, dtype=np.int64)[:, None] if row else None for row in given]))
    prompted.read(given, look)
    logs = look.found()[0]
    return np.array([logs[row, : len(own), 0].sum() for row, own in enumerate(given)], dtype=np.float32)


def _shared(options: Sequence[Sequence[int]]) -> int:
    """How many tokens all of them begin with, leaving each at least one of its own."""
    ordered = sorted(map(list, options))
    first, last, shortest = ordered[0], ordered[-1], min(map(len, options)) - 1
    same = (place for place, (a, b) in enumerate(zip(first, last, strict=False)) if a != b)
    return min(next(same, shortest), shortest)


def _padded(outcomes: Sequence[NDArray[np.integer] | None]) -> NDArray[np.int64]:
    """Outcomes of each row, shape (rows, most tokens, outcomes); 0 where a row has none."""
    shapes = [one.shape for one in outcomes if one is not None]
    filled = np.zeros((len(outcomes), max(shape[0] for shape in shapes), shapes[0][1]), dtype=np.int64)
    for row, one in enumerate(outcomes):
        if one is not None:
            filled[row, : len(one)] = one
    return filled


class _LookUp:
    """Takes scores piece by piece and keeps the log-probabilities of some outcomes, and the likeliest token."""

    def __init__(self, outcomes: NDArray[np.int64]) -> None:
        self._outcomes = torch.from_numpy(outcomes)
        self._logs: list[torch.Tensor] = []
        self._likeliest: list[torch.Tensor] = []
        self._start = 0

    def __call__(self, piece: torch.Tensor) -> None:
        scores, end = piece.float(), self._start + piece.shape[1]
        asked = self._outcomes[:, self._start : end].to(scores.device)
        self._logs.append(scores.gather(-1, asked) - scores.logsumexp(-1, keepdim=True))
        self._likeliest.append(scores.argmax(-1))
        self._start = end

    def found(self) -> tuple[_Scores, NDArray[np.int64]]:
        """Log-probabilities of shape (rows, tokens, outcomes), and the likeliest tokens, shape (rows, tokens)."""
        return torch.cat(self._logs, 1).cpu().numpy(), torch.cat(self._likeliest, 1).cpu().numpy()


def _fits(read: Callable[[], None]) -> bool:
    """Read something; False: memory does not suffice."""
    try:
        with torch.inference_mode():
            read()
        return True
    except POSSIBLE as error:
        if not is_out_of_memory(error):
            raise
    release()
    return False
