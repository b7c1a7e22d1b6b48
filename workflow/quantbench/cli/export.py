"""Copy a quantized checkpoint to a folder that is ready to deploy: manifest, licence note, and a smoke test, run once.

Checkpoints are made by a run with `keep: both` or `keep: quantized` (docs/offline.md).
"""

from __future__ import annotations

import argparse

from ..config import layered, load
from ..errors import ConfigError
from ..store.places import checkpoint_folder
from . import options
from .argument_types import a_path

PARENTS = (options.ROOT,)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--model", required=True, metavar="NAME", help="a model of config/models")
    parser.add_argument("--precision", required=True, metavar="NAME", help="one of config/precisions, such as w4a16")
    parser.add_argument("--to", required=True, type=a_path, metavar="PATH", help="a new folder")
    parser.add_argument(
        "--models-folder",
        metavar="DIR",
        help="where checkpoints are kept (default: models_folder of config/config.yaml)",
    )


def run(arguments: argparse.Namespace) -> None:
    """Export the checkpoint and say what to do with it.

    Raises:
        ConfigError: unknown model or precision, or one that no checkpoint is made of.
        ModelError: no checkpoint, changed files, a target in use, or a smoke test that fails.
    """
    from ..store.exporting import export

    root = options.root_of(arguments)
    catalogue = load(root, layered(root), "config/config.yaml", (arguments.model, arguments.precision))
    models, precisions = catalogue.models, catalogue.precisions
    (model,) = options.chosen([arguments.model], models, "--model", [])
    (precision,) = options.chosen([arguments.precision], precisions, "--precision", [])
    kept_by = [
        name for name, entry in precisions.items() if entry.method == "bitsandbytes" and not entry.noise_floor_of
    ]
    if precision not in kept_by:
        raise ConfigError(
            f"--precision {precision!r} has 'method: {precisions[precision].method}', of which no checkpoint is made; give one of "
            f"{', '.join(kept_by)}"
        )
    kept = arguments.models_folder or catalogue.run.models_folder
    source = checkpoint_folder(root, kept, model, precision)
    manifest = export(source, models[model], precisions[precision], arguments.to)
    print(f"{arguments.to}: {len(manifest.files)} files, {manifest.bytes / 1024**3:.2f} GiB; its smoke test passed.")
    print(f"Licence: {manifest.licence}. Read {arguments.to / 'README.md'} before you deploy it.")
