"""Everything the demo ships, from nothing: ``python resources/demo/build/build.py --check`` (``make demo-models``).

Writes the miniature datasets, learns the vocabulary, trains every model of ``ladder.yaml``, exports them, and with
``--check`` fails where a score lies further than 0.05 from the shipped one. Needs torch and one to two hours on two
cores; a run that was interrupted goes on where it stopped. Each model in training writes its log beside its checkpoint.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, TextIO

from generate import write
from train import HERE, WORK, ladder


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--folder", type=Path, default=None, help="where models go; default: in --work, beside the shipped"
    )
    parser.add_argument("--work", type=Path, default=WORK, help="vocabulary, encoded examples, checkpoints")
    parser.add_argument("--jobs", type=int, default=2, help="models in training at once, one core each")
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    work, folder = arguments.work, arguments.folder or arguments.work / "models"
    write(work / "datasets")
    _refuse_other_datasets(work / "datasets")
    if not (work / "tokenizer.json").exists():
        _run("maketok.py", "--work", work)
    train_all(ladder(), work, arguments.jobs)
    shipped = [name for name, plan in ladder().items() if plan.get("shipped")]
    _run("export.py", *shipped, "--work", work, "--folder", folder)
    if arguments.check:
        _run("evaluate.py", *shipped, "--folder", folder, "--check")


def train_all(plans: dict[str, Any], work: Path, jobs: int) -> None:
    """Train every model, each after the one it grows from; models that do not wait for each other run side by side."""
    done: set[str] = set()
    running: dict[Future[None], str] = {}
    waiting = list(plans)
    with ThreadPoolExecutor(jobs) as pool:
        while waiting or running:
            ready = [name for name in waiting if plans[name].get("grown_from") in {None, *done}]
            for name in ready[: jobs - len(running)]:
                waiting.remove(name)
                running[pool.submit(_train, name, work)] = name
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                future.result()
                done.add(running.pop(future))


def _train(name: str, work: Path) -> None:
    with (work / f"{name}.log").open("a", encoding="utf-8") as log:
        _run("train.py", name, "--work", work, log=log)
    print(log.name, "is complete", flush=True)


def _refuse_other_datasets(folder: Path) -> None:
    """The models are checked on the shipped files, so these must be what the generator makes."""
    for path in sorted(folder.rglob("*.tsv")):
        shipped = HERE.parent / "datasets" / path.relative_to(folder)
        if path.read_bytes() != shipped.read_bytes():
            sys.exit(f"{shipped} is not what the generator makes; run generate.py first")


def _run(script: str, *arguments: str | Path, log: TextIO | None = None) -> None:
    """Run one step in a process of its own, on one thread: sums over several threads differ from run to run."""
    paths = [str(HERE.parents[2] / "workflow"), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    command = [sys.executable, str(HERE / script), *map(str, arguments)]
    subprocess.run(command, check=True, env=environment, stdout=log, stderr=log)


if __name__ == "__main__":
    main()
