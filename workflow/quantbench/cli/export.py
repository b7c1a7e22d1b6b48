"""Copy a quantized checkpoint to a folder that is ready to deploy: manifest, licence note, and a smoke test, run once.

Checkpoints are made by a run with `keep: both` or `keep: quantized` (docs/offline.md).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ..config import ModelEntry, PrecisionEntry, read_entries
from ..config.settings import read_yaml
from ..errors import ConfigError, nearest
from ..store.places import checkpoint_folder
from .score import REPOSITORY


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--model", required=True, help="a model of config/models")
    parser.add_argument("--precision", required=True, help="a precision of config/precisions, such as w4a16")
    parser.add_argument("--to", required=True, type=Path, metavar="FOLDER", help="a new folder")
    parser.add_argument(
        "--models-folder", help="where checkpoints are kept (default: models_folder of config/config.yaml)"
    )
    parser.add_argument(
        "--root", type=Path, default=REPOSITORY, help="folder that holds config/ (default: this repository)"
    )


def run(arguments: argparse.Namespace) -> None:
    """Export the checkpoint and say what to do with it.

    Raises:
        ConfigError: unknown model or precision.
        ModelError: no checkpoint, changed files, a target in use, or a smoke test that fails.
    """
    from ..store.exporting import export

    root: Path = arguments.root
    models = read_entries(root / "config/models", ModelEntry)
    precisions = read_entries(root / "config/precisions", PrecisionEntry)
    if arguments.model not in models:
        raise ConfigError(f"unknown model {arguments.model!r}{nearest(arguments.model, models)}")
    if arguments.precision not in precisions:
        raise ConfigError(f"unknown precision {arguments.precision!r}{nearest(arguments.precision, precisions)}")
    kept = arguments.models_folder or str(read_yaml(root / "config/config.yaml")["models_folder"])
    source = checkpoint_folder(root, kept, arguments.model, arguments.precision)
    manifest = export(source, models[arguments.model], precisions[arguments.precision], arguments.to)
    print(f"{arguments.to}: {len(manifest.files)} files, {manifest.bytes / 1024**3:.2f} GiB; its smoke test passed.")
    print(f"Licence: {manifest.licence}. Read {arguments.to / 'README.md'} before you deploy it.")
