"""What a cell's ledger of likelihoods asks of its model beside its answers: the options, and what full precision wrote."""

from __future__ import annotations

import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .. import tasks
from ..contracts.checksums import sha256_of
from ..contracts.likelihoods import Likelihoods
from ..contracts.manifest import Manifest
from ..contracts.records import Prediction, Sample, read_records
from ..contracts.sample_scores import TokenScores
from ..engine.batches import Request
from ..engine.divergence import KnownTokens
from ..errors import DataError
from ..study.spec import CellSpec
from .requests import Prompts

if TYPE_CHECKING:
    from ..models.interfaces import Tokenizer

# Full precision's answers are read of so many samples at most. A divergence is a mean over tokens and shows a change in a tenth of
# as many samples; reading those of all 16,943 of ChemProt would cost up to a third of answering them.
MOST_READ = 512
# Characters before an option that decide how it is cut into tokens; a tokenizer looks back a word at most.
_TAIL = 24


@dataclass(frozen=True)
class FullAnswers:
    """What full precision wrote.

    Attributes:
        sha256: of its predictions.
        outputs: sample id -> its outputs; samples of which no tokens were kept are left out, all where nothing can be compared.
    """

    sha256: str
    outputs: Mapping[str, Sequence[KnownTokens]]


@dataclass(frozen=True)
class Questions:
    """Of each sample.

    Attributes:
        names: sample id -> its options as the task writes them; empty where the cell asks for none.
        options: sample id -> token ids of each, as they would stand behind the prompt.
        full: what full precision wrote; None: nothing is compared.
    """

    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    options: Mapping[str, Sequence[Sequence[int]]] = field(default_factory=dict)
    full: FullAnswers | None = None


def questions_of(
    spec: CellSpec, data: Path, prompts: Prompts, tokenizer: Tokenizer, full: Path | None
) -> Questions | None:
    """What is asked of a cell's model; None: its run, engine or model keeps no likelihoods.

    Args:
        spec: the cell.
        data: the prepared dataset.
        prompts: its prompts.
        tokenizer: cuts options into tokens.
        full: folder of the full-precision cell that it is compared with; None: it is compared with none.
    """
    if not spec.keeps_likelihoods:
        return None
    names, options = {}, {}
    if spec.answers_at_once:
        task = tasks.get(spec.dataset)
        samples = {sample.sample_id: sample for sample in read_records(data / "samples.jsonl", Sample)}
        cut = OptionTokens(tokenizer)
        for request in prompts.requests:
            own = task.options(samples[request.sample_id])
            if len(own) > 1:
                names[request.sample_id], options[request.sample_id] = own, cut.of(request, own)
    return Questions(names, options, _full_answers(spec, full, prompts))


class OptionTokens:
    """Cuts options into the tokens that a model would write them with, right behind a prompt."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._special = {*tokenizer.all_special_ids}
        self._special |= {number for number, token in tokenizer.added_tokens_decoder.items() if token.special}
        self._known: dict[tuple[str, str], list[int]] = {}

    def of(self, request: Request, options: Sequence[str]) -> list[list[int]]:
        """Token ids of each option.

        A blank stands before it where the prompt ends in a visible character of text, such as the colon of ``Answer:``, as in worked
        examples; none where a line, a blank or a special token ends the prompt, as the header of a chat's turn does.
        """
        tail = request.text[-_TAIL:]
        shown = tail[-1:].strip() and request.token_ids[-1] not in self._special
        return [self._behind(tail, f" {option}" if shown else option) for option in options]

    def _behind(self, tail: str, written: str) -> list[int]:
        if (tail, written) not in self._known:
            before, whole = (self._cut(text) for text in (tail, tail + written))
            kept = len(before)
            # Where the two melt into one token, the option alone.
            follows = whole[:kept] == before and len(whole) > kept
            self._known[tail, written] = whole[kept:] if follows else self._cut(written)
        return self._known[tail, written]

    def _cut(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])


def _full_answers(spec: CellSpec, folder: Path | None, prompts: Prompts) -> FullAnswers | None:
    """What full precision wrote to the same prompts; where that is not known, says why nothing is compared."""
    if spec.compared_with is None:
        return None
    try:
        found = _outputs(spec, folder, prompts)
    except DataError as error:
        found = str(error)
    if isinstance(found, str):
        print(f"{spec.cell.label}: no divergence from {spec.compared_with.label}: {found}", file=sys.stderr, flush=True)
        found = {}
    handed = folder / "predictions.jsonl" if folder else None
    return FullAnswers(sha256_of(handed), found) if handed and handed.exists() else None


def _outputs(spec: CellSpec, folder: Path | None, prompts: Prompts) -> dict[str, list[KnownTokens]] | str:
    """What a full-precision cell wrote, sample by sample, or why that is not known."""
    if folder is None:
        return "it is no cell of this run, or was not when this cell began"
    path = folder / Likelihoods.file
    if not path.exists():
        return f"{path}: no such file"
    if Manifest.read(folder / "manifest.json").prompts_sha256 != prompts.sha256:
        return "it answered other prompts"
    kept = Likelihoods.read(path)
    counts = {one.sample_id: one.new_tokens for one in read_records(folder / "predictions.jsonl", Prediction)}
    outputs, chosen = {}, chosen_to_read(kept.sample_ids, spec.seed)
    for place, sample_id in enumerate(kept.sample_ids):
        if sample_id not in chosen:
            continue
        lengths = counts.get(sample_id, [])
        start, end = (int(kept.written.starts[at]) for at in (place, place + 1))
        if len(lengths) == spec.chains and 0 < sum(lengths) == end - start:
            ends = [start + sum(lengths[: number + 1]) for number in range(len(lengths))]
            outputs[sample_id] = [_known(kept, end - count, end) for count, end in zip(lengths, ends, strict=True)]
    return outputs


def chosen_to_read(sample_ids: Sequence[str], seed: int) -> set[str]:
    """The samples whose full-precision answers are read, the same at every precision: all of a small dataset."""
    if len(sample_ids) <= MOST_READ:
        return set(sample_ids)
    return set(random.Random(seed).sample(sorted(sample_ids), MOST_READ))


def _known(kept: Likelihoods, start: int, end: int) -> KnownTokens:
    written = kept.written
    return KnownTokens.of(
        TokenScores(
            tokens=written.tokens[start:end],
            log_probabilities=written.log_probabilities[start:end].astype(np.float32),
            top_tokens=written.top_tokens[start:end],
            top_log_probabilities=written.top_log_probabilities[start:end].astype(np.float32),
            other_log_probabilities=written.other_log_probabilities[start:end].astype(np.float32),
        )
    )
