"""Folders and files that only their owner may enter and read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..config import DatasetEntry
from .withholding import withheld

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


def close_if_private(choice: str, dataset: DatasetEntry, folders: Iterable[Path], log: Path | None) -> None:
    """Let nobody but their owner read what a job writes of a private dataset: into these folders, and its log.

    Args:
        choice: the run's ``data.texts_in_bundles``.
        dataset: the dataset's entry.
        folders: where the job writes.
        log: of the job, which may quote a line that is wrong; None: it has none.
    """
    if withheld(choice, {"": dataset}).names:
        close_to_others(folders, [log] if log else [])
