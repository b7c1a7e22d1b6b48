"""Time the statistics: one large bootstrap, and every interval and comparison of the paper's 412 cells at full size.

    python benchmarks/statistics_run.py [--only bootstrap|run]

``bootstrap``: the macro F1 of 16,943 samples, 10,000 resamples; each sample a document of its own with other counts, the worst
case (``distinct``), and as relation extraction gives it (``relations``). ``run``: answers of all 412 cells are simulated at the
sizes of the paper's test sets (not timed); then every cell's interval is computed, as scoring does, in two processes, and all
tables are made as the rule ``compare`` makes them, but for those of log-probabilities. Prints one line of JSON a case, with
processor seconds, which say something on a busy machine too; the exit status says whether each stayed within its limits.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

# One thread each: the limits are stated for two cores, and the two processes use one apiece.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "workflow")]

import numpy as np  # noqa: E402
from tests.simulated_run import paper_catalogue, simulate, write_lengths  # noqa: E402

from quantbench import tables, tasks  # noqa: E402
from quantbench.config import Catalogue  # noqa: E402
from quantbench.contracts.effect_rows import EffectRow  # noqa: E402
from quantbench.contracts.records import Sample, ScoredAnswer, read_records  # noqa: E402
from quantbench.contracts.run_tables import Table1Row  # noqa: E402
from quantbench.statistics import Bootstrap, interval_of_counts  # noqa: E402
from quantbench.study.grid import Cell, run_cells, wanted_cells  # noqa: E402
from quantbench.tables.paper_rows import published_path  # noqa: E402
from quantbench.tasks.metrics import METRICS  # noqa: E402

SAMPLES, RESAMPLES, LABELS = 16943, 10000, 6
SIZES = {"hoc": 315, "litcovid": 2500, "bc5cdr_chemical": 4797, "ncbi_disease": 940}
SIZES |= {"chemprot": 16943, "ddi2013": 5761, "medqa": 1273, "pubmedqa": 500}  # the paper's Table 2
PROCESSES = 2
BOOTSTRAP_LIMITS = {"seconds": 20.0, "peak_gib": 1.0}
RUN_LIMITS = {"seconds": 180.0, "tables_peak_gib": 2.0}
GIB = 1024**3


def main() -> int:
    """Run the chosen cases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["bootstrap", "run"])
    chosen = parser.parse_args().only
    within = True
    if chosen != "run":
        for case in (distinct, relations):
            found = _in_a_process(partial(_bootstrap, case))
            within &= all(found[key] <= limit for key, limit in BOOTSTRAP_LIMITS.items())
            print(json.dumps({"case": f"bootstrap, {case.__name__}", **found, "limits": BOOTSTRAP_LIMITS}), flush=True)
    if chosen != "bootstrap":
        with tempfile.TemporaryDirectory() as folder:
            found = _whole_run(Path(folder))
        within &= all(found[key] <= limit for key, limit in RUN_LIMITS.items())
        print(json.dumps({"case": "run", **found, "limits": RUN_LIMITS}))
    return int(not within)


def distinct() -> Any:
    """Counts no two samples share."""
    return np.random.default_rng(0).integers(0, 40, (SAMPLES, LABELS, 3))


def relations() -> Any:
    """Counts of one answer in six classes, 70% of them right."""
    random = np.random.default_rng(0)
    golds = random.choice(LABELS, SAMPLES, p=[0.75, *[0.05] * 5])
    answers = np.where(random.random(SAMPLES) < 0.7, golds, random.integers(0, LABELS, SAMPLES))
    counts = np.zeros((SAMPLES, LABELS, 3), dtype=np.int64)
    rows, right = np.arange(SAMPLES), golds == answers
    counts[rows[right], golds[right], 0] = 1
    counts[rows[~right], answers[~right], 1] = 1
    counts[rows[~right], golds[~right], 2] = 1
    return counts


def _bootstrap(case: Callable[[], Any]) -> dict[str, Any]:
    counts, groups = case(), [str(row) for row in range(SAMPLES)]
    begin = time.perf_counter()
    interval = interval_of_counts(counts, groups, METRICS["macro_f1"], Bootstrap(RESAMPLES, 2509, 0.95))
    seconds = time.perf_counter() - begin
    return {"seconds": round(seconds, 2), "peak_gib": _peak_gib(), "interval": [round(end, 4) for end in interval]}


def _whole_run(folder: Path) -> dict[str, Any]:
    catalogue = paper_catalogue(REPOSITORY)
    cells = run_cells(catalogue)
    samples = _simulate(catalogue, folder, cells)
    begin, before = time.perf_counter(), _seconds_of_children()
    with ProcessPoolExecutor(PROCESSES) as pool:
        # Large cells first, so that neither process is left with a long one at the end.
        largest_first = sorted(cells, key=lambda cell: -SIZES[cell.dataset])
        intervals = list(pool.map(partial(_interval, catalogue, folder, samples), largest_first))
    between, computed = time.perf_counter(), _seconds_of_children() - before
    made = _in_a_process(partial(_tables, catalogue, folder, cells))
    end = time.perf_counter()
    return {
        "cells": len(cells),
        "answers": sum(SIZES[cell.dataset] for cell in cells),
        "resamples": catalogue.run.comparison.resamples,
        "intervals": len(intervals),
        "intervals_s": round(between - begin, 1),
        "intervals_processor_s": round(computed, 1),
        **made,
        "tables_s": round(end - between, 1),
        "seconds": round(end - begin, 1),
    }


def _simulate(catalogue: Catalogue, folder: Path, cells: list[Cell]) -> dict[str, Path]:
    """Write all cells, datasets shared among the processes."""
    names = sorted(SIZES, key=lambda name: -SIZES[name])
    with ProcessPoolExecutor(PROCESSES) as pool:
        parts = [[cell for cell in cells if cell.dataset == name] for name in names]
        made = pool.map(partial(simulate, catalogue, folder, SIZES), parts)
        paths = {name: path for paths in made for name, path in paths.items()}
        list(pool.map(partial(write_lengths, folder), parts))
    return paths


def _interval(catalogue: Catalogue, folder: Path, samples: dict[str, Path], cell: Cell) -> tuple[float, float]:
    """One cell's interval from its answers on disk, with the run's settings."""
    entry = catalogue.datasets[cell.dataset]
    answers = read_records(folder / "cells" / cell.folder / "scored.jsonl", ScoredAnswer)
    groups = [sample.group for sample in read_records(samples[cell.dataset], Sample)]
    counts = tasks.get(entry).counts([answer.parsed for answer in answers], [answer.gold for answer in answers])
    return interval_of_counts(counts, groups, tasks.metric(entry.metric), _bootstrap(catalogue))


def _bootstrap(catalogue: Catalogue) -> Bootstrap:
    settings = catalogue.run.comparison
    return Bootstrap(settings.resamples, catalogue.run.seed, settings.confidence)


def _tables(catalogue: Catalogue, folder: Path, cells: list[Cell]) -> dict[str, Any]:
    judging = tables.Judging(catalogue.run.comparison, _bootstrap(catalogue))
    studies, paper = wanted_cells(catalogue).studies, published_path(catalogue.root)
    begin = time.process_time()
    tables.write_tables(catalogue.vocabulary, folder, cells, studies, judging, paper)
    computed = time.process_time() - begin
    return {
        "comparisons": len(EffectRow.read(folder / EffectRow.path)),
        "table1_rows": len(Table1Row.read(folder / Table1Row.path)),
        "tables_processor_s": round(computed, 1),
        "tables_peak_gib": _peak_gib(),
    }


def _seconds_of_children() -> float:
    """Processor seconds of processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _peak_gib() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / GIB, 2)


def _in_a_process(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Run in a fresh process, whose peak memory is its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work).result()


if __name__ == "__main__":
    sys.exit(main())
