"""Cells that kept log-probabilities, read together with their judged answers and documents.

The file is optional: cells of before it existed, and runs that do not want it, have none and are in no table made of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..config import Vocabulary
from ..contracts.cell_name import Cell
from ..contracts.checksums import sha256_of
from ..contracts.likelihoods import Likelihoods, OptionScores
from ..contracts.measurements import Measurements, WeightsKind
from ..contracts.records import ScoredAnswer, read_records
from ..errors import DataError
from ..statistics import Confidences, OptionShares
from ..statistics.margins import least_probabilities, smallest_margins
from ..tasks.metrics import Counts, Floats
from .judged_cells import JudgedCells

FILE = "likelihoods.npz"
# A model that begins its answers otherwise, with the words of an option instead of its letter, has preferences among letters too,
# which say nothing of what it answers.
LEAST_MASS = 0.5


@dataclass(frozen=True, slots=True)
class Options:
    """The samples of a cell whose options were scored: their shares and where among all samples they stand."""

    shares: OptionShares
    places: Counts  # (samples with options,)
    answers: Counts  # (samples with options,), the place of the answer that was read; -1 where it is no option
    mass: float  # mean probability that an answer begins with any option


@dataclass(frozen=True, slots=True)
class Ledger:
    """One cell's log-probabilities with what was read from its answers; ``groups`` are documents, one a sample."""

    cell: Cell
    answers: list[ScoredAnswer]
    groups: NDArray[np.str_]
    kept: Likelihoods
    options: Options | None
    weights: WeightsKind

    def changed(self, full: Ledger) -> NDArray[np.bool_]:
        """Whether each sample's answer is another than at full precision, shape (samples,)."""
        pairs = zip(full.answers, self.answers, strict=True)
        return np.array([(one.parsed_ok, one.parsed) != (two.parsed_ok, two.parsed) for one, two in pairs], dtype=bool)

    @property
    def answers_by_option(self) -> bool:
        """Whether its answers mostly begin with an option, so that the options' probabilities are those of its answers."""
        return self.options is not None and self.options.mass >= LEAST_MASS

    @property
    def option_confidences(self) -> Confidences | None:
        """How sure the cell was of its likeliest option, and whether that is right; None without options."""
        if self.options is None:
            return None
        shares = self.options.shares
        groups = self.groups[self.options.places].tolist()
        return Confidences(shares.confidences, shares.favourites == shares.gold, groups)

    @property
    def confidences(self) -> Floats:
        """How sure the cell was of each sample, shape (samples,); nan where nothing says it.

        The share of the likeliest option; where answers do not begin with one, the probability of the least likely token written.
        """
        if self.options is None or not self.answers_by_option:
            return least_probabilities(self.kept.written)
        return self._of_options(self.options.shares.confidences)

    @property
    def margins(self) -> Floats:
        """The log-odds by which the answer was preferred, shape (samples,): of options, or of the weakest token; nan where unknown."""
        if self.options is None or not self.answers_by_option:
            return smallest_margins(self.kept.written)
        return self._of_options(self.options.shares.margins)

    def _of_options(self, values: Floats) -> Floats:
        assert self.options is not None
        whole = np.full(len(self.answers), np.nan)
        whole[self.options.places] = values
        return whole


@dataclass(frozen=True, slots=True)
class LedgerPair:
    """A cell with the full-precision cell that it is compared with; ``full`` is None there, and where that kept nothing."""

    own: Ledger
    full: Ledger | None


def read_ledgers(vocabulary: Vocabulary, results: Path, cells: Sequence[Cell]) -> Iterator[LedgerPair]:
    """Read the cells that kept log-probabilities, a reference once and before its quantized cells.

    Args:
        vocabulary: which precision is the reference.
        results: ``results/<run>``.
        cells: finished cells.

    Raises:
        DataError: a file is malformed, or not of the answers beside it.
    """
    kept = [cell for cell in cells if (results / "cells" / cell.folder / FILE).exists()]
    by_reference: dict[Cell, list[Cell]] = {}
    for cell in kept:
        by_reference.setdefault(replace(cell, precision=vocabulary.reference), []).append(cell)
    judged = JudgedCells(vocabulary, results)
    for reference, of_reference in by_reference.items():
        full = _read(judged, reference) if reference in of_reference else None
        for cell in of_reference:
            if cell == reference and full is not None:
                yield LedgerPair(full, None)
            else:
                own = _read(judged, cell)
                if full is not None:
                    _check_pair(results, own, full)
                yield LedgerPair(own, full)


def _read(judged: JudgedCells, cell: Cell) -> Ledger:
    folder = judged.results / "cells" / cell.folder
    answers = read_records(folder / "scored.jsonl", ScoredAnswer)
    kept = Likelihoods.read(folder / FILE)
    ids = tuple(answer.sample_id for answer in answers)
    if kept.sample_ids != ids:
        raise DataError(
            f"{folder / FILE}: of other samples, or in another order, than scored.jsonl beside it ({len(kept.sample_ids)} and "
            f"{len(ids)}); delete it to leave it out, or all files of the cell to have it run again"
        )
    groups = np.array(judged.groups(cell, ids), dtype=np.str_)
    options = None if kept.options is None else _options(folder / FILE, kept.options, answers)
    return Ledger(cell, answers, groups, kept, options, Measurements.read(folder / "measurements.json").weights)


def _options(path: Path, kept: OptionScores, answers: Sequence[ScoredAnswer]) -> Options | None:
    """The samples with two options or more; None where there are none."""
    place_of = {name: place for place, name in enumerate(kept.names)}
    lengths = np.diff(kept.starts)
    places = np.flatnonzero(lengths > 1).astype(np.int64)
    if not len(places):
        return None
    rows = np.full((len(answers), len(kept.names)), -np.inf)
    rows[np.repeat(np.arange(len(answers)), lengths), kept.options] = kept.log_probabilities
    gold = _named([answers[place].gold for place in places.tolist()], place_of)
    missing = np.flatnonzero((gold < 0) | ~np.isfinite(rows[places, gold]))
    if len(missing):
        answer = answers[int(places[missing[0]])]
        raise DataError(
            f"{path}: sample {answer.sample_id!r} has no log-probability of its gold answer {answer.gold!r}; delete it to leave it "
            "out, or all files of the cell to have it run again"
        )
    read = _named([answers[place].parsed for place in places.tolist()], place_of)
    return Options(OptionShares.of(rows[places], gold), places, read, float(np.exp(rows[places]).sum(axis=1).mean()))


def _named(answers: Sequence[object], place_of: Mapping[str, int]) -> Counts:
    """The place of each answer among the options; -1 where it is none."""
    return np.array([place_of.get(answer, -1) if isinstance(answer, str) else -1 for answer in answers], dtype=np.int64)


def _check_pair(results: Path, own: Ledger, full: Ledger) -> None:
    """Refuse a cell that read other answers than those full precision has now."""
    path = results / "cells" / own.cell.folder / FILE
    if own.kept.sample_ids != full.kept.sample_ids:
        raise DataError(
            f"{path}: of other samples, or in another order, than at full precision; delete the older of the two cells"
        )
    reference = own.kept.reference
    answered = results / "cells" / full.cell.folder / "predictions.jsonl"
    if reference is not None and answered.exists() and sha256_of(answered) != reference.predictions_sha256:
        raise DataError(
            f"{path}: the answers of full precision are no longer those that this cell read ({answered}): made anew, or edited; "
            "delete the former to leave it out, or all files of its cell to have that run again (quantbench verify says more)"
        )
