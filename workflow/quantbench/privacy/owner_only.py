"""Folders and files that only their owner may enter and read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

FOLDER, FILE = 0o700, 0o600


def close_to_others(folders: Iterable[Path], files: Iterable[Path] = ()) -> None:
    """Make folders that only their owner may enter; what is written into them afterwards gets mode 0600 too.

    Args:
        folders: made where they are not there yet.
        files: closed as well, those that are there.
    """
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(FOLDER)
        for path in folder.iterdir():
            if path.is_file() and not path.is_symlink():
                path.chmod(FILE)
    for path in files:
        if path.is_file():
            path.chmod(FILE)
