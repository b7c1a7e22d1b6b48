"""Print the folder of the shipped catalogue: its config/ holds the models, precisions, datasets and studies.

snakemake --snakefile "$(quantbench where)/workflow/Snakefile" --cores 4     the workflow, from an installed package
cp -r "$(quantbench where)"/{config,resources} .                             a catalogue of your own to change
"""

from __future__ import annotations

import argparse

from ..config import shipped_catalogue

PARENTS: tuple[argparse.ArgumentParser, ...] = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """There are none."""


def run(arguments: argparse.Namespace) -> None:
    """Print the path.

    Raises:
        ConfigError: there is no catalogue.
    """
    print(shipped_catalogue())
