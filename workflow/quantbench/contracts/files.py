"""Reading and writing the files between the stages: text and JSON, atomically, with one style of error.

A file under its final name is complete: everything is written beside it, flushed to disk, and renamed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from ..reading.json_text import read_object
from ..reading.os_errors import unwritable
from ..recovery.partial_files import partial_file


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8 under ``path`` atomically."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write ``content`` under ``path`` atomically; see :func:`write_stream`."""

    def write(handle: BinaryIO) -> None:
        handle.write(content)

    write_stream(path, write)


def write_stream(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Let ``write`` fill ``path`` atomically: the name appears only once every byte is on disk. Removes what killed writers left of it.

    Raises:
        DataError: the disk is full or refuses; what stood under the name before still stands.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial_file(path) as handle:
            write(handle)
    except OSError as error:
        raise unwritable(path, error) from error


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
