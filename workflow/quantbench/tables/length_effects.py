"""``length_effects.csv``: outputs that became longer, and effects by the length of prompts (docs/protocol.md#lengths)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .. import tasks
from ..contracts.cell_name import Cell
from ..contracts.effect_parts import LengthEffectRow, Part
from ..contracts.effect_rows import EffectRow
from ..errors import DataError
from ..reading.json_text import iterate_objects
from ..statistics import Bootstrap, DocumentSums
from ..statistics.bootstrap import sum_by_group
from ..statistics.joint_draws import resampled_together
from ..statistics.paired import lost_and_gained
from ..statistics.student import expanded_interval
from ..tasks.metrics import Counts, Floats
from .judged_cells import JudgedCells

Mask = NDArray[np.bool_]

THIRDS: tuple[Part, ...] = ("shortest third", "middle third", "longest third")
# Ends of intervals of a third need no more: the further decimals are not read.
MOST_RESAMPLES = 2000


def length_effects_table(
    judged: JudgedCells, effects: Sequence[EffectRow], bootstrap: Bootstrap
) -> list[LengthEffectRow]:
    """Return four rows a quantized cell: all samples, and each third of them by tokens of the prompt.

    A cell without predictions, as bundles leave them out for some licences, has none, nor have random weights. Where the thirds
    cannot be told apart by length there is one row.

    Args:
        judged: reads the cells; those that were compared before are not read again.
        effects: ``precision_effects.csv``, whose cells are compared.
        bootstrap: how intervals are made.

    Raises:
        DataError: a file is missing or malformed, or predictions are of other samples than the scored answers beside them.
    """
    fewer = replace(bootstrap, resamples=min(bootstrap.resamples, MOST_RESAMPLES))
    by_cell = {row.cell: row for row in effects if row.weights == "published"}
    by_reference: dict[Cell, list[EffectRow]] = {}
    for cell, row in by_cell.items():
        by_reference.setdefault(replace(cell, precision=judged.vocabulary.reference), []).append(row)
    rows: dict[Cell, list[LengthEffectRow]] = {}
    for reference, others in by_reference.items():
        full = _answers(judged, reference)
        for row in others if full else []:
            other = _answers(judged, row.cell)
            if full and other:
                rows[row.cell] = list(_Pair(row, full, other, fewer).rows())
    return [row for cell in by_cell for row in rows.get(cell, [])]


@dataclass(frozen=True, slots=True)
class _Answers:
    """One cell's answers, sample by sample: counts, and the lengths of prompts and outputs in tokens."""

    counts: Counts
    groups: list[str]
    prompt_tokens: Counts
    new_tokens: Floats


def _answers(judged: JudgedCells, cell: Cell) -> _Answers | None:
    predictions = judged.results / "cells" / cell.folder / "predictions.jsonl"
    if not predictions.exists():
        return None
    counted = judged.counted(cell)
    lengths = list(_lengths(predictions, counted.sample_ids))
    return _Answers(
        counted.counts,
        judged.groups(cell, counted.sample_ids),
        np.array([prompt for prompt, _ in lengths], dtype=np.int64),
        np.array([new for _, new in lengths], dtype=np.float64),
    )


def _lengths(path: Path, sample_ids: Sequence[str]) -> Iterator[tuple[int, float]]:
    """Tokens of each prompt, and of its outputs on average; read without checking the rest, which was when it was scored."""
    lines = 0
    for (number, line), sample_id in zip(iterate_objects(path), sample_ids, strict=False):
        if line.get("sample_id") != sample_id:
            raise DataError(
                f"{path}, line {number}: sample {line.get('sample_id')!r}, and scored.jsonl beside it has {sample_id!r} "
                "there; delete scored.jsonl to have the cell scored again"
            )
        try:
            new = line["new_tokens"]
            yield int(line["prompt_tokens"]), sum(new) / len(new)
        except (KeyError, TypeError, ZeroDivisionError):
            raise DataError(f"{path}, line {number}: prompt_tokens or new_tokens is missing or no number") from None
        lines = number
    if lines != len(sample_ids):
        raise DataError(
            f"{path}: {lines} lines for {len(sample_ids)} scored answers; delete scored.jsonl to have it made again"
        )


@dataclass(frozen=True, slots=True)
class _Pair:
    """A quantized cell and its reference, on the same samples; ``row`` compares all of them."""

    row: EffectRow
    full: _Answers
    other: _Answers
    bootstrap: Bootstrap

    def rows(self) -> Iterator[LengthEffectRow]:
        """The row of all samples, and those of the thirds."""
        every = self._part("all", np.ones(len(self.full.groups), dtype=bool))
        told: dict[str, float | None] = {
            "difference_low": self.row.difference_low,
            "difference_high": self.row.difference_high,
        }
        thirds = self._thirds()
        if not thirds:
            yield every.model_copy(update=told)
            return
        draws = self._resampled(thirds)
        trend = draws[:, -1] - draws[:, 0]
        parts = [self._part(part, chosen) for part, chosen in zip(THIRDS, thirds, strict=True)]
        low, high = self._ends(trend, min(parts[0].documents, parts[-1].documents))
        told |= {"trend": parts[-1].difference - parts[0].difference, "trend_low": low, "trend_high": high}
        yield every.model_copy(update=told)
        for part, column in zip(parts, draws.T, strict=True):
            low, high = self._ends(column, part.documents)
            yield part.model_copy(update={"difference_low": low, "difference_high": high})

    def _thirds(self) -> list[Mask]:
        """Which samples are in each third; prompts of one length stay together. None where a third would be empty."""
        tokens = self.full.prompt_tokens
        first, second = np.quantile(tokens, [1 / 3, 2 / 3])
        thirds = [tokens <= first, (tokens > first) & (tokens <= second), tokens > second]
        return thirds if all(chosen.any() for chosen in thirds) else []

    def _resampled(self, thirds: Sequence[Mask]) -> Floats:
        """Differences of score in each third, each draw one of the same documents: shape ``(resamples, 3)``."""
        metric = tasks.metric(self.row.metric)
        pair = np.stack([self.full.counts, self.other.counts], axis=1)
        parts = np.stack([pair * chosen[:, None, None, None] for chosen in thirds], axis=1)
        documents = sum_by_group(parts, self.full.groups)
        # Of each third an average document that only full precision gets right, and one that only the quantized cell does.
        joining = [lost_and_gained(own[own.any(axis=(1, 2, 3))]) for own in np.moveaxis(documents, 1, 0)]
        rows = np.concatenate([documents.astype(np.float64), np.stack(joining, axis=1)])

        def score(sums: Floats) -> Floats:
            scores = metric.values(sums.reshape(-1, *rows.shape[1:]))
            return np.asarray(scores[..., 1] - scores[..., 0])

        return resampled_together(rows.reshape(len(rows), -1), score, self.bootstrap)

    def _ends(self, draws: Floats, documents: int) -> tuple[float | None, float | None]:
        if documents < 2:
            return None, None
        return expanded_interval(draws, documents - 1, self.bootstrap.confidence)

    def _part(self, part: Part, chosen: Mask) -> LengthEffectRow:
        """The row of some samples, without the ends of its score's interval."""
        groups = [group for group, taken in zip(self.full.groups, chosen, strict=True) if taken]
        metric, tokens = tasks.metric(self.row.metric), self.full.prompt_tokens[chosen]
        scores = [metric.value(side.counts[chosen].sum(axis=0)) for side in (self.full, self.other)]
        longer = self.other.new_tokens[chosen] - self.full.new_tokens[chosen]
        mean = DocumentSums.of(longer, np.ones(len(longer)), groups).interval(self.bootstrap.confidence)
        row = self.row
        return LengthEffectRow(
            model=row.model,
            title=row.title,
            dataset=row.dataset,
            task=row.task,
            prompting=row.prompting,
            shots=row.shots,
            precision=row.precision,
            metric=row.metric,
            part=part,
            prompt_tokens_low=int(tokens.min()),
            prompt_tokens_high=int(tokens.max()),
            n=len(groups),
            documents=len(set(groups)),
            full_score=scores[0],
            score=scores[1],
            difference=scores[1] - scores[0],
            full_new_tokens=float(self.full.new_tokens[chosen].mean()),
            new_tokens=float(self.other.new_tokens[chosen].mean()),
            new_tokens_difference=mean.value,
            new_tokens_low=mean.low,
            new_tokens_high=mean.high,
        )
