"""What the ledger of likelihoods costs: the quality pass of real cells with it and without, in pairs; and bytes a token.

    python benchmarks/likelihood_cost.py [--config config/demo.yaml] [--model tiny-s] [--datasets ...] [--precisions full w4a16]

Seconds are of the processor, since others may work on the same machine. The two passes of a pair follow one another in one
process, the first by turns; a ratio is the median over pairs. Answers must be the same, or it fails. Quantized cells read what
full precision wrote too, which is in their ratio. ``make real-model`` converts the model that ``config/real_model.yaml`` names.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "workflow"))


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--config", type=Path, default=REPOSITORY / "config/demo.yaml")
    parser.add_argument("--model", default="tiny-s")
    parser.add_argument(
        "--datasets", nargs="+", default=["medqa", "pubmedqa", "ddi2013", "chemprot", "hoc", "bc5cdr_chemical"]
    )
    parser.add_argument("--precisions", nargs="+", default=["full", "w4a16"])
    parser.add_argument("--limit", type=int, default=100, help="samples of a dataset")
    parser.add_argument("--pairs", type=int, default=5)
    arguments = parser.parse_args()
    print(
        f"{arguments.model}, {arguments.limit} samples, {arguments.pairs} pairs, processor seconds of the quality pass"
    )
    print(
        f"{'dataset':<18} {'precision':<10} {'without':>8} {'with':>8} {'ratio':>6} {'tokens':>8} {'bytes a token':>14}"
    )
    with tempfile.TemporaryDirectory() as name:
        for dataset in arguments.datasets:
            measure(arguments, dataset, Path(name) / dataset)


def measure(arguments: argparse.Namespace, dataset: str, folder: Path) -> None:
    """Print one line a precision, full precision first, whose answers the others read."""
    from quantbench.config import data_folder, layered, load
    from quantbench.contracts.cell_name import Cell
    from quantbench.contracts.likelihoods import Likelihoods
    from quantbench.datasets import prepare, source_folder
    from quantbench.study.spec import cell_spec

    settings = layered(REPOSITORY, [arguments.config])
    settings |= {"limit": arguments.limit, "measurement": {"latency_samples": 1, "warmup": 0}}
    catalogue = load(REPOSITORY, settings, str(arguments.config))
    run, entry = catalogue.run, catalogue.datasets[dataset]
    source = source_folder(catalogue.root, entry, dataset, data_folder(catalogue.root, run))
    prepare(entry, dataset, source, run.limit, run.seed, folder / "data")
    for precision in arguments.precisions:
        spec = cell_spec(catalogue, Cell(arguments.model, precision, dataset, "instruction", 0))
        bare = replace(spec, inference=run.inference.model_copy(update={"likelihoods": False}))
        taken: dict[bool, list[float]] = {True: [], False: []}
        for number in range(arguments.pairs):
            for kept in (True, False) if number % 2 else (False, True):
                taken[kept].append(cell(spec if kept else bare, folder, f"{precision}-{kept}"))
        with_ledger, without = (folder / f"{precision}-{kept}" for kept in (True, False))
        assert (with_ledger / "predictions.jsonl").read_bytes() == (without / "predictions.jsonl").read_bytes()
        path = with_ledger / Likelihoods.file
        tokens = len(Likelihoods.read(path).written.tokens)
        ratio = statistics.median(one / other for one, other in zip(taken[True], taken[False], strict=True))
        print(
            f"{dataset:<18} {precision:<10} {statistics.median(taken[False]):>8.2f} {statistics.median(taken[True]):>8.2f} "
            f"{ratio:>6.3f} {tokens:>8} {path.stat().st_size / tokens:>14.1f}",
            flush=True,
        )


def cell(spec: object, folder: Path, name: str) -> float:
    """Run a cell anew; the processor seconds of its quality pass."""
    from quantbench.cell import answering
    from quantbench.cell.prepared_cell import CellFolders
    from quantbench.cell.running import run_cell

    full, out = folder / "full-True", folder / name
    (out / "manifest.json").unlink(missing_ok=True)
    places = CellFolders(
        folder / "data", out, folder / "progress", folder / "leases", full=full if full.exists() else None
    )
    seconds: list[float] = []
    answer_all: Callable[..., None] = answering.answer_all

    def timed(*given: object, **named: object) -> None:
        begin = time.process_time()
        answer_all(*given, **named)
        seconds.append(time.process_time() - begin)

    answering.answer_all = timed  # type: ignore[assignment]
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            run_cell(spec, places, gpus=0)  # type: ignore[arg-type]
    finally:
        answering.answer_all = answer_all
    return seconds[0]


if __name__ == "__main__":
    main()
