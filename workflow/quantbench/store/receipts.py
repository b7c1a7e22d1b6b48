"""What a retrieval leaves beside a model folder: the receipt, with the commit and the SHA-256 of each file."""

from __future__ import annotations

from pathlib import Path

from ..config import LOCK_FILE, LockedModel
from ..contracts.files import read_json
from ..errors import ModelError


def receipt_path(root: Path, models_folder: str, name: str) -> Path:
    """Where the receipt of a retrieved model stands."""
    return root / models_folder / f"{name}.json"


def released_marker(folder: Path) -> Path:
    """What stands beside a model folder whose weights were freed once its quantized checkpoints existed."""
    return folder.with_name(f"{folder.name}.released.json")


def check_receipt(name: str, locked: LockedModel | None, receipt: Path) -> None:
    """Refuse a retrieved model that is not the locked one.

    Raises:
        ModelError: names both commits and the two ways out.
    """
    if locked is None or not receipt.exists():
        return
    found = read_json(receipt)["revision"]
    if found != locked.commit:
        raise ModelError(
            f"{receipt}: model {name!r} was retrieved at commit {found}, {LOCK_FILE} names {locked.commit}; delete "
            "the receipt to fetch that commit (its cells then run again), or take the entry out of the lock file and "
            "run quantbench lock to pin what is there"
        )
