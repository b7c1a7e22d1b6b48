"""List the cells of a run with their state: finished, in progress with samples done, waiting.

  quantbench cells                                   the configured run
  quantbench cells results/demo                      a run, by what its files record
  quantbench cells --configfile config/demo.yaml --format csv

Cells that need more GPUs than configured, where the run leaves these out, are 'left out'.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ..contracts.cell_name import Cell
from ..study.grid import run_cells
from . import options
from .printing import write_records, write_text

PARENTS = (options.RUN_OR_CONFIGURED, options.ROOT, options.CONFIGURATION, options.FORMAT)
_COLUMNS = ("model", "precision", "dataset", "prompting", "shots", "state", "done", "samples")


@dataclass(frozen=True)
class _State:
    """What a cell is at; ``done`` of its ``samples`` are answered, None where that is not known yet."""

    word: str
    done: int | None = None
    samples: int | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """All options are shared ones."""


def run(arguments: argparse.Namespace) -> None:
    """Print the list.

    Raises:
        ConfigError: no such configuration.
        DataError: no such run.
    """
    catalogue, folder = options.run_or_configured(arguments)
    wanted = run_cells(catalogue)
    kept = set(options.planned_cells(catalogue))
    samples = {name: _lines(folder / f"datasets/{name}/samples.jsonl") for name in {cell.dataset for cell in wanted}}
    states = {
        cell: _state(folder, cell, samples[cell.dataset]) if cell in kept else _State("left out") for cell in wanted
    }
    if arguments.format != "text":
        rows = [(*_names(cell), state.word, state.done, state.samples) for cell, state in states.items()]
        write_records(arguments.format, dict.fromkeys(_COLUMNS), rows)
        return
    table = [[*map(str, _names(cell)), state.word, _progress(state)] for cell, state in states.items()]
    write_text([*_COLUMNS[:5], "state", "samples"], table, names=6)
    counts = Counter(state.word for state in states.values())
    print(f"\n{folder}: {len(states)} cells; {', '.join(f'{count} {word}' for word, count in counts.items())}")


def _state(folder: Path, cell: Cell, samples: int | None) -> _State:
    if (folder / f"cells/{cell.folder}/manifest.json").exists():
        return _State("finished", samples, samples)
    # The newest of several attempts; others belong to configurations of before.
    histories = sorted((folder / f"progress/{cell.folder}").glob("*.history"), key=lambda path: path.stat().st_mtime)
    if not histories:
        return _State("waiting", 0, samples)
    repeats = histories[-1].parent.glob(f"{histories[-1].stem}.repeat*.predictions.jsonl")
    answered = [_lines(path) or 0 for path in (histories[-1].with_suffix(".predictions.jsonl"), *repeats)]
    return _State("in progress", sum(answered), samples and samples * len(answered))


def _names(cell: Cell) -> tuple[str, str, str, str, int]:
    return cell.model, cell.precision, cell.dataset, cell.prompting, cell.shots


def _progress(state: _State) -> str:
    if state.done is None and state.samples is None:
        return ""
    return f"{state.done}/{'?' if state.samples is None else state.samples}"


def _lines(path: Path) -> int | None:
    """The number of complete lines of a file; None where there is none."""
    return path.read_bytes().count(b"\n") if path.is_file() else None
