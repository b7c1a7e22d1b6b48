"""``reliability.csv`` and ``flips_by_confidence.csv``: what became of answers, by how sure a model was of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from ..config import Prompting, Vocabulary
from ..contracts.likelihood_tables import FlipRow, ReliabilityRow
from ..statistics import BINS, Confidences, DocumentSums, Estimate, equal_width
from .ledgers import Ledger, LedgerPair

_Of = Literal["options", "weakest token", "mixed"]


@dataclass(frozen=True, slots=True, order=True)
class _Diagram:
    """What one diagram shows; ``model`` is None where it pools all of a run."""

    dataset: str
    prompting: Prompting
    shots: int
    precision: str
    model: str | None

    @classmethod
    def both_of(cls, ledger: Ledger) -> tuple[_Diagram, ...]:
        """The diagrams that a cell belongs to: the pooled one and its own."""
        cell = ledger.cell
        own = cls(cell.dataset, cell.prompting, cell.shots, cell.precision, cell.model)
        pooled = cls(cell.dataset, cell.prompting, cell.shots, cell.precision, None)
        return pooled, own


@dataclass(frozen=True, slots=True)
class _Bin:
    """One bin with samples: its ends, how many there are, how sure, and the share of which something holds."""

    low: float
    high: float
    n: int
    confidence: float
    share: Estimate


@dataclass(slots=True)
class ConfidenceBins:
    """Collects cells, and makes the lines of both tables of them.

    Attributes:
        vocabulary: which precisions are noise floors: of these, and of random weights, no diagram is made.
        confidence: of the intervals.
    """

    vocabulary: Vocabulary
    confidence: float
    _right: dict[_Diagram, list[Confidences]] = field(default_factory=dict)
    _flipped: dict[_Diagram, list[Confidences]] = field(default_factory=dict)
    _of: dict[_Diagram, _Of] = field(default_factory=dict)

    def collected(self, pairs: Iterable[LedgerPair]) -> Iterator[LedgerPair]:
        """Pass cells on, and keep of each what diagrams need."""
        for pair in pairs:
            if pair.own.weights == "published" and pair.own.cell.precision not in self.vocabulary.noise_floors:
                self._take(pair.own, pair.full)
            yield pair

    def _take(self, own: Ledger, full: Ledger | None) -> None:
        right = own.option_confidences if own.answers_by_option else None
        flipped = None
        if full is not None:
            sure = full.confidences
            known = np.isfinite(sure)
            flipped = Confidences(sure[known], own.changed(full)[known], own.groups[known].tolist())
        of: _Of = "options" if full is not None and full.answers_by_option else "weakest token"
        for diagram in _Diagram.both_of(own):
            if right is not None:
                self._right.setdefault(diagram, []).append(right)
            if flipped is not None:
                self._flipped.setdefault(diagram, []).append(flipped)
                # Of models pooled, some may begin with an option and some with its words.
                self._of[diagram] = of if self._of.get(diagram, of) == of else "mixed"

    def reliability(self) -> list[ReliabilityRow]:
        """The bins of how often the likeliest option was right."""
        return [
            ReliabilityRow(
                dataset=diagram.dataset,
                prompting=diagram.prompting,
                shots=diagram.shots,
                precision=diagram.precision,
                model=diagram.model,
                bin_low=one.low,
                bin_high=one.high,
                n=one.n,
                confidence=one.confidence,
                right=one.share.value,
                right_low=one.share.low,
                right_high=one.share.high,
            )
            for diagram, found in self._right.items()
            for one in self._bins(found)
        ]

    def flips(self) -> list[FlipRow]:
        """The bins of how often an answer changed."""
        return [
            FlipRow(
                dataset=diagram.dataset,
                prompting=diagram.prompting,
                shots=diagram.shots,
                precision=diagram.precision,
                model=diagram.model,
                confidence_of=self._of[diagram],
                bin_low=one.low,
                bin_high=one.high,
                n=one.n,
                confidence=one.confidence,
                flip_rate=one.share.value,
                flip_rate_low=one.share.low,
                flip_rate_high=one.share.high,
            )
            for diagram, found in self._flipped.items()
            for one in self._bins(found)
        ]

    def _bins(self, found: list[Confidences]) -> Iterator[_Bin]:
        """The bins of equal width that have samples, the least sure first; a document of several models is one."""
        sure = np.concatenate([one.confidence for one in found])
        holds = np.concatenate([one.holds for one in found])
        groups = np.concatenate([np.asarray(one.groups, dtype=np.str_) for one in found])
        places = equal_width(sure)
        for place in np.unique(places).tolist():
            inside = places == place
            sums = DocumentSums.of(
                holds[inside].astype(np.float64), np.ones(int(inside.sum())), groups[inside].tolist()
            )
            yield _Bin(
                low=place / BINS,
                high=(place + 1) / BINS,
                n=int(inside.sum()),
                confidence=float(sure[inside].mean()),
                share=sums.share_interval(self.confidence),
            )
