"""Pack a finished run into one file, from which its tables, figures and report are drawn again elsewhere without a GPU.

  quantbench bundle results/demo                     results/demo/demo.tar.zst
  quantbench bundle results/demo --to /srv/demo.tar.zst
  make figures BUNDLE=results/demo/demo.tar.zst      draws it again

Whose texts are packed is the configuration's data.texts_in_bundles; --config "data={texts_in_bundles: none}" leaves all out. Of private
datasets, such as your own, neither texts nor outputs nor names of samples are packed. Before anything is written, every withheld text is
searched for in every file; where a phrase of one is found the bundle is refused, and the files are named (docs/privacy.md).
"""

from __future__ import annotations

import argparse

from ..errors import DataError
from . import options
from .argument_types import a_path

PARENTS = (options.RUN, options.ROOT, options.CONFIGURATION)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--to", type=a_path, metavar="PATH", help="the file to write (default: in RUN, named as the run)"
    )
    parser.add_argument(
        "--without-outputs",
        action="append",
        default=[],
        metavar="DATASET",
        help="leave out its raw outputs, which may quote its texts; may be repeated",
    )
    options.add_phrases(parser)


def run(arguments: argparse.Namespace) -> None:
    """Write the bundle and say what it holds.

    Raises:
        DataError: no such run, cells of it are not finished and the configuration does not allow that, no figures, or a text that may
            not be passed on stands in a file.
        ConfigError: the configuration is wrong.
    """
    from ..bundle import pack

    catalogue, folder = options.recorded(arguments), arguments.run
    cells = options.planned_cells(catalogue)
    finished = [cell for cell in cells if (folder / f"cells/{cell.folder}/manifest.json").exists()]
    if len(finished) < len(cells) and not catalogue.run.allow_missing:
        raise DataError(
            f"{folder}: {len(cells) - len(finished)} of {len(cells)} cells are not finished (quantbench cells {folder} "
            "lists them); run snakemake first, or pack the others with --config allow_missing=true"
        )
    if not any((folder / "figures").glob("*.png")):
        raise DataError(f"{folder}: its figures are not drawn yet; run snakemake to its end, then pack")
    target = arguments.to or folder / f"{catalogue.run.run}.tar.zst"
    without = options.chosen(arguments.without_outputs, catalogue.datasets, "--without-outputs", "all")
    index = pack(catalogue, folder, finished, target, arguments.phrases, frozenset(without))
    left_out = [f"texts of {name}" for name in index.without_texts]
    left_out += [f"outputs of {name}" for name in index.without_outputs]
    size = f"{target.stat().st_size / 2**20:.1f} MiB"
    print(f"{target}: {len(index.cells)} cells, {size}; left out: {', '.join(left_out) or 'nothing'}")
