"""List what a run left to open: its figures and tables, and how many cells stand behind them."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..bundle import figures_unchanged
from ..contracts.figure_list import FigureList
from ..errors import DataError
from . import options
from .printing import write_records

PARENTS = (options.RUN, options.FORMAT)
_PATTERNS = ("report.html", "recommendations.md", "tables/table1.md", "tables/*.csv", "figures/*.png", "*.tar.zst")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """All options are shared ones."""


def run(arguments: argparse.Namespace) -> None:
    """Print the list.

    Raises:
        DataError: the folder holds no finished cell.
    """
    folder: Path = arguments.run
    cells = list(folder.glob("cells/*/*/*/*/manifest.json"))
    if not cells:
        raise DataError(f"{folder}: no finished cell; run snakemake first, or give another run's folder")
    left_out = _left_out(folder)
    found = [path for pattern in _PATTERNS for path in sorted(folder.glob(pattern)) if path.stem not in left_out]
    unchanged = figures_unchanged(folder)
    if arguments.format != "text":
        rows = [(str(path), path.stat().st_size) for path in found]
        write_records(arguments.format, dict.fromkeys(("path", "bytes")), rows)
        return
    if not found:
        print(f"{folder}: {len(cells)} cells; nothing is drawn yet, run snakemake for tables, figures and the report")
        return
    print(f"{folder}: {len(cells)} cells. Open:")
    for path in found:
        print(f"  {path}")
    for name, reason in left_out.items():
        print(f"  {name} is not drawn: {reason}")
    print("  (each figure also as .pdf and .svg; what each file holds: results/README.md)")
    if unchanged:
        same = f"{sum(unchanged.values())} of the {len(unchanged)} figures"
        print(f"  {same} are, byte for byte, those of the run that was packed")


def _left_out(folder: Path) -> dict[str, str]:
    """Figures that the run does not have, and why; none where no report was written yet."""
    path = folder / FigureList.path
    return FigureList.read(path).left_out if path.exists() else {}
