"""List what a run left to open: its figures and tables, and how many cells stand behind them."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..bundle import figures_unchanged
from ..errors import DataError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("run", type=Path, help="a run's folder, such as results/demo")


def run(arguments: argparse.Namespace) -> None:
    """Print the list.

    Raises:
        DataError: the folder holds no finished cell.
    """
    folder: Path = arguments.run
    cells = list(folder.glob("cells/*/*/*/*/manifest.json"))
    if not cells:
        raise DataError(f"{folder}: no finished cell; run snakemake first, or give another run's folder")
    print(f"{folder}: {len(cells)} cells. Open:")
    for pattern in (
        "report.html",
        "recommendations.md",
        "tables/table1.md",
        "tables/*.csv",
        "figures/*.png",
        "*.tar.zst",
    ):
        for path in sorted(folder.glob(pattern)):
            print(f"  {path}")
    print("  (each figure also as .pdf and .svg; what each file holds: results/README.md)")
    unchanged = figures_unchanged(folder)
    if unchanged:
        print(
            f"  {sum(unchanged.values())} of the {len(unchanged)} figures are, byte for byte, those of the run that was packed"
        )
