"""``likelihoods.csv``: one row a cell that kept log-probabilities (docs/protocol.md#how-likelihoods-are-read)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ..config import Vocabulary
from ..contracts.csv_rows import Value
from ..contracts.likelihood_tables import LikelihoodRow
from ..statistics import Bootstrap, DocumentSums, Estimate, equal_mass, equal_width
from ..statistics.margins import COIN_TOSS, parting_margins
from ..tasks.metrics import Counts, Floats
from .ledgers import Ledger, LedgerPair, Options

_Columns = dict[str, Value]


@dataclass(frozen=True, slots=True)
class LikelihoodTable:
    """How rows are made: titles, and how intervals are."""

    vocabulary: Vocabulary
    bootstrap: Bootstrap

    def rows(self, pairs: Iterable[LedgerPair]) -> list[LikelihoodRow]:
        """One row a cell, in the order given."""
        return [self._row(pair.own, pair.full) for pair in pairs]

    def _row(self, own: Ledger, full: Ledger | None) -> LikelihoodRow:
        cell, options = own.cell, own.options
        values: _Columns = {
            "model": cell.model,
            "title": self.vocabulary.title("model", cell.model),
            "weights": own.weights,
            "precision": cell.precision,
            "dataset": cell.dataset,
            "task": self.vocabulary.datasets[cell.dataset].task,
            "prompting": cell.prompting,
            "shots": cell.shots,
            "n": len(own.answers),
            "documents": len(np.unique(own.groups)),
            "tokens": len(own.kept.written.tokens),
            "token_log_probability": _mean(own.kept.written.log_probabilities),
            "options_n": 0 if options is None else len(options.places),
        }
        values |= self._from_reference(own)
        if options is not None:
            values |= self._of_options(own, options) | self._calibration(own)
        if full is not None:
            values |= _flips(own, full)
            if options is not None and full.options is not None:
                values |= self._against_full(own, options, full.options)
        return LikelihoodRow.model_validate(values)

    def _sums(self, own: Ledger, values: Floats, places: Counts) -> DocumentSums:
        return DocumentSums.of(values, np.ones(len(values)), own.groups[places].tolist())

    def _from_reference(self, own: Ledger) -> _Columns:
        """How far the cell is from full precision, token by token of its answers."""
        reference = own.kept.reference
        if reference is None or not len(reference.divergences):
            return {}
        lengths, groups = np.diff(reference.starts), own.groups.tolist()
        of_token = np.repeat(np.arange(len(lengths)), lengths)
        diverged, agreed = (
            DocumentSums.of(np.bincount(of_token, weights=values, minlength=len(lengths)), lengths, groups)
            for values in (reference.divergences, reference.agrees)
        )
        confidence = self.bootstrap.confidence
        return {
            "reference_tokens": len(of_token),
            **_columns("kl", diverged.positive_interval(confidence)),
            **_columns("same_first_choice", agreed.share_interval(confidence)),
        }

    def _of_options(self, own: Ledger, options: Options) -> _Columns:
        shares, confidence = options.shares, self.bootstrap.confidence
        return {
            "option_mass": options.mass,
            "option_accuracy": _mean(shares.favourites == shares.gold),
            "option_is_answer": _mean(shares.favourites == options.answers),
            **_columns("gold_nll", self._sums(own, shares.gold_losses, options.places).positive_interval(confidence)),
            **_columns("brier", self._sums(own, shares.brier_scores, options.places).positive_interval(confidence)),
        }

    def _calibration(self, own: Ledger) -> _Columns:
        values: _Columns = {}
        found = own.option_confidences
        if found is None:
            return values
        for name, binning in (("ece_equal_width", equal_width), ("ece_equal_mass", equal_mass)):
            error = found.calibration_error(binning(found.confidence), self.bootstrap)
            values |= {**_columns(name, error.error), f"{name}_if_calibrated": error.if_calibrated}
        return values

    def _against_full(self, own: Ledger, options: Options, full: Options) -> _Columns:
        """Differences of the samples whose options both cells scored."""
        places, here, there = np.intersect1d(options.places, full.places, return_indices=True)
        if not len(places):
            return {}
        confidence = self.bootstrap.confidence
        losses = self._sums(own, options.shares.gold_losses[here] - full.shares.gold_losses[there], places)
        scores = self._sums(own, options.shares.brier_scores[here] - full.shares.brier_scores[there], places)
        return {
            **_columns("gold_nll_difference", losses.interval(confidence)),
            "gold_nll_p": losses.sign_flip_p(self.bootstrap),
            **_columns("brier_difference", scores.interval(confidence)),
        }


def _flips(own: Ledger, full: Ledger) -> _Columns:
    """How sure full precision was of the answers that changed, and of those that did not."""
    flipped, margins = own.changed(full), full.margins
    parting = parting_margins(full.kept.written, own.kept.written)[flipped]
    known = np.isfinite(margins)
    return {
        "flips": int(flipped.sum()),
        "margin_of": "options" if full.answers_by_option else "weakest token",
        "margin_flipped": _median(margins[known & flipped]),
        "margin_unflipped": _median(margins[known & ~flipped]),
        "coin_toss_share": _mean(margins[known & flipped] < COIN_TOSS),
        "parting_margin": _median(parting[np.isfinite(parting)]),
        "parting_coin_toss_share": _mean(parting[np.isfinite(parting)] < COIN_TOSS),
    }


def _columns(name: str, estimate: Estimate) -> _Columns:
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


def _mean(values: Floats | np.ndarray) -> float | None:
    return float(values.mean(dtype=np.float64)) if len(values) else None


def _median(values: Floats) -> float | None:
    return float(np.median(values)) if len(values) else None
