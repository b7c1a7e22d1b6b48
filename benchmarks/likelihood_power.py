"""How many samples show a loss: by accuracy, by the likelihood of gold answers, by divergence from full precision.

    python benchmarks/likelihood_power.py [--configfile config/demo.yaml] [--results results/demo]

Takes a finished run whose cells kept log-probabilities (``make demo`` leaves one). Of each quantized cell beside full precision it
takes the observed mean difference and its standard error over documents, and from them the samples at which a two-sided test at 5% would
have shown that difference with 80% power: n x ((z(0.975) + z(0.8)) x error / difference)^2. Divergence is never negative, so it is
held against that of full precision under a second batch plan, token by token, where the run has that noise floor, and else against
0. Medians over cells, with 95% intervals from resampled cells (seeded). Nothing else is random.

What is shown sooner is a change of the model, not a loss of score: few samples for a divergence say that it is easily seen, not that
it matters.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import NormalDist

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY / "workflow")]

import numpy as np  # noqa: E402

from quantbench.config import Vocabulary, load  # noqa: E402
from quantbench.config.settings import read_yaml  # noqa: E402
from quantbench.contracts.cell_name import Cell  # noqa: E402
from quantbench.contracts.markdown_text import table  # noqa: E402
from quantbench.errors import QuantbenchError  # noqa: E402
from quantbench.statistics import DocumentSums  # noqa: E402
from quantbench.study.grid import run_cells  # noqa: E402
from quantbench.tables.ledgers import Ledger, LedgerPair, read_ledgers  # noqa: E402

REACH = NormalDist().inv_cdf(0.975) + NormalDist().inv_cdf(0.8)
RESAMPLES, SEED = 2000, 2509
MEASURES = ("accuracy", "likelihood of gold", "divergence")


@dataclass(frozen=True, slots=True)
class Needs:
    """The samples that one cell's loss takes to be shown, by measure; infinite where there is no difference."""

    cell: Cell
    samples: int
    needed: Mapping[str, float]


def samples_needed(sums: DocumentSums, samples: int) -> float:
    """So many samples, with documents of the same kind, show the observed mean with 80% power."""
    return samples * (REACH * sums.standard_error / sums.mean) ** 2 if sums.mean else math.inf


def needs_of(own: Ledger, full: Ledger, floor: Ledger | None) -> Needs | None:
    """What one cell needs; None where answers do not begin with an option, or full precision's were not read."""
    if own.options is None or full.options is None or not full.answers_by_option or own.kept.reference is None:
        return None
    places, here, there = np.intersect1d(own.options.places, full.options.places, return_indices=True)
    groups = own.groups[places].tolist()
    right = [np.array([answer.correct for answer in one.answers], dtype=float)[places] for one in (own, full)]
    losses = own.options.shares.gold_losses[here] - full.options.shares.gold_losses[there]
    ones = np.ones(len(places))
    needed = {
        "accuracy": samples_needed(DocumentSums.of(right[0] - right[1], ones, groups), len(places)),
        "likelihood of gold": samples_needed(DocumentSums.of(losses, ones, groups), len(places)),
        "divergence": samples_needed(_divergences(own, floor), len(own.answers)),
    }
    return Needs(own.cell, len(own.answers), needed)


def _divergences(own: Ledger, floor: Ledger | None) -> DocumentSums:
    """Of each document, less what a second batch plan did to the same tokens."""
    reference = own.kept.reference
    assert reference is not None
    lengths = np.diff(reference.starts)
    of_token = np.repeat(np.arange(len(lengths)), lengths)
    moved = reference.divergences.astype(np.float64)
    if floor is not None and floor.kept.reference is not None and len(floor.kept.reference.divergences) == len(moved):
        moved = moved - floor.kept.reference.divergences
    sums = np.bincount(of_token, weights=moved, minlength=len(lengths))
    return DocumentSums.of(sums, lengths, own.groups.tolist())


def all_needs(vocabulary: Vocabulary, pairs: Iterable[LedgerPair]) -> Iterator[Needs]:
    """What each quantized cell needs."""
    read = list(pairs)
    floors = {
        replace(pair.own.cell, precision=vocabulary.reference): pair.own
        for pair in read
        if pair.own.cell.precision in vocabulary.noise_floors
    }
    for pair in read:
        if pair.full is not None and pair.own.cell.precision not in vocabulary.noise_floors:
            found = needs_of(pair.own, pair.full, floors.get(pair.full.cell))
            if found is not None:
                yield found


def main() -> int:
    """Print one table a precision."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--configfile", default="config/demo.yaml")
    parser.add_argument("--results", type=Path, default=Path("results/demo"))
    chosen = parser.parse_args()
    shipped = read_yaml(REPOSITORY / "config/config.yaml")
    try:
        catalogue = load(REPOSITORY, _merged(shipped, read_yaml(Path(chosen.configfile))), chosen.configfile)
        there = [
            cell for cell in run_cells(catalogue) if (chosen.results / "cells" / cell.folder / "scored.jsonl").exists()
        ]
        needs = list(all_needs(catalogue.vocabulary, read_ledgers(catalogue.vocabulary, chosen.results, there)))
    except QuantbenchError as error:
        print(error, file=sys.stderr)
        return 2
    if not needs:
        print(
            f"{chosen.results}: no quantized cell with options has log-probabilities; run `make demo` first",
            file=sys.stderr,
        )
        return 2
    for precision in dict.fromkeys(one.cell.precision for one in needs):
        _print(precision, [one for one in needs if one.cell.precision == precision])
    return 0


def _merged(base: dict[str, object], given: dict[str, object]) -> dict[str, object]:
    """The configuration as Snakemake puts it together: mappings key by key, all else replaced."""
    merged = dict(base)
    for key, value in given.items():
        before = merged.get(key)
        merged[key] = _merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return merged


def _print(precision: str, needs: Sequence[Needs]) -> None:
    accuracy = np.array([one.needed["accuracy"] for one in needs])
    rows = []
    for measure in MEASURES:
        own = np.array([one.needed[measure] for one in needs])
        shown = float(np.mean(own <= [one.samples for one in needs]))
        known = np.isfinite(accuracy) & np.isfinite(own)
        ratio = _median_interval(accuracy[known] / own[known])
        rows.append([measure, f"{np.median(own):,.0f}", f"{shown:.0%}", "" if measure == "accuracy" else ratio])
    print(
        f"\n{precision}: {len(needs)} cells with options, {min(n.samples for n in needs)} to {max(n.samples for n in needs)} samples\n"
    )
    print(table(["by", "median samples needed", "cells with enough", "times fewer than by accuracy (median)"], rows))


def _median_interval(ratios: np.ndarray) -> str:
    """The median with its interval over resampled cells."""
    if not len(ratios):
        return "no cell whose accuracy changed"
    drawn = ratios[np.random.default_rng(SEED).integers(len(ratios), size=(RESAMPLES, len(ratios)))]
    low, high = np.quantile(np.median(drawn, axis=1), [0.025, 0.975])
    return f"{np.median(ratios):,.3g} [{low:,.3g}, {high:,.3g}] of {len(ratios)} cells"


if __name__ == "__main__":
    sys.exit(main())
