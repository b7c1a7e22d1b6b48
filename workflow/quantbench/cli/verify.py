"""Check that the cells of a run still match what they were made from; names each that does not, and why.

Recomputed from each cell's manifest: the hashes of its predictions and measurements, of the run's samples, of the
dataset files they were read from, and of the model's files. Compared: model, precision settings, prompt template, labels, generation
settings and engine version, as the repository has them now under the run settings the manifest records. With
--configfile those settings are taken from there instead, so that a changed limit or engine counts too.
Files that are no longer here (a model deleted after its run) are said, and do not count.

Exit status: 0 every cell matches, 1 some do not.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ..errors import DataError
from ..verify.run_cells import Verifier, read_settings
from .score import REPOSITORY


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("run", type=Path, help="a run's folder, such as results/demo")
    parser.add_argument("--configfile", type=Path, metavar="FILE", help="hold the cells against this configuration")
    parser.add_argument(
        "--root", type=Path, default=REPOSITORY, help="folder that holds config/ (default: this repository)"
    )


def run(arguments: argparse.Namespace) -> None:
    """Print each cell that no longer matches with its reasons.

    Raises:
        DataError: the folder holds no cell, or some cells no longer match.
        ConfigError: the configuration file is wrong.
    """
    root: Path = arguments.root
    settings = read_settings(root, arguments.configfile) if arguments.configfile else None
    checks = list(Verifier(root, settings, str(arguments.configfile or "")).run(arguments.run))
    if not checks:
        raise DataError(f"{arguments.run}: no cell; run snakemake first, or give another run's folder")
    changed = [check for check in checks if check.problems]
    for check in changed:
        print(check.subject)
        print("".join(f"  {line}\n" for problem in check.problems for line in problem.splitlines()), end="")
    for note in dict.fromkeys(note for check in checks for note in check.notes):
        print(f"note: {note}")
    if changed:
        raise DataError(f"{len(changed)} of {len(checks)} cells no longer match what they were made from")
    print(f"{arguments.run}: all {len(checks)} cells match what they were made from")
