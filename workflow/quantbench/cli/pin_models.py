"""Write down which commit and files each hub model's id and revision stand for: config/models.lock.yaml. Needs the network.

  quantbench lock                                    the models of the configured run
  quantbench lock --configfile mine.yaml             those of another run
  quantbench lock --model phi-4 --model qwen2.5-7b   just these

What is locked stays as it is until it is taken out of the file, or its entry names another revision.
"""

from __future__ import annotations

import argparse
import os

from ..config import LOCK_FILE
from ..errors import ConfigError, ModelError
from ..store.locking import lock_models
from ..study.grid import run_cells
from . import options
from .printing import write_records

PARENTS = (options.ROOT, options.CONFIGURATION, options.MODELS, options.FORMAT)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """All options are shared ones."""


def run(arguments: argparse.Namespace) -> None:
    """Write the lock file and print what each model was resolved to.

    Raises:
        ConfigError: unknown model, or a catalogue that is not to be written.
        ModelError: some models could not be resolved; the others are written.
    """
    catalogue = options.configured(arguments)
    used = dict.fromkeys(cell.model for cell in run_cells(catalogue))
    names = options.chosen(arguments.model, catalogue.models, "--model", list(used))
    if not os.access(catalogue.root / "config", os.W_OK):
        raise ConfigError(f"{catalogue.root / LOCK_FILE}: this catalogue may not be written; name your own with --root")
    pinned = lock_models(catalogue, names)
    if arguments.format == "text":
        for one in pinned:
            if not one.failed:
                print(f"{one.model}: {one.said}")
    else:
        rows = [(one.model, one.commit, one.said) for one in pinned]
        write_records(arguments.format, dict.fromkeys(("model", "commit", "said")), rows)
    failed = [one.said for one in pinned if one.failed]
    if failed:
        raise ModelError("\n".join(failed))
