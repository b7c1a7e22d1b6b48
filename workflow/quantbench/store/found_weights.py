"""Which files a cell loads its model from, verified against what was recorded of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..contracts.manifest import PublishedModel, StandIn
from ..contracts.model_folder import CheckpointManifest, Receipt
from ..errors import ModelError
from ..study.spec import CellSpec, StoredModel
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
from .published_precision import check_published_precision


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

    def record(self) -> PublishedModel | StandIn:
        """What a cell's manifest says of its model."""
        if self.random:
            return StandIn(weights="random", note="outputs are meaningless")
        return PublishedModel(
            resolved_revision=self.revision, files=self.files, quantized_checkpoint=self.checkpoint is not None
        )

    def check_dtype(self, dtype: str, device: str) -> None:
        """Refuse a checkpoint that does not store what is not quantized in the format that cells use on this device.

        What a cell computes in on CPU may differ from it, by processor: every one of them loads the same checkpoint.

        Raises:
            ModelError: names both formats.
        """
        if self.checkpoint is not None and self.checkpoint.dtype != dtype:
            apart = (
                ", or give the run a models_folder of its own: on CPU the format is that of full precision, which protocol.full_dtype sets"
                if self.checkpoint.made_on == device
                else ""
            )
            raise ModelError(
                f"{self.folder}: quantized on {self.checkpoint.made_on} in {self.checkpoint.dtype}, and cells on "
                f"{device} load {dtype}; delete the folder and run again where the cells run{apart}"
            )


def find_weights(spec: CellSpec, notes: Path) -> Weights:
    """Find and verify the files of a cell's model: its quantized checkpoint where the run keeps one.

    Args:
        spec: model and precision.
        notes: folder that remembers which files were hashed.

    Raises:
        ModelError: incomplete folder, another architecture, or files other than recorded.
    """
    model, name, precision = spec.stored, spec.cell.model, spec.cell.precision
    if not uses_checkpoint(model.keep, model.entry, spec.precision):
        return full_weights(model, notes)
    folder = checkpoint_folder(model.root, model.models_folder, name, precision)
    manifest = read_manifest(folder, spec.precision)
    check_folder(folder, name, model.entry)
    files = verified_files(folder, f"{name}-{precision}", manifest.files, notes)
    return Weights(folder, files, manifest.revision, manifest)


def full_weights(model: StoredModel, notes: Path, force: bool = False) -> Weights:
    """Find and verify the files of a model as it was published.

    Raises:
        ModelError: as :func:`find_weights`.
    """
    name, entry, root, models = model.name, model.entry, model.root, model.models_folder
    folder, receipt = model_folder(root, models, name, entry), receipt_path(root, models, name)
    if entry.has_random_weights:  # made where it runs
        return Weights(folder, {}, None, None, random=True)
    check_folder(folder, name, entry)
    check_published_precision(folder, name, entry)
    revision = None
    if entry.folder is None and receipt.exists():
        check_receipt(name, entry, model.locked, receipt)
        revision = Receipt.read(receipt).revision
    recorded = recorded_hashes(root, models, name, entry, folder)
    return Weights(folder, verified_files(folder, name, recorded, notes, force), revision, None)
