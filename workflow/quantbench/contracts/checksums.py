"""Proof that a file is the pinned one: SHA-256, or the id git gives its content."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ..config import DataFile
from ..errors import DataError


def sha256_of(path: Path) -> str:
    """The file's SHA-256 in hexadecimal digits."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def git_blob_of(path: Path) -> str:
    """The id git gives the file's content: SHA-1 of ``blob <size>``, a zero byte, and the content."""
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def describe_mismatch(path: Path, file: DataFile) -> str | None:
    """Say how the content at ``path`` differs from the pinned one; None where it is the same or nothing is pinned."""
    if file.sha256 is not None:
        kind, expected, found = "SHA-256", file.sha256, sha256_of(path)
    elif file.git_blob is not None:
        kind, expected, found = "git blob id", file.git_blob, git_blob_of(path)
    else:
        return None
    if found == expected:
        return None
    return f"not the pinned file: expected {kind} {expected}, found {found} ({path.stat().st_size} bytes)"


def verify_file(path: Path, file: DataFile) -> None:
    """Hold a file against its SHA-256, or against its git blob id where no SHA-256 is stated.

    A file stated without either (a user's own) passes: its row count and format are checked by the reader.

    Raises:
        DataError: missing file, or other content; names file, expected and found value, and the next step.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    mismatch = describe_mismatch(path, file)
    if mismatch is not None:
        raise DataError(
            f"{path}: {mismatch}; delete it and retrieve it again, "
            f"or state a file of your own in {path.parent / 'files.yaml'}"
        )
