"""Writing down which commit and files each configured hub model is, for ``quantbench lock``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..config import LOCK_FILE, Catalogue, LockedModel, ModelEntry, lock_text, read_lock
from ..contracts.files import read_json, write_text
from ..errors import ModelError
from . import hub
from .receipts import receipt_path


@dataclass(frozen=True)
class Pinned:
    """What was found for one model: its commit (None: nothing to pin, or not resolved), and that in words."""

    model: str
    commit: str | None
    said: str
    failed: bool = False


def lock_models(catalogue: Catalogue, names: Iterable[str]) -> list[Pinned]:
    """Resolve the named models and write the lock file; entries that still answer their configuration stay.

    A model that was retrieved already is locked to the commit it was retrieved at: its cells were made from that.
    Models that cannot be resolved do not keep the others from being written.
    """
    locked, pinned = read_lock(catalogue.root), []
    for name in names:
        entry = catalogue.models[name]
        if entry.hub_id is None or entry.has_random_weights:
            pinned.append(Pinned(name, None, "a local folder or a stand-in, nothing to lock"))
            continue
        receipt = receipt_path(catalogue.root, catalogue.run.models_folder, name)
        try:
            locked[name], said = _lock(name, entry, locked.get(name), receipt)
        except ModelError as error:
            pinned.append(Pinned(name, None, str(error), failed=True))
        else:
            pinned.append(Pinned(name, locked[name].commit, said))
    write_text(catalogue.root / LOCK_FILE, lock_text(locked))
    return pinned


def _lock(name: str, entry: ModelEntry, before: LockedModel | None, receipt: Path) -> tuple[LockedModel, str]:
    newest = hub.resolve(name, entry)
    if before is not None and before.answers(entry):
        if newest.commit == before.commit:
            return before, f"{before.commit}, as before"
        return before, (
            f"{entry.hub_id} {entry.revision} has moved to {newest.commit}; the lock keeps {before.commit}. "
            f"To take the new one, take {name!r} out of {LOCK_FILE} and run quantbench lock again"
        )
    retrieved = read_json(receipt) if receipt.exists() else {}
    same = (retrieved.get("hub_id"), retrieved.get("requested")) == (entry.hub_id, entry.revision)
    if same and retrieved["revision"] != newest.commit:
        said = f"{entry.revision} is {newest.commit} now; locked to {retrieved['revision']}, as retrieved"
        return hub.resolve(name, entry, retrieved["revision"]), said
    return newest, f"{entry.hub_id} {entry.revision} is {newest.commit}"
