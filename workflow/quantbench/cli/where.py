"""Print the folder of the catalogue in use: its config/ holds the models, precisions, datasets and studies.

snakemake --snakefile "$(quantbench where)/workflow/Snakefile" --cores 4     the workflow, from an installed package
cp -r "$(quantbench where)"/{config,resources} .                             a catalogue of your own to change
"""

from __future__ import annotations

import argparse

from ..config import catalogue_root
from . import options

PARENTS = (options.ROOT,)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """All options are shared ones."""


def run(arguments: argparse.Namespace) -> None:
    """Print the path.

    Raises:
        ConfigError: there is no catalogue.
    """
    print(catalogue_root(arguments.root))
