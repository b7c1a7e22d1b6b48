"""Hold a run against the paper (arXiv 2509.04534): its cells of Table 1, Figures 2 to 6, and the paper's claims one by one.

  quantbench reproduce results/paper                              everything, for people
  quantbench reproduce results/paper --part claims                one part of it
  quantbench reproduce results/paper --format csv                 the cells, for programs; --part names another part
  quantbench reproduce results/paper --figure figure2_beside      Figure 2 as bars: published, and both scorings of the run

Of each cell that Table 1 has: the published value; our answers scored by the convention that Table 1 was probably scored by; our
own scoring; and the interval in which the difference would lie by chance alone. What the run does otherwise than the paper's
authors is said first. The run's tables are all that is needed: no GPU, no torch, no network. A bundle works once it is drawn again.

Exit status: 0 done, whatever is found; 2 bad input.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..errors import ConfigError
from ..reproduce import Reproduction, reproduce
from ..reproduce.reproduction_words import COLUMNS, Part, as_text, rows
from . import options
from .argument_types import a_path
from .printing import write_records

PARENTS = (options.RUN, options.ROOT, options.FORMAT)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--part",
        choices=list(COLUMNS),
        help="one part alone (default: all of them as text, the cells as csv and json)",
    )
    parser.add_argument(
        "--figure",
        type=a_path,
        metavar="STEM",
        help="also draw Figure 2 as bars, Table 1 above the run: writes STEM.png, .pdf and .svg, and where they share models STEM_by_model.*",
    )


def run(arguments: argparse.Namespace) -> None:
    """Print the comparison.

    Raises:
        DataError: a table of the run is missing or malformed.
        ConfigError: the catalogue no longer has what the run names.
    """
    found = reproduce(options.root_of(arguments), arguments.run)
    if arguments.figure is not None:
        _draw(found, arguments.figure)
    if arguments.format == "text":
        print(as_text(found, arguments.part), end="")
        return
    part: Part = arguments.part or "cells"
    write_records(arguments.format, dict.fromkeys(COLUMNS[part]), rows(found, part))


def _draw(found: Reproduction, stem: Path) -> None:
    if not stem.name:
        raise ConfigError(f"--figure {str(stem)!r}: names no file; give one such as figure2_beside")
    # Drawing takes matplotlib, which the comparison itself does not.
    from ..figures import save
    from ..figures.task_bars import draw_task_bars

    drawn = {stem.name: draw_task_bars(found.readings, found.devices, "dataset")}
    if found.compared:  # else no model is above and below
        drawn[f"{stem.name}_by_model"] = draw_task_bars(found.readings, found.devices, "model")
    for name, figure in drawn.items():
        print(f"drawn: {', '.join(map(str, save(figure, stem.with_name(name))))}", file=sys.stderr)
