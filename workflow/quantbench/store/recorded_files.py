"""Model files against the hashes recorded when they were retrieved or made; each file is read again only when it changed.

What was hashed is noted with size and time of change, so that the hundreds of cells of a run read 140 GB once.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from ..config import ModelEntry
from ..contracts.files import read_json, write_json
from ..datasets import sha256_of
from ..errors import ModelError
from .folder import file_hashes
from .receipts import receipt_path

MANIFEST = "manifest.json"


def verified_files(
    folder: Path, name: str, recorded: dict[str, str] | None, notes: Path, force: bool = False
) -> dict[str, str]:
    """Return the SHA-256 of each file of a model folder, after holding them against the recorded ones.

    Args:
        folder: the model's files.
        name: the model's name, for messages.
        recorded: file name -> SHA-256; None where nothing was ever recorded (a local folder of the user's own).
        notes: folder that remembers what was hashed; another process that hashes the same folder is waited for.
        force: read every file again.

    Raises:
        ModelError: a file that changed, is gone or was added, each named.
    """
    from filelock import FileLock  # not part of the analysis environment, which reads manifests by this module

    notes.mkdir(parents=True, exist_ok=True)
    note = notes / f"{name}-{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]}.json"
    with FileLock(note.with_suffix(".lock")):
        known = {} if force or not note.exists() else read_json(note)
        fresh: dict[str, Any] = {}

        def hash_file(path: Path) -> str:
            state = path.stat()
            key = f"{path.relative_to(folder)}, {state.st_size} bytes, changed {state.st_mtime_ns}"
            fresh[key] = known.get(key) or sha256_of(path)
            return str(fresh[key])

        found = {file: digest for file, digest in file_hashes(folder, hash_file).items() if file != MANIFEST}
        if fresh != known:
            write_json(note, fresh)
    if recorded is not None:
        _compare(folder, name, recorded, found)
    return found


def recorded_hashes(
    root: Path, models_folder: str, name: str, entry: ModelEntry, folder: Path
) -> dict[str, str] | None:
    """What a model's files are recorded to be: by its receipt, or by the manifest that came with a local folder."""
    path = receipt_path(root, models_folder, name) if entry.folder is None else folder / MANIFEST
    if not path.exists():
        return None
    files = read_json(path).get("files")
    return files if isinstance(files, dict) else None


def _compare(folder: Path, name: str, recorded: dict[str, str], found: dict[str, str]) -> None:
    wrong = [
        f"{folder / file} "
        + ("is gone" if file not in found else "was added" if file not in recorded else "is not the recorded file")
        for file in sorted(recorded.keys() | found.keys())
        if recorded.get(file) != found.get(file)
    ]
    if wrong:
        raise ModelError(
            f"model {name!r}: {'; '.join(wrong)}. Nothing was computed with it. Delete {folder.name}.json beside the "
            "folder (or, of a quantized checkpoint, the folder) and run again to have it made anew"
        )
