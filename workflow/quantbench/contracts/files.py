"""Reading and writing the files between the stages: text and JSON, atomically, with one style of error.

A file under its final name is complete: everything is written beside it, flushed to disk, and renamed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from ..reading.json_text import read_object
from ..reading.os_errors import unwritable
from ..recovery.partial_files import partial_file


def write_text(path: Path, text: str, private: bool = False) -> None:
    """Write ``text`` as UTF-8 under ``path`` atomically; see :func:`write_stream`."""
    write_bytes(path, text.encode("utf-8"), private)


def write_bytes(path: Path, content: bytes, private: bool = False) -> None:
    """Write ``content`` under ``path`` atomically; see :func:`write_stream`."""

    def write(handle: BinaryIO) -> None:
        handle.write(content)

    write_stream(path, write, private)


def write_stream(path: Path, write: Callable[[BinaryIO], None], private: bool = False) -> None:
    """Let ``write`` fill ``path`` atomically: the name appears only once every byte is on disk. Removes what killed writers left of it.

    A file that is ``private``, or in a folder that only its owner may enter, is its owner's alone (mode 0600).

    Raises:
        DataError: the disk is full or refuses; what stood under the name before still stands.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial_file(path, owners_opener(path.parent, private)) as handle:
            write(handle)
    except OSError as error:
        raise unwritable(path, error) from error


def owners_opener(folder: Path, private: bool = False) -> Callable[[str, int], int] | None:
    """For ``open``: makes files that only their owner may read, where ``private`` or in a folder that only its owner may enter."""
    return _for_owner if private or not folder.stat().st_mode & 0o077 else None


def _for_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def json_text(value: Mapping[str, Any]) -> str:
    """One JSON object as text, indented for people to read."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write one JSON object, atomically."""
    write_text(path, json_text(value))


def read_json(path: Path, remedy: str = "delete it to have it made again") -> dict[str, Any]:
    """Read one JSON object.

    Args:
        path: the file.
        remedy: what to do about one that cannot be read.

    Raises:
        DataError: no such file, not JSON, or not an object; names the file.
    """
    return read_object(path, remedy=remedy)
