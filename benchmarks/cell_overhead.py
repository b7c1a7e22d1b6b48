"""What a cell costs beside its answers: start, imports, planning, loading, writing; cold and warm.

    python benchmarks/cell_overhead.py [--cells N]

Runs N cells of the demo's smallest model through Snakemake as ``make demo`` does, one job at a time; Snakemake's own start is
taken off. ``cold`` starts a process a cell (``hardware.warm_start: false``), ``warm`` forks cells from
one process that has imported the libraries. Inference is what the cells themselves measured: latency samples and quality pass.
A last table says where a cold cell's time goes, timed inside one process.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
PARTS = ("Snakefile", "workflow", "config", "profiles", "envs", "resources", "pyproject.toml")
DATASETS = ["hoc", "litcovid", "chemprot", "ddi2013", "medqa", "pubmedqa"]
STEPS = """
import time; began = time.time()
import json, os, sys
from pathlib import Path
sys.path.insert(0, "workflow")
started = float(os.environ["STARTED"])
from quantbench import jobs
from quantbench.contracts.cell_name import parse_folder
config, name = json.loads(sys.argv[1]), sys.argv[2]
catalogue = jobs.catalogue_of(config); checked = time.time()
from quantbench.devices.runtime import set_environment
set_environment(1, "cpu", [])
from quantbench.cell.warm import _preload
_preload(); imported = time.time()
from quantbench.cell import running as cell
from quantbench.study.spec import cell_spec
from quantbench.contracts.files import read_json
out = Path("steps/out")
dataset = Path(catalogue.run_folder) / "datasets" / parse_folder(name).dataset
folders = cell.CellFolders(dataset, out, Path("steps/progress"), Path("steps/leases"))
cell.run_cell(cell_spec(catalogue, parse_folder(name)), folders, 0); ended = time.time()
measured = read_json(out / "measurements.json")
fixed = measured["latency"].get("fixed", {"samples": []})
timed = [*measured["latency"]["samples"], *fixed["samples"]]
answers = measured["quality_pass"]["seconds"] + sum(item["latency_s"] for item in timed)
print(json.dumps({"start of Python": began - started, "configuration": checked - began, "imports": imported - checked,
    "loading the model": measured["load_s"], "planning, warm-up, writing": ended - imported - measured["load_s"] - answers,
    "answers": answers}))
"""


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=5, choices=range(1, len(DATASETS)))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in PARTS:
            copy = shutil.copytree if (REPOSITORY / part).is_dir() else shutil.copy2
            copy(REPOSITORY / part, folder / part)
        datasets = DATASETS[: arguments.cells + 1]
        snakemake(folder, [f"results/demo/datasets/{dataset}/samples.jsonl" for dataset in datasets], warm=False)
        print(f"{'':<6} {'a cell, s':>9} {'inference, s':>12} {'beside it, s':>12}")
        for warm in (False, True):
            whole, inference = per_cell(folder, datasets, warm)
            print(
                f"{'warm' if warm else 'cold':<6} {whole:>9.2f} {inference:>12.2f} {whole - inference:>12.2f}",
                flush=True,
            )
        print("\na cold cell by itself, s")
        for step, seconds in steps(folder, datasets[0]).items():
            print(f"{step:<28} {seconds:>6.2f}")


def per_cell(folder: Path, datasets: list[str], warm: bool) -> tuple[float, float]:
    """Seconds of one further cell in a run, and of the inference in it."""
    cells = [f"results/demo/cells/{model(folder)}/full/{dataset}/instruction-0shot" for dataset in datasets]
    for cell in cells:
        shutil.rmtree(folder / cell, ignore_errors=True)
    snakemake(
        folder, [f"{cells[0]}/manifest.json"], warm
    )  # where cells are forked, it starts what they are forked from
    rest = snakemake(folder, [f"{cell}/manifest.json" for cell in cells[1:]], warm)
    none = snakemake(folder, [f"{cell}/manifest.json" for cell in cells], warm)  # all exist: Snakemake's own time
    inference = 0.0
    for cell in cells[1:]:
        measured = json.loads((folder / cell / "measurements.json").read_text())
        fixed = measured["latency"].get("fixed", {"samples": []})
        timed = [*measured["latency"]["samples"], *fixed["samples"]]
        inference += measured["quality_pass"]["seconds"] + sum(item["latency_s"] for item in timed)
    return (rest - none) / len(cells[1:]), inference / len(cells[1:])


def model(folder: Path) -> str:
    """The demo's smallest model."""
    sizes = {
        path.parent.name: path.stat().st_size for path in (folder / "resources/demo/models").glob("*/model.safetensors")
    }
    return min(sizes, key=sizes.__getitem__)


def snakemake(folder: Path, targets: list[str], warm: bool) -> float:
    """Seconds of one Snakemake run on one core."""
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--configfile", "config/demo.yaml"]
    command += ["--config", f"hardware={{device: cpu, threads: 1, warm_start: {str(warm).lower()}}}", "--", *targets]
    begin = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
    return time.perf_counter() - begin


def steps(folder: Path, dataset: str) -> dict[str, float]:
    """Where one cold cell's seconds go."""
    import yaml
    from snakemake.utils import update_config

    config = yaml.safe_load((folder / "config/config.yaml").read_text())
    update_config(config, yaml.safe_load((folder / "config/demo.yaml").read_text()))
    command = [sys.executable, "-c", STEPS, json.dumps(config), f"{model(folder)}/full/{dataset}/instruction-0shot"]
    environment = {**os.environ, "STARTED": str(time.time())}
    done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
