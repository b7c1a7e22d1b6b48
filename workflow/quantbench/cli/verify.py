"""Check that the cells of a run still match what they were made from; names each that does not, and why.

Recomputed from each cell's manifest: the hashes of its predictions and measurements, of the run's samples, of the
dataset files they were read from, and of the model's files. Compared: model, precision settings, prompt template, labels, generation
settings and engine version, as the catalogue has them now under the run settings the manifest records; and the hashes of a
cell's prompts with those of the full-precision cell that it is compared with. With --configfile the settings are taken
from there instead, so that a changed limit or engine counts too.
Files that are no longer here (a model deleted after its run) are said, and do not count.

With --files, every retrieved or made file of the run's models, checkpoints and datasets is read again and held against
its recorded hash, whatever its size and time say; this needs no finished cell, and without RUN takes the configured run.

Exit status: 0 everything matches, 1 something does not, 2 bad input.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from ..config import data_folder, layered
from ..errors import ConfigError, DataError, FoundWanting
from ..study.grid import run_cells
from ..verify.run_cells import Verifier
from ..verify.run_files import Check, verify_datasets, verify_models
from . import options
from .printing import write_records

PARENTS = (options.RUN_OR_CONFIGURED, options.ROOT, options.CONFIGURATION, options.FORMAT)
_COLUMNS = ("kind", "name", "matches", "reason")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--files", action="store_true", help="read every model and dataset file again")


def run(arguments: argparse.Namespace) -> None:
    """Print each cell or file that no longer matches with its reasons.

    Raises:
        DataError: the folder holds no cell.
        ConfigError: the configuration is wrong, or neither a run nor --files is given.
        FoundWanting: some cells or files no longer match.
    """
    if arguments.run is None and not arguments.files:
        raise ConfigError(
            "name a run's folder, such as results/demo, or give --files for the files of the configured run"
        )
    text = arguments.format == "text"
    cells = (
        list(_cells(arguments)) if arguments.run is not None and not (arguments.files and _unstarted(arguments)) else []
    )
    if text and cells:
        _print_cells(arguments.run, cells)
    files = []
    for check in _files(arguments) if arguments.files else ():
        files.append(check)
        if text:  # said one by one: reading hundreds of gigabytes takes a while
            print(check, flush=True)
    if not text:
        rows = [
            (kind, one.subject, not one.problems, problem)
            for kind, checks in (("cell", cells), ("file", files))
            for one in checks
            for problem in one.problems or [""]
        ]
        write_records(arguments.format, dict.fromkeys(_COLUMNS), rows)
    changed = sum(bool(check.problems) for check in cells)
    problems = [f"{changed} of {len(cells)} cells no longer match what they were made from"] if changed else []
    problems += [problem for check in files for problem in check.problems]
    if problems:
        raise FoundWanting("\n".join(problems))


def _cells(arguments: argparse.Namespace) -> Iterator[Check]:
    root = options.root_of(arguments)
    stated = arguments.configfile or arguments.config
    settings = layered(root, arguments.configfile or [], arguments.config or []) if stated else None
    source = ", ".join(map(str, arguments.configfile or []))
    checks = list(Verifier(root, settings, source).run(arguments.run))
    if not checks:
        raise DataError(f"{arguments.run}: no cell; run snakemake first, or give another run's folder")
    yield from checks


def _unstarted(arguments: argparse.Namespace) -> bool:
    """Whether the run has no cell yet, whose configuration is named."""
    return not any(arguments.run.glob("cells/*/*/*/*/*"))


def _files(arguments: argparse.Namespace) -> Iterator[Check]:
    catalogue, folder = options.run_or_configured(arguments)
    root, run, cells = catalogue.root, catalogue.run, run_cells(catalogue)
    models = {cell.model: catalogue.models[cell.model] for cell in cells}
    yield from verify_models(root, run.models_folder, models, catalogue.precisions, folder.parent / ".verified")
    datasets = {cell.dataset: catalogue.datasets[cell.dataset] for cell in cells}
    yield from verify_datasets(root, datasets, data_folder(root, run))


def _print_cells(folder: Path, checks: list[Check]) -> None:
    changed = [check for check in checks if check.problems]
    for check in changed:
        print(check.subject)
        print("".join(f"  {line}\n" for problem in check.problems for line in problem.splitlines()), end="")
    for note in dict.fromkeys(note for check in checks for note in check.notes):
        print(f"note: {note}")
    if not changed:
        print(f"{folder}: all {len(checks)} cells match what they were made from")
