"""Redraw a bundle of the paper's full size: 412 simulated cells at the sizes of the published test sets.

    python benchmarks/redraw.py [--keep FOLDER] [--cores 2]

Not timed: simulating the cells and their texts. Timed, each as a user would run it: packing; opening (every check); scoring
again the datasets whose texts the bundle holds; then tables, figures, recommendations and report. Memory is the resident set
of Snakemake and all its jobs together, the highest of samples taken twice a second. Prints one line of JSON a step; the
exit status says whether tables, figures and report stayed within 4 minutes and 2 GiB, and the page within 25 MB.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "workflow")]

import psutil  # noqa: E402
from tests.simulated_run import paper_catalogue, simulate  # noqa: E402
from tests.simulated_texts import add_texts  # noqa: E402

from quantbench.bundle import open_bundle, pack, unscored  # noqa: E402
from quantbench.config import Catalogue  # noqa: E402
from quantbench.study.grid import Cell, run_cells  # noqa: E402

SIZES = {"hoc": 315, "litcovid": 2500, "bc5cdr_chemical": 4797, "ncbi_disease": 940}
SIZES |= {"chemprot": 16943, "ddi2013": 5761, "medqa": 1273, "pubmedqa": 500}  # the paper's Table 2
LIMITS = {"seconds": 240.0, "peak_gib": 2.0, "page_mb": 25.0}


def main() -> int:
    """Make the bundle where it is not kept from before, and redraw it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, help="folder whose bundle is used again, and made where it is not there")
    parser.add_argument("--cores", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bundle = (arguments.keep or Path(folder)) / "paper.tar.zst"
        if not bundle.exists():
            _make(bundle, Path(folder) / "simulated", arguments.cores)
        return _redraw(bundle, Path(folder) / "opened", arguments.cores)


def _make(bundle: Path, folder: Path, cores: int) -> None:
    catalogue = paper_catalogue(REPOSITORY, results_folder=str(folder))
    cells = run_cells(catalogue)
    with ProcessPoolExecutor(cores) as pool:
        # Large datasets first, so that no process is left with a long one at the end.
        list(pool.map(partial(_simulate, catalogue, cells), sorted(SIZES, key=lambda name: -SIZES[name])))
    begin = time.perf_counter()
    bundle.parent.mkdir(parents=True, exist_ok=True)
    pack(catalogue, Path(catalogue.run_folder), cells, bundle)
    answers = sum(SIZES[cell.dataset] for cell in cells)
    size = round(bundle.stat().st_size / 2**20, 1)
    _say("pack", seconds=time.perf_counter() - begin, cells=len(cells), answers=answers, bundle_mib=size)


def _simulate(catalogue: Catalogue, cells: list[Cell], name: str) -> None:
    own = [cell for cell in cells if cell.dataset == name]
    results = Path(catalogue.run_folder)
    add_texts(catalogue, results, own, simulate(catalogue, results, SIZES, own))


def _redraw(bundle: Path, into: Path, cores: int) -> int:
    begin = time.perf_counter()
    settings = open_bundle(bundle, into, REPOSITORY)
    _say("open", seconds=time.perf_counter() - begin)
    rescored = sorted(SIZES.keys() - unscored(settings.parent))
    _say("score again", datasets=rescored, **_snakemake(settings, cores, [f"score_{name}" for name in rescored]))
    found = _snakemake(settings, cores, ["all"])
    found["page_mb"] = round((settings.parent / "report.html").stat().st_size / 1e6, 1)
    _say("tables, figures, report", **found, limits=LIMITS)
    return int(any(found[key] > limit for key, limit in LIMITS.items()))


def _snakemake(settings: Path, cores: int, targets: list[str]) -> dict[str, Any]:
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile"), "--cores", str(cores)]
    command += ["--configfile", str(settings), "--quiet", "all", "--", *targets]
    _processor_seconds()
    begin = time.perf_counter()
    process = psutil.Popen(command, cwd=settings.parent, stdout=subprocess.DEVNULL)
    peak: list[int] = [0]
    watch = threading.Thread(target=_watch, args=(process, peak))
    watch.start()
    if process.wait() != 0:
        raise SystemExit(f"snakemake failed: {' '.join(command)}")
    watch.join()
    seconds = time.perf_counter() - begin
    return {
        "seconds": round(seconds, 1),
        "cpu_s": round(_processor_seconds(), 1),
        "peak_gib": round(peak[0] / 2**30, 2),
    }


_spent = [0.0]


def _processor_seconds() -> float:
    """Processor seconds of finished children since the last call; on a busy machine they say more than the clock."""
    times = os.times()
    total = times.children_user + times.children_system
    spent, _spent[0] = total - _spent[0], total
    return spent


def _watch(process: psutil.Process, peak: list[int]) -> None:
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        resident = 0
        try:
            for one in [process, *process.children(recursive=True)]:
                resident += one.memory_info().rss
        except psutil.NoSuchProcess:
            pass
        peak[0] = max(peak[0], resident)
        time.sleep(0.5)


def _say(step: str, **found: Any) -> None:
    if isinstance(found.get("seconds"), float):
        found["seconds"] = round(found["seconds"], 1)
    print(json.dumps({"step": step, **found}), flush=True)


if __name__ == "__main__":
    sys.exit(main())
