"""Where a model's files, receipt, marker and quantized checkpoints stand, and what receipts and manifests say. No torch."""

from __future__ import annotations

import re
from pathlib import Path

from ..config import LOCK_FILE, LockedModel, ModelEntry, PrecisionEntry, located
from ..contracts.model_folder import CheckpointManifest, CheckpointPrecision, LocalManifest, Receipt
from ..errors import ModelError

MANIFEST = "manifest.json"
_COMMIT = re.compile(r"[0-9a-f]{40}")


def model_folder(root: Path, models_folder: str, name: str, entry: ModelEntry) -> Path:
    """Where a model's files stand: its own local folder, or its place under the models folder."""
    return located(root, entry.folder) if entry.folder else root / models_folder / name


def receipt_path(root: Path, models_folder: str, name: str) -> Path:
    """Where the receipt of a retrieved model stands."""
    return root / models_folder / f"{name}.json"


def released_marker(folder: Path) -> Path:
    """What stands beside a model folder whose weights were freed once its quantized checkpoints existed."""
    return folder.with_name(f"{folder.name}.released.json")


def checkpoint_folder(root: Path, models_folder: str, model: str, precision: str) -> Path:
    """Where the quantized checkpoint of a model at a precision stands."""
    return root / models_folder / "quantized" / model / precision


def uses_checkpoint(keep: str, model: ModelEntry, precision: PrecisionEntry) -> bool:
    """Whether cells of a model at a precision load a quantized checkpoint, rather than quantize while they load."""
    return keep != "full" and precision.method == "bitsandbytes" and not model.has_random_weights


def read_manifest(folder: Path, precision: PrecisionEntry) -> CheckpointManifest:
    """Read the manifest of a checkpoint made at a precision.

    Raises:
        ModelError: no checkpoint, or one made with other settings than the precision has now.
        DataError: unreadable manifest.
    """
    path = folder / MANIFEST
    if not path.exists():
        raise ModelError(
            f"{folder}: no quantized checkpoint; run snakemake with 'keep: both', which makes it (rule quantize_model)"
        )
    manifest, now = CheckpointManifest.read(path), CheckpointPrecision.of(precision)
    if manifest.precision != now:
        raise ModelError(
            f"{path}: made with {manifest.precision.as_text}, precision {precision.title!r} is {now.as_text} now; "
            "delete the folder and run again"
        )
    return manifest


def is_commit(revision: str | None) -> bool:
    """Whether a revision names one state of a repository for good, as no branch or tag does."""
    return revision is not None and _COMMIT.fullmatch(revision) is not None


def check_receipt(name: str, entry: ModelEntry, locked: LockedModel | None, receipt: Path) -> None:
    """Refuse a retrieved model that is not the one its entry pins, or the locked one.

    Raises:
        ModelError: names both commits and the two ways out.
        DataError: unreadable receipt.
    """
    wanted, source = (locked.commit, LOCK_FILE) if locked is not None else (None, "")
    if is_commit(entry.revision):
        wanted, source = entry.revision, f"config/models/{name}.yaml"
    if wanted is None or entry.has_random_weights or not receipt.exists():
        return
    found = Receipt.read(receipt).revision
    if found != wanted:
        go_on = (
            "take the entry out of the lock file and run quantbench lock to pin what is there"
            if source == LOCK_FILE
            else f"write revision: {found} in it to keep what is there"
        )
        raise ModelError(
            f"{receipt}: model {name!r} was retrieved at commit {found}, {source} names {wanted}; delete the receipt to fetch "
            f"that commit (its cells then run again), or {go_on}"
        )


def recorded_hashes(
    root: Path, models_folder: str, name: str, entry: ModelEntry, folder: Path
) -> dict[str, str] | None:
    """What a model's files are recorded to be: by its receipt, or by the manifest that came with a local folder.

    Raises:
        DataError: unreadable receipt or manifest.
    """
    if entry.folder is None:
        receipt = receipt_path(root, models_folder, name)
        return Receipt.read(receipt).files if receipt.exists() else None
    manifest = folder / MANIFEST
    return LocalManifest.read(manifest).files if manifest.exists() else None
