"""Time and peak memory of Snakemake's plan: the paper's run of 412 cells, and a simulated one of 10,000.

    python benchmarks/dag_scale.py [--cells 10000] [--repeat 3]

The large run multiplies the models: copies of the 12 entries under other names, 24 cells each, laid out beside a copy of the
workflow in a temporary folder. Each dry run (`snakemake -n --quiet`) is a process of its own. Prints one line of JSON a size:
inference jobs planned, wall and processor seconds, peak resident memory in MiB, of the repetition that took the least
processor time; and last the ratio of that time a cell, which a plan that grows with the square would raise with the size.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
import yaml

REPOSITORY = Path(__file__).resolve().parents[1]
PARTS = ("Snakefile", "workflow", "config", "profiles", "envs", "pyproject.toml")
CELLS_A_MODEL = 24
MIB = 1024**2


def lay_out(folder: Path, cells: int) -> list[str]:
    """Copy the workflow with as many models as ``cells`` need; returns Snakemake's further arguments."""
    for part in PARTS:
        source = REPOSITORY / part
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, folder / part, ignore=ignored) if source.is_dir() else shutil.copy2(
            source, folder / part
        )
    configured = yaml.safe_load((REPOSITORY / "config/config.yaml").read_text(encoding="utf-8"))["models"]
    names = [f"{configured[number % len(configured)]}-copy{number}" for number in range(-(-cells // CELLS_A_MODEL))]
    for name in names:
        original = folder / "config/models" / f"{name.rpartition('-copy')[0]}.yaml"
        shutil.copy2(original, folder / "config/models" / f"{name}.yaml")
    settings = folder / "scale.yaml"
    settings.write_text(yaml.safe_dump({"models": names, "studies": ["grid"]}), encoding="utf-8")
    return ["--configfile", str(settings)]


@dataclass(frozen=True)
class DryRun:
    """Inference jobs planned, and what planning them took."""

    cells: int
    seconds: float
    cpu_seconds: float
    peak_mib: float


def dry_run(folder: Path, arguments: list[str]) -> DryRun:
    """Plan once, in a process of its own."""
    command = [sys.executable, "-m", "snakemake", "-n", "--quiet", "rules", *arguments]
    begin, before, peak = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN), 0
    with tempfile.TemporaryFile("w+") as printed:
        process = psutil.Popen(
            command, cwd=folder, stdout=printed, stderr=subprocess.STDOUT, env={**os.environ, "OMP_NUM_THREADS": "1"}
        )
        while process.poll() is None:
            try:
                peak = max(peak, process.memory_info().rss)
            except psutil.NoSuchProcess:
                break
            time.sleep(0.01)
        status, seconds = process.wait(), time.perf_counter() - begin
        printed.seek(0)
        text = printed.read()
    if status:
        raise SystemExit(f"the dry run failed:\n{text[-3000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    found = re.search(r"^infer +(\d+)$", text, re.MULTILINE)
    return DryRun(int(found[1]) if found else 0, seconds, cpu, peak / MIB)


def main() -> None:
    """Measure both sizes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=10000, help="of the simulated run")
    parser.add_argument("--repeat", type=int, default=3, help="dry runs a size, of which the fastest counts")
    options = parser.parse_args()
    a_cell = []
    for wanted in (None, options.cells):
        with tempfile.TemporaryDirectory() as name:
            arguments = lay_out(Path(name), wanted or 0)
            runs = [dry_run(Path(name), arguments if wanted else []) for _ in range(options.repeat)]
        fastest = min(runs, key=lambda run: run.cpu_seconds)
        a_cell.append(fastest.cpu_seconds / fastest.cells)
        print(json.dumps({name: round(value, 1) for name, value in asdict(fastest).items()}), flush=True)
    print(json.dumps({"cpu_seconds_a_cell_ratio": round(a_cell[1] / a_cell[0], 2)}))


if __name__ == "__main__":
    main()
