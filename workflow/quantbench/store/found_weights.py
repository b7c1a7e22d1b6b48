"""Which files a cell loads its model from, verified against what was recorded of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..config import Catalogue
from ..contracts.model_folder import CheckpointManifest, Receipt
from ..errors import ModelError
from .folder_checks import check_folder, verified_files
from .places import (
    check_receipt,
    checkpoint_folder,
    model_folder,
    read_manifest,
    receipt_path,
    recorded_hashes,
    uses_checkpoint,
)


@dataclass(frozen=True)
class Weights:
    """A checked model folder; of a stand-in with random weights, nothing stands there.

    ``checkpoint`` is the manifest where the weights are quantized already, else None.
    """

    folder: Path
    files: dict[str, str]
    revision: str | None
    checkpoint: CheckpointManifest | None
    random: bool = False

    def record(self) -> dict[str, object]:
        """What a cell's manifest says of its model: revision and file hashes, or that its weights were random."""
        if self.random:
            return {"weights": "random", "note": "outputs are meaningless", "resolved_revision": None, "files": {}}
        return {
            "weights": "published",
            "resolved_revision": self.revision,
            "files": self.files,
            "quantized_checkpoint": self.checkpoint is not None,
        }

    def check_dtype(self, dtype: str, device: str) -> None:
        """Refuse a checkpoint whose number format is not the one cells compute in on this device.

        Raises:
            ModelError: names both formats.
        """
        if self.checkpoint is not None and self.checkpoint.dtype != dtype:
            raise ModelError(
                f"{self.folder}: quantized on {self.checkpoint.made_on} in {self.checkpoint.dtype}, and cells on "
                f"{device} compute in {dtype}; delete the folder and run again where the cells run"
            )


def find_weights(catalogue: Catalogue, model: str, precision: str, notes: Path) -> Weights:
    """Find and verify the files of a model at a precision: its quantized checkpoint where the run keeps one.

    Args:
        catalogue: the checked configuration.
        model: its name.
        precision: its name.
        notes: folder that remembers which files were hashed.

    Raises:
        ModelError: incomplete folder, another architecture, or files other than recorded.
    """
    entry, run = catalogue.models[model], catalogue.run
    if not uses_checkpoint(run, entry, catalogue.precisions[precision]):
        return full_weights(catalogue, model, notes)
    folder = checkpoint_folder(catalogue.root, run.models_folder, model, precision)
    manifest = read_manifest(folder, catalogue.precisions[precision])
    check_folder(folder, model, entry)
    files = verified_files(folder, f"{model}-{precision}", manifest.files, notes)
    return Weights(folder, files, manifest.revision, manifest)


def full_weights(catalogue: Catalogue, model: str, notes: Path, force: bool = False) -> Weights:
    """Find and verify the files of a model as it was published.

    Raises:
        ModelError: as :func:`find_weights`.
    """
    entry, models = catalogue.models[model], catalogue.run.models_folder
    folder, receipt = model_folder(catalogue.root, models, model, entry), receipt_path(catalogue.root, models, model)
    if entry.has_random_weights:  # made where it runs
        return Weights(folder, {}, None, None, random=True)
    check_folder(folder, model, entry)
    revision = None
    if entry.folder is None and receipt.exists():
        check_receipt(model, catalogue.locked.get(model), receipt)
        revision = Receipt.read(receipt).revision
    recorded = recorded_hashes(catalogue.root, models, model, entry, folder)
    return Weights(folder, verified_files(folder, model, recorded, notes, force), revision, None)
