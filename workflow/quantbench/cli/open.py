"""Check a bundle and unpack it, so that its tables, figures and report can be made again.

  quantbench open resources/demo/demo.tar.zst
  snakemake --cores 2 --configfile results/bundles/demo/run.yaml          (`make figures BUNDLE=<file>` does both)

Everything is checked first: sizes, names, cells, format version, checksums. A bundle that fails is refused and nothing is left.
What may not be passed on is left out of bundles; with --data, texts are put back from the published files.
Prints the configuration file to give to snakemake.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..bundle import open_bundle, restore_texts, unscored
from ..config import load
from ..config.settings import read_yaml
from . import options
from .argument_types import a_path

PARENTS = (options.ROOT,)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("bundle", type=a_path, metavar="FILE", help="a file made by `quantbench bundle`")
    parser.add_argument(
        "--into", type=a_path, default=Path("results/bundles"), metavar="DIR", help="results folder (%(default)s)"
    )
    parser.add_argument("--data", type=a_path, metavar="DIR", help="published files, one sub-folder a dataset")


def run(arguments: argparse.Namespace) -> None:
    """Open the bundle; the path of its configuration goes to standard output, the rest to standard error.

    Raises:
        DataError: the bundle or the data are not what they must be.
    """
    root = options.root_of(arguments)
    settings = open_bundle(arguments.bundle, arguments.into, root)
    folder = settings.parent
    if arguments.data:
        with_data = read_yaml(settings) | {"data": {"folder": str(arguments.data.resolve())}}
        catalogue = load(root, with_data, str(settings))
        restored = restore_texts(folder, arguments.data, catalogue.datasets, catalogue.run.limit, catalogue.run.seed)
        print(f"texts put back: {', '.join(restored) or 'none'}", file=sys.stderr)
    kept = sorted(unscored(folder))
    if kept:
        print(f"not scored again, since texts or outputs are left out: {', '.join(kept)}", file=sys.stderr)
    print(settings)
