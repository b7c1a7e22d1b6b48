"""Retrieving a model: resolved to a commit, disk checked, downloaded, proved, converted, and a receipt left."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from ..config import LockedModel, ModelEntry, RemoteFile
from ..contracts.files import write_json
from ..datasets import sha256_of
from ..errors import ModelError
from . import hub
from .conversion import convert_pickled, converted
from .folder import check_folder, file_hashes
from .proof import difference
from .receipts import released_marker
from .selection import PICKLED
from .sharing import alone, share
from .transfer import GIB, part_of


def retrieve_model(name: str, entry: ModelEntry, locked: LockedModel | None, folder: Path, receipt: Path) -> None:
    """Fetch a model into ``folder`` and write a receipt with the commit and every file's SHA-256.

    Files that are there and right are not fetched again. With ``locked`` (the model's entry in the lock file, if it
    answers the configuration) exactly that commit and those hashes are accepted.

    Raises:
        ModelError: no access, no connection, no disk, or content other than the hub or the lock file states.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with alone(folder.parent, name):
        if locked is None or not locked.answers(entry):
            locked = hub.resolve(name, entry)
            print(f"{name}: {entry.hub_id} {entry.revision} is commit {locked.commit}; `quantbench lock` pins it")
        folder.mkdir(exist_ok=True)
        share(folder)
        already = converted(folder, locked.files)
        missing = {
            file: facts
            for file, facts in locked.files.items()
            if file not in already and difference(folder / file, facts)
        }
        if missing:
            _check_disk(name, missing, folder)
            for file in missing:
                (folder / file).unlink(missing_ok=True)
            hub.fetch(name, entry, locked.commit, missing, folder)
        convert_pickled(folder, name, locked.files)
        _remove_others(folder, name, {*locked.files, *converted(folder, locked.files).values()})
        check_folder(folder, name, entry)
        released_marker(folder).unlink(missing_ok=True)
        source = {"hub_id": entry.hub_id, "requested": entry.revision, "revision": locked.commit}
        write_json(receipt, {"model": name, **source, "files": _hashes(folder, locked.files)})
        share(folder)
        share(receipt)


def _remove_others(folder: Path, name: str, wanted: set[str]) -> None:
    """Remove what an earlier commit left: one file of weights beside a newer model's parts would be loaded instead."""
    for path in folder.iterdir():
        stale = path.name not in wanted and not path.name.startswith(".")
        if path.is_file() and (stale or path.name.endswith(".part")):
            print(f"{name}: removing {path.name}, which is no part of this commit")
            path.unlink()


def _hashes(folder: Path, published: Mapping[str, RemoteFile]) -> dict[str, str]:
    """SHA-256 of each file; of those proved a moment ago, as published, since reading 140 GB again proves nothing."""

    def hash_file(path: Path) -> str:
        facts = published.get(path.name)
        return facts.sha256 if facts is not None and facts.sha256 else sha256_of(path)

    return file_hashes(folder, hash_file)


def _check_disk(name: str, missing: Mapping[str, RemoteFile], folder: Path) -> None:
    """Say what the download takes, and refuse it where the disk is too small."""
    arrived = sum(part_of(folder / file).stat().st_size for file in missing if part_of(folder / file).exists())
    size = sum(facts.size for facts in missing.values()) - arrived
    # Conversion writes one file beside another before it removes that one.
    beside = max((facts.size for file, facts in missing.items() if PICKLED.fullmatch(file)), default=0)
    free = shutil.disk_usage(folder).free
    print(f"{name}: {len(missing)} files, {size / GIB:.2f} GiB to download into {folder}; {free / GIB:.1f} GiB free")
    if size + beside > free:
        raise ModelError(
            f"{folder}: model {name!r} needs {(size + beside) / GIB:.2f} GiB and {free / GIB:.2f} GiB are free; "
            "free some (`quantbench clean models` lists what retrieved models take), or set models_folder to a larger disk"
        )
