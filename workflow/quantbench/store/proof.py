"""Proof that a file of a model is the published one: its size, and SHA-256 or the id git gives its content."""

from __future__ import annotations

from pathlib import Path

from ..config import RemoteFile
from ..datasets import git_blob_of, sha256_of


def difference(path: Path, facts: RemoteFile) -> str | None:
    """How a file differs from what the hub or the lock file states; None where it does not."""
    if not path.is_file():
        return "not there"
    if path.stat().st_size != facts.size:
        return f"{path.stat().st_size} bytes, expected {facts.size}"
    kind, expected = ("SHA-256", facts.sha256) if facts.sha256 else ("git blob id", facts.git_blob)
    found = sha256_of(path) if facts.sha256 else git_blob_of(path)
    return None if found == expected else f"{kind} {found}, expected {expected}"
