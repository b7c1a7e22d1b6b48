"""Everything the demo ships, from nothing: ``python resources/demo/build/build.py --check`` (``make demo-models``).

Writes the miniature datasets, learns the vocabulary, trains every model of ``ladder.yaml``, exports them, and with
``--check`` fails where a score lies further than 0.05 from the shipped one. Needs torch and one to two hours on two
cores; a run that was interrupted goes on where it stopped.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from generate import write
from train import HERE, WORK, ladder


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--folder", type=Path, default=None, help="where models go; default: in --work, beside the shipped"
    )
    parser.add_argument("--work", type=Path, default=WORK, help="vocabulary, encoded examples, checkpoints")
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    work, folder = arguments.work, arguments.folder or arguments.work / "models"
    write(work / "datasets")
    _refuse_other_datasets(work / "datasets")
    if not (work / "tokenizer.json").exists():
        _run("maketok.py", "--work", work)
    plans = ladder()
    shipped = [name for name, plan in plans.items() if plan.get("shipped")]
    stages = {plans[name].get("grown_from") for name in shipped}
    for name in plans:  # in an order in which every model comes after the one it grows from
        if name in shipped or name in stages:
            _run("train.py", name, "--work", work)
    _run("export.py", *shipped, "--work", work, "--folder", folder)
    if arguments.check:
        _run("evaluate.py", *shipped, "--folder", folder, "--check")


def _refuse_other_datasets(folder: Path) -> None:
    """The models are checked on the shipped files, so these must be what the generator makes."""
    for path in sorted(folder.rglob("*.tsv")):
        shipped = HERE.parent / "datasets" / path.relative_to(folder)
        if path.read_bytes() != shipped.read_bytes():
            sys.exit(f"{shipped} is not what the generator makes; run generate.py first")


def _run(script: str, *arguments: str | Path) -> None:
    """Run one step in a process of its own, on one thread: sums over several threads differ from run to run."""
    paths = [str(HERE.parents[2] / "workflow"), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    subprocess.run([sys.executable, str(HERE / script), *map(str, arguments)], check=True, env=environment)


if __name__ == "__main__":
    main()
