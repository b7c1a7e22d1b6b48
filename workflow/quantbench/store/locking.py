"""``snakemake lock``: write down which commit and files each configured hub model is."""

from __future__ import annotations

from ..config import LOCK_FILE, Catalogue, LockedModel, lock_text, read_lock
from ..contracts.files import read_json, write_text
from ..errors import ModelError
from . import hub
from .receipts import receipt_path


def lock_models(catalogue: Catalogue, names: list[str]) -> None:
    """Resolve the named models and write the lock file; entries that still answer their configuration stay.

    A model that was retrieved already is locked to the commit it was retrieved at: its cells were made from that.
    Models that cannot be resolved do not keep the others from being written.

    Raises:
        ModelError: some models could not be resolved; each with its reason.
    """
    locked, problems = read_lock(catalogue.root), []
    for name in names:
        if catalogue.models[name].hub_id is None:
            print(f"{name}: a local folder or a stand-in, nothing to lock")
            continue
        try:
            locked[name] = _lock(catalogue, name, locked.get(name))
        except ModelError as error:
            problems.append(str(error))
    write_text(catalogue.root / LOCK_FILE, lock_text(locked))
    if problems:
        raise ModelError("\n".join(problems))


def _lock(catalogue: Catalogue, name: str, before: LockedModel | None) -> LockedModel:
    entry = catalogue.models[name]
    newest = hub.resolve(name, entry)
    if before is not None and before.answers(entry):
        if newest.commit != before.commit:
            print(
                f"{name}: {entry.hub_id} {entry.revision} has moved to {newest.commit}; the lock keeps {before.commit}. "
                f"To take the new one, take {name!r} out of {LOCK_FILE} and run snakemake lock again"
            )
        else:
            print(f"{name}: {before.commit}, as before")
        return before
    receipt = receipt_path(catalogue.root, catalogue.run.models_folder, name)
    retrieved = read_json(receipt) if receipt.exists() else {}
    same = (retrieved.get("hub_id"), retrieved.get("requested")) == (entry.hub_id, entry.revision)
    if same and retrieved["revision"] != newest.commit:
        print(f"{name}: {entry.revision} is {newest.commit} now; locked to {retrieved['revision']}, as retrieved")
        return hub.resolve(name, entry, retrieved["revision"])
    print(f"{name}: {entry.hub_id} {entry.revision} is {newest.commit}")
    return newest
