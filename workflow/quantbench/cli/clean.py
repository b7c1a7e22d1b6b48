"""List what a run's models, quantized checkpoints or datasets take on disk; with --yes, delete them.

  quantbench clean models                            lists, deletes nothing
  quantbench clean models checkpoints --yes          frees both
  quantbench clean datasets --configfile mine.yaml   what another run downloaded

Only what was retrieved or made is listed: local model folders and local data are yours.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ..config import Catalogue, data_folder
from ..datasets.preparation import DOWNLOADS
from ..store.cleaning import GIB, free, retrieved_models, taken
from ..store.places import checkpoint_folder, model_folder
from ..study.grid import run_cells
from . import options
from .printing import write_records

PARENTS = (options.ROOT, options.CONFIGURATION, options.FORMAT)
KINDS = ("models", "checkpoints", "datasets")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("kinds", nargs="+", choices=KINDS, metavar="KIND", help="models, checkpoints, datasets")
    parser.add_argument("--yes", action="store_true", help="delete what is listed")


def run(arguments: argparse.Namespace) -> None:
    """Print what there is with sizes, and delete it where --yes is given."""
    catalogue = options.configured(arguments)
    kinds = list(dict.fromkeys(arguments.kinds))
    found = [(kind, place) for kind in kinds for place in taken(_not_ones_own(catalogue, _paths(catalogue, kind)))]
    total = f"{sum(place.bytes for _, place in found) / GIB:.3f} GiB in {len(found)} places"
    if arguments.format == "text":
        for _, place in found:
            print(f"  {place.bytes / GIB:9.3f} GiB  {options.shown(place.path)}")
    else:
        rows = [(kind, options.shown(place.path), place.bytes, bool(arguments.yes)) for kind, place in found]
        write_records(arguments.format, dict.fromkeys(("kind", "path", "bytes", "deleted")), rows)
    if arguments.yes:
        free(place for _, place in found)
    if arguments.format == "text":
        asked = " ".join(kinds)
        if not found:
            print(f"clean {asked}: nothing to free")
        elif arguments.yes:
            print(f"clean {asked}: freed {total}")
        else:
            print(f"clean {asked}: would free {total}. Nothing was deleted; --yes frees it")


def _paths(catalogue: Catalogue, kind: str) -> list[Path]:
    """The places of one kind that belong to the run's cells, whether they are there or not."""
    cells, kept = run_cells(catalogue), catalogue.run.models_folder
    if kind == "datasets":
        if data_folder(catalogue.root, catalogue.run) is not None:  # such a run downloads none
            return []
        return [DOWNLOADS / name for name in dict.fromkeys(cell.dataset for cell in cells)]
    models = {cell.model: catalogue.models[cell.model] for cell in cells}
    if kind == "checkpoints":
        return [checkpoint_folder(catalogue.root, kept, name, "").parent / name for name in models]
    hub = [name for name, entry in models.items() if entry.hub_id and not entry.has_random_weights]
    return retrieved_models(catalogue.root, kept, hub)


def _not_ones_own(catalogue: Catalogue, paths: list[Path]) -> list[Path]:
    """The places in which no local model's folder lies, whatever its name."""
    kept = catalogue.run.models_folder
    own = [
        model_folder(catalogue.root, kept, name, entry).resolve()
        for name, entry in catalogue.models.items()
        if entry.folder is not None
    ]
    return [path for path in paths if not any(folder.is_relative_to(path.resolve()) for folder in own)]
