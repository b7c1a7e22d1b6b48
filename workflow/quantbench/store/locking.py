"""The lock file: which commit and files each configured hub model is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..config import LOCK_FILE, LockedModel, ModelEntry, lock_text, read_lock
from ..contracts.files import write_text
from ..contracts.model_folder import Receipt
from ..errors import ModelError
from .places import receipt_path
from .retrieval import resolve


def lock_models(root: Path, models: Mapping[str, ModelEntry], models_folder: str) -> None:
    """Resolve models and write the lock file of ``root``; entries that still answer their configuration stay.

    A model that was retrieved already is locked to the commit it was retrieved at: its cells were made from that.
    Models that cannot be resolved do not keep the others from being written.

    Raises:
        ModelError: some models could not be resolved; each with its reason.
    """
    locked, problems = read_lock(root), []
    for name, entry in models.items():
        if entry.hub_id is None:
            print(f"{name}: a local folder or a stand-in, nothing to lock")
            continue
        try:
            locked[name] = _lock(name, entry, locked.get(name), receipt_path(root, models_folder, name))
        except ModelError as error:
            problems.append(str(error))
    write_text(root / LOCK_FILE, lock_text(locked))
    if problems:
        raise ModelError("\n".join(problems))


def _lock(name: str, entry: ModelEntry, before: LockedModel | None, receipt: Path) -> LockedModel:
    newest = resolve(name, entry)
    if before is not None and before.answers(entry):
        if newest.commit != before.commit:
            print(
                f"{name}: {entry.hub_id} {entry.revision} has moved to {newest.commit}; the lock keeps {before.commit}. "
                f"To take the new one, take {name!r} out of {LOCK_FILE} and lock again"
            )
        else:
            print(f"{name}: {before.commit}, as before")
        return before
    retrieved = Receipt.read(receipt) if receipt.exists() else None
    if (
        retrieved
        and (retrieved.hub_id, retrieved.requested) == (entry.hub_id, entry.revision)
        and retrieved.revision != newest.commit
    ):
        print(f"{name}: {entry.revision} is {newest.commit} now; locked to {retrieved.revision}, as retrieved")
        return resolve(name, entry, retrieved.revision)
    print(f"{name}: {entry.hub_id} {entry.revision} is {newest.commit}")
    return newest
