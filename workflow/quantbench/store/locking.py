"""Writing down which commit and files each configured hub model is, for ``quantbench lock``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..config import LOCK_FILE, LockedModel, ModelEntry, lock_text, read_lock, shipped_catalogue
from ..contracts.files import write_text
from ..contracts.model_folder import Receipt
from ..errors import ModelError
from .places import receipt_path
from .retrieval import resolve


@dataclass(frozen=True)
class Pinned:
    """What was found for one model: its commit (None: nothing to pin, or not resolved), and that in words."""

    model: str
    commit: str | None
    said: str
    failed: bool = False


def lock_models(root: Path, models: Mapping[str, ModelEntry], models_folder: str) -> list[Pinned]:
    """Resolve models and write the lock file of ``root``; entries that still answer their configuration stay.

    A model that was retrieved already is locked to the commit it was retrieved at: its cells were made from that.
    Models that cannot be resolved do not keep the others from being written.
    """
    locked, pinned = read_lock(root if (root / LOCK_FILE).exists() else shipped_catalogue()), []
    for name, entry in models.items():
        if entry.hub_id is None or entry.has_random_weights:
            pinned.append(Pinned(name, None, "a local folder or a stand-in, nothing to lock"))
            continue
        try:
            locked[name], said = _lock(name, entry, locked.get(name), receipt_path(root, models_folder, name))
        except ModelError as error:
            pinned.append(Pinned(name, None, str(error), failed=True))
        else:
            pinned.append(Pinned(name, locked[name].commit, said))
    if locked or (root / LOCK_FILE).exists():
        write_text(root / LOCK_FILE, lock_text(locked))
    return pinned


def _lock(name: str, entry: ModelEntry, before: LockedModel | None, receipt: Path) -> tuple[LockedModel, str]:
    newest = resolve(name, entry)
    if before is not None and before.answers(entry):
        if newest.commit == before.commit:
            return before, f"{before.commit}, as before"
        return before, (
            f"{entry.hub_id} {entry.revision} has moved to {newest.commit}; the lock keeps {before.commit}. "
            f"To take the new one, take {name!r} out of {LOCK_FILE} and run quantbench lock again"
        )
    retrieved = Receipt.read(receipt) if receipt.exists() else None
    if retrieved is not None and retrieved.answers(entry) and retrieved.revision != newest.commit:
        said = f"{entry.revision} is {newest.commit} now; locked to {retrieved.revision}, as retrieved"
        return resolve(name, entry, retrieved.revision), said
    return newest, f"{entry.hub_id} {entry.revision} is {newest.commit}"
