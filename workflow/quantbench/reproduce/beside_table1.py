"""Every zero-shot cell of a run with its two scores, beside the published values of the same cell where there are some."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ..config import RunConfig, Vocabulary, is_zero_shot
from ..contracts.run_tables import CellRow
from ..tables import PublishedRow
from .differences import Scored, difference_interval, pooled_noise


@dataclass(frozen=True, slots=True)
class CellBeside:
    """One zero-shot cell, measured and published.

    Attributes:
        row: what the run has of it.
        published: what Table 1 has of it; None where it is not published.
        difference: score as published minus the published score; None where one of the two is not known.
        low: end of the difference's interval.
        high: the other end.
        answer_noise: whether the spread of one run's answers was ``measured`` by repeats or is ``bounded``
            (:mod:`quantbench.reproduce.differences`).
    """

    row: CellRow
    published: PublishedRow | None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    answer_noise: Literal["measured", "bounded"] | None = None

    @property
    def inside(self) -> bool | None:
        """Whether the published score lies within what chance allows; None where there is no interval."""
        return None if self.low is None or self.high is None else self.low <= 0 <= self.high

    @property
    def memory_ratio(self) -> float | None:
        """To the published memory."""
        return self.row.memory_gib / self.published.memory_gib if self.published else None

    @property
    def latency_ratio(self) -> float | None:
        """To the published latency."""
        return self.row.latency_mean_s / self.published.latency_s if self.published else None


def cells_beside(
    vocabulary: Vocabulary,
    run: RunConfig,
    rows: Sequence[CellRow],
    published: Iterable[PublishedRow],
    test_items: Mapping[str, int],
) -> list[CellBeside]:
    """The zero-shot cells of a run in display order: by dataset, model, precision. Noise floors are left out.

    Args:
        vocabulary: the order of names.
        run: whose confidence all intervals have, and whether its answers are sampled.
        rows: ``tables/cells.csv``.
        published: the paper's Table 1.
        test_items: dataset -> size of the paper's test set.
    """
    shown = {row.cell: row for row in rows if is_zero_shot(row) and row.precision not in vocabulary.noise_floors}
    known = {row.cell: row for row in published}
    ranks = [
        {name: rank for rank, name in enumerate(names)}
        for names in (vocabulary.datasets, vocabulary.models, vocabulary.precisions)
    ]
    order = sorted(
        shown.values(), key=lambda row: (ranks[0][row.dataset], ranks[1][row.model], ranks[2][row.precision])
    )
    return [_beside(run, row, known.get(row.cell), order, test_items) for row in order]


def _beside(
    run: RunConfig,
    row: CellRow,
    published: PublishedRow | None,
    rows: Sequence[CellRow],
    test_items: Mapping[str, int],
) -> CellBeside:
    value, low, high = row.score_as_published, row.score_as_published_low, row.score_as_published_high
    if published is None or value is None or low is None or high is None:
        return CellBeside(row, published)
    noise = pooled_noise([one for one in rows if (one.model, one.dataset) == (row.model, row.dataset)])
    sampled = row.repeats > 1 or (run.protocol.decoding != "greedy" and run.protocol.repeats == 1)
    ours = Scored(value, low, high, row.n, sampled)
    ends = difference_interval(ours, published.score, test_items.get(row.dataset), noise, run.comparison.confidence)
    return CellBeside(
        row, published, value - published.score, *ends, answer_noise="bounded" if noise is None else "measured"
    )
