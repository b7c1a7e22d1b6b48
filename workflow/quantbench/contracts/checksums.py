"""Proof that files are the ones that were meant: their hashes, and what was recorded held against what is there.

Here alone hashes are compared; who asks words the error. (The smoke test that goes with an exported checkpoint stands
alone and has a copy of its own.)
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..config import DataFile, RemoteFile
from ..errors import DataError
from ..reading.text_files import opened, read_bytes


def sha256_of(path: Path) -> str:
    """The file's SHA-256 in hexadecimal digits.

    Raises:
        DataError: no regular file, or not to be read.
    """
    with opened(path) as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def git_blob_of(path: Path) -> str:
    """The id git gives the file's content: SHA-1 of ``blob <size>``, a zero byte, and the content."""
    content = read_bytes(path)
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def file_hashes(folder: Path, hash_file: Callable[[Path], str] = sha256_of) -> dict[str, str]:
    """SHA-256 of each file below a folder, by name relative to it; hidden ones are left out."""
    hashes = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts):
            hashes[str(path.relative_to(folder))] = hash_file(path)
    return hashes


@dataclass(frozen=True, slots=True)
class Expected:
    """What is known of a file's content: bytes, SHA-256, the id git gives it; what is None is not compared."""

    size: int | None = None
    sha256: str | None = None
    git_blob: str | None = None

    @classmethod
    def of(cls, file: DataFile | RemoteFile) -> Expected:
        """What a dataset's entry or the lock file states of a file."""
        return cls(file.size if isinstance(file, RemoteFile) else None, file.sha256, file.git_blob)

    @property
    def is_proof(self) -> bool:
        """Whether a hash is stated."""
        return self.sha256 is not None or self.git_blob is not None

    def difference(self, found: Expected) -> str | None:
        """How ``found`` differs, by size and then by the strongest hash stated here; None where it does not."""
        if self.size is not None and found.size != self.size:
            return f"{found.size} bytes, expected {self.size}"
        pairs = {"SHA-256": (self.sha256, found.sha256), "git blob id": (self.git_blob, found.git_blob)}
        for kind, (stated, seen) in pairs.items():
            if stated is not None:
                return None if seen == stated else f"expected {kind} {stated}, found {seen} ({found.size} bytes)"
        return None


def difference(path: Path, expected: Expected, hash_file: Callable[[Path], str] = sha256_of) -> str | None:
    """How the file at ``path`` differs from what is expected; None where it does not. Hashes nothing needlessly."""
    if not path.is_file():
        return "no such file"
    size = path.stat().st_size
    if expected.size not in (None, size) or not expected.is_proof:
        return expected.difference(Expected(size))
    if expected.sha256 is not None:
        return expected.difference(Expected(size, sha256=hash_file(path)))
    return expected.difference(Expected(size, git_blob=git_blob_of(path)))


@dataclass(frozen=True, slots=True)
class Change:
    """One file of a folder that is not as it was recorded."""

    name: str
    kind: Literal["gone", "added", "changed"]


def changes(recorded: Mapping[str, str], found: Mapping[str, str]) -> list[Change]:
    """What differs between two sets of files (name -> hash), by name."""
    return [
        Change(name, "gone" if name not in found else "added" if name not in recorded else "changed")
        for name in sorted(recorded.keys() | found.keys())
        if recorded.get(name) != found.get(name)
    ]


def verify_file(path: Path, file: DataFile) -> None:
    """Hold a dataset's file against what its entry states.

    A file stated without a hash (a user's own) passes: its row count and format are checked by the reader.

    Raises:
        DataError: missing file, or other content; names file, expected and found value, and the next step.
    """
    wrong = difference(path, Expected.of(file))
    if wrong is not None and not path.is_file():
        raise DataError(f"{path}: {wrong}")
    if wrong is not None:
        raise DataError(
            f"{path}: not the pinned file: {wrong}; if it is a published file, delete it and retrieve it again; if it is your own, "
            f"correct what dataset.yaml says of it, or state it in {path.parent / 'files.yaml'}"
        )
