"""Retrieving a model: resolved to a commit and the files it needs, disk checked, downloaded, proved, converted.

A receipt is left. What is needed is configuration, tokenizer, licence, and weights in one format.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path

from ..config import LockedModel, ModelEntry, RemoteFile
from ..contracts.checksums import Expected, difference, file_hashes, sha256_of
from ..contracts.model_folder import Receipt
from ..errors import ModelError
from . import hub
from .before_run import check_chat_template
from .conversion import PICKLED, PICKLED_INDEX, SAFETENSORS_INDEX, convert_pickled, converted
from .folder_checks import check_configuration, check_folder
from .places import released_marker
from .published_precision import check_published_precision
from .sharing import alone, share
from .transfer import GIB, part_of

_SAFETENSORS = re.compile(r"model(-\d+-of-\d+)?\.safetensors")
# Licences travel with the weights wherever these go. Code of the repository (*.py) is never taken.
_BESIDE = (
    "config.json",
    "generation_config.json",
    "tokenizer*.json",
    "tokenizer.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "chat_template.*",
    "LICEN[CS]E*",
    "NOTICE*",
    "USE_POLICY*",
)


def resolve(name: str, entry: ModelEntry, commit: str | None = None) -> LockedModel:
    """Ask the hub which commit the entry's revision is (or take ``commit``) and which files a model needs from it.

    Raises:
        ModelError: unknown or renamed model, unknown revision, no access, no connection, no weights we can load.
    """
    commit, published = hub.published_files(name, entry, commit)
    files = needed_files(published, name, str(entry.hub_id))
    return LockedModel(hub_id=str(entry.hub_id), revision=str(entry.revision), commit=commit, files=files)


def needed_files(published: Mapping[str, RemoteFile], name: str, hub_id: str) -> dict[str, RemoteFile]:
    """Choose from a repository's files: safetensors where it has them, else pickled weights; never both.

    Only files at the top count: sub-folders hold other formats of the same weights.

    Raises:
        ModelError: no weights in either format.
    """
    for weights, index in ((_SAFETENSORS, SAFETENSORS_INDEX), (PICKLED, PICKLED_INDEX)):
        if any(weights.fullmatch(file) for file in published):
            return {
                file: facts
                for file, facts in sorted(published.items())
                if weights.fullmatch(file) or file == index or any(fnmatch(file, pattern) for pattern in _BESIDE)
                if "/" not in file
            }
    shown = ", ".join(sorted(published)) or "no files"
    raise ModelError(
        f"model {name!r}: {hub_id!r} publishes neither model.safetensors nor pytorch_model.bin ({shown}); "
        "other formats (GGUF, adapters) are not loadable here: choose a repository with full weights"
    )


def _are_weights(file: str) -> bool:
    return bool(_SAFETENSORS.fullmatch(file) or PICKLED.fullmatch(file))


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
            locked = resolve(name, entry)
            print(f"{name}: {entry.hub_id} {entry.revision} is commit {locked.commit}; `quantbench lock` pins it")
        folder.mkdir(exist_ok=True)
        share(folder)
        already = converted(folder, locked.files)
        missing = {
            file: facts
            for file, facts in locked.files.items()
            if file not in already and difference(folder / file, Expected.of(facts))
        }
        if missing:
            _check_disk(name, missing, folder)
            for file in missing:
                (folder / file).unlink(missing_ok=True)
            weights = {file: facts for file, facts in missing.items() if _are_weights(file)}
            beside = {file: facts for file, facts in missing.items() if file not in weights}
            hub.fetch(name, entry, locked.commit, beside, folder, quiet=bool(weights))
            # Before 140 GB arrive that no cell could use.
            check_configuration(folder, name, entry)
            check_chat_template(folder, name, entry)
            hub.fetch(name, entry, locked.commit, weights, folder)
        convert_pickled(folder, name, locked.files)
        _remove_others(folder, name, {*locked.files, *converted(folder, locked.files).values()})
        check_folder(folder, name, entry)
        check_published_precision(folder, name, entry)
        released_marker(folder).unlink(missing_ok=True)
        Receipt(
            model=name,
            hub_id=str(entry.hub_id),
            requested=str(entry.revision),
            revision=locked.commit,
            files=_hashes(folder, locked.files),
        ).write(receipt)
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
