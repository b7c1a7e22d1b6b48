"""Simulate whole studies in which quantization costs nothing, or exactly the margin, and count what is claimed of them.

    python benchmarks/null_study.py [--studies 40] [--resamples 1000] [--flips 0.02 0.1 0.25] [--to FOLDER]

Each study has 12 models, 8 datasets and 3 precisions, with as many samples, documents and labels as the published test sets
(``simulated/shape.json``); answers fall and stand together within documents (``simulated/answers.py``). Everything is judged twice: as
version 0.2.0 did (``simulated/before.py``), and by the functions that tables and report use. Intervals have fewer resamples than a
run's. Every number follows from the seed. Prints a table of shares, flips side by side, with standard errors, and writes it with ``--to``
as ``null_study.csv`` and ``null_study.md``. A share that claims too much by more than three standard errors is marked ``!`` and makes the
exit status 1; intervals wider than they need be are marked ``~``. Forty studies take about five minutes on two cores.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

# One thread each: two processes use one apiece.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "workflow")]

import numpy as np  # noqa: E402
from benchmarks.simulated.answers import Rates, found_rates  # noqa: E402
from benchmarks.simulated.judged import Judged, Setting, covered, judged_study  # noqa: E402
from benchmarks.simulated.shape import Shape, shapes  # noqa: E402
from benchmarks.simulated.tally import LIMITS, Asked, Found, Limits, Share, tallied  # noqa: E402

from quantbench.config import load_datasets  # noqa: E402
from quantbench.tasks.metrics import METRICS  # noqa: E402

SEED = 2509


def main() -> int:
    """Simulate, count, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=40, help="for each share of flips")
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument(
        "--flips", type=float, nargs="+", default=[0.02, 0.1, 0.25], help="share of answers that differ"
    )
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--to", type=Path, help="folder for the table")
    arguments = parser.parse_args()
    begin = time.perf_counter()
    with ProcessPoolExecutor(arguments.processes) as pool:
        settings = _settings(pool, arguments.flips, arguments.resamples, arguments.seed)
        studies = [(setting, study) for study in range(arguments.studies) for setting in settings]
        shares = _shares(pool.map(_judged, studies), settings[0])
    rows = _rows(shares, arguments.flips)
    for row in rows:
        print("  ".join(row))
    print(
        f"{arguments.studies} studies for each share of flips, {arguments.resamples} resamples, seed {arguments.seed}"
    )
    print(f"{time.perf_counter() - begin:.0f} s")
    if arguments.to:
        _write(arguments.to, rows)
    outside = [asked for asked, share in shares.items() if _outside(asked, share)]
    for asked in outside:
        print(f"outside its limits: {asked.what}, {asked.dataset}, {asked.flips:.0%} flips: {shares[asked].value:.3f}")
    return int(bool(outside))


def _settings(pool: ProcessPoolExecutor, flips: list[float], resamples: int, seed: int) -> list[Setting]:
    sets = shapes()
    margins = {name: load_datasets(REPOSITORY)[name].margin for name in sets}
    found = pool.map(partial(_found_rates, flips, seed), [(shape, margins[name]) for name, shape in sets.items()])
    rates = dict(zip(sets, found, strict=True))
    return [
        Setting(sets, margins, {name: rates[name][place] for name in sets}, share, resamples, seed)
        for place, share in enumerate(flips)
    ]


def _found_rates(flips: list[float], seed: int, of: tuple[Shape, float]) -> list[Rates]:
    return found_rates(of[0], flips, of[1], seed)


def _judged(of: tuple[Setting, int]) -> Judged:
    return judged_study(*of)


def _shares(studies: Iterable[Judged], setting: Setting) -> dict[Asked, Share]:
    """All shares; what scores are in truth follows from all arms without loss, whatever their flips."""
    found: list[Found] = []
    intervals, sums = [], {name: np.zeros(1) for name in setting.shapes}
    for judged in studies:
        found += judged.found
        intervals += judged.scores
        sums = {name: sums[name] + judged.sums[name] for name in sums}
    truths = {name: METRICS[shape.metric].values(sums[name]) for name, shape in setting.shapes.items()}
    return tallied(found + covered(intervals, truths))


def _outside(asked: Asked, share: Share) -> bool:
    return asked.way == "after" and LIMITS[asked.what].broken(share.value, share.error)


def _mark(asked: Asked, share: Share) -> str:
    if _outside(asked, share):
        return " !"
    return " ~" if asked.way == "after" and LIMITS[asked.what].wide(share.value, share.error) else ""


def _rows(shares: Mapping[Asked, Share], flips: Sequence[float]) -> list[list[str]]:
    """One row a question and dataset: shares with their errors in percent, before and after, for each share of flips."""
    columns = [(way, share) for way in ("before", "after") for share in flips]
    rows = [["share in percent +- standard error", "of", *(f"{way} {share:.0%}" for way, share in columns)]]
    for what, dataset in dict.fromkeys((asked.what, asked.dataset) for asked in _ordered(shares)):
        asked = [Asked(what, dataset, share, way) for way, share in columns]
        cells = [_percent(shares[one]) + _mark(one, shares[one]) if one in shares else "" for one in asked]
        rows.append([f"{what}{_wanted(LIMITS[what])}", dataset, *cells])
    return rows


def _ordered(shares: Mapping[Asked, Share]) -> list[Asked]:
    return sorted(shares, key=lambda asked: list(LIMITS).index(asked.what))


def _percent(share: Share) -> str:
    return f"{100 * share.value:.1f} +- {100 * share.error:.1f}"


def _wanted(limits: Limits) -> str:
    if limits.high is None:
        return ""
    return f" (at most {limits.high:.0%})" if limits.low is None else f" ({100 * limits.low:.0f} to {limits.high:.0%})"


def _write(folder: Path, rows: list[list[str]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "null_study.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    lines = [f"| {' | '.join(row)} |" for row in (rows[0], ["---"] * len(rows[0]), *rows[1:])]
    (folder / "null_study.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
