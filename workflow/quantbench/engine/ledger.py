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

from ..contracts.sample_scores import ReferenceScores, SampleScores, joined
from .batches import Request
from .divergence import KnownTokens
from .given_tokens import Prompted
from .out_of_memory import POSSIBLE, is_out_of_memory, release
from .step_scores import Options, StepScores

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

    def watch(self, batch: Sequence[Request]) -> StepScores:
        """What looks on while a batch is answered."""
        options = self._options(batch)
        return StepScores(options if self._told_at_once else None)

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
            reference = self._read_reference(batch, chains, prompted)
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
        most = max(map(len, options.rows))
        found: list[_Scores] = []
        for place in range(most):
            given = [row[place] if place < len(row) else row[0] for row in options.rows]
            own = _read(prompted, given, [[[token] for token in row] for row in given])
            if own is None:
                return [None] * len(batch)
            found.append(np.array([one.outcomes[:, 0].sum() for one in own], dtype=np.float32))
        return [np.array([one[at] for one in found[: len(row)]], np.float32) for at, row in enumerate(options.rows)]

    def _read_reference(
        self, batch: Sequence[Request], chains: Sequence[int], prompted: Prompted
    ) -> Sequence[ReferenceScores | None]:
        """Of each request full precision's outputs as this model reads them."""
        known = [
            outputs[chain] if (outputs := self._asked.reference.get(request.sample_id)) else None
            for request in batch
            for chain in chains
        ]
        nothing: Sequence[ReferenceScores | None] = [None] * len(batch)
        if not any(known):
            return nothing
        given = [one.tokens.tolist() if one else [] for one in known]
        own = _read(prompted, given, [one.outcomes.tolist() if one else [] for one in known])
        if own is None:
            return nothing
        rows = [
            one
            and ReferenceScores(
                read.outcomes[:, -1], one.divergence(read.outcomes), read.likeliest == one.outcomes[:, 0]
            )
            for one, read in zip(known, own, strict=True)
        ]
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


@dataclass(frozen=True)
class _Read:
    """One row of given tokens as the model reads it.

    Attributes:
        outcomes: shape (tokens, outcomes), log-probabilities.
        likeliest: shape (tokens,), token ids.
    """

    outcomes: _Scores
    likeliest: NDArray[np.int64]


def _read(
    prompted: Prompted, given: Sequence[Sequence[int]], outcomes: Sequence[Sequence[Sequence[int]]]
) -> list[_Read] | None:
    """Look up outcomes at each given token; None: memory does not suffice."""
    try:
        with torch.inference_mode():
            return _looked_up(prompted, given, outcomes)
    except POSSIBLE as error:
        if not is_out_of_memory(error):
            raise
    release()
    return None


def _looked_up(
    prompted: Prompted, given: Sequence[Sequence[int]], outcomes: Sequence[Sequence[Sequence[int]]]
) -> list[_Read]:
    longest, kinds = max(map(len, given)), max(len(one[0]) for one in outcomes if one)
    filled = np.zeros((len(given), longest, kinds), dtype=np.int64)
    for row, tokens in enumerate(outcomes):
        if tokens:
            filled[row, : len(tokens)] = tokens
    wanted, found, likeliest, start = torch.from_numpy(filled), [], [], 0
    for piece in prompted.read(given):
        scores, end = piece.float(), start + piece.shape[1]
        asked = wanted[:, start:end].to(scores.device)
        found.append(scores.gather(-1, asked) - scores.logsumexp(-1, keepdim=True))
        likeliest.append(scores.argmax(-1))
        start = end
    logs, places = torch.cat(found, 1).cpu().numpy(), torch.cat(likeliest, 1).cpu().numpy()
    return [_Read(logs[row, : len(own)], places[row, : len(own)]) for row, own in enumerate(given)]
