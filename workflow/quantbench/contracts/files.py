"""Reading and writing the files between the stages: text and JSON, atomically, with one style of error.

A file under its final name is complete: everything is written beside it, flushed to disk, and renamed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import DataError


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8 under ``path`` atomically."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write ``content`` under ``path`` atomically; see :func:`write_stream`."""

    def write(handle: BinaryIO) -> None:
        handle.write(content)

    write_stream(path, write)


def write_stream(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Let ``write`` fill ``path`` atomically: the name appears only once every byte is on disk.

    Raises:
        DataError: the disk is full or refuses; what stood under the name before still stands.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as handle:
            write(handle)
            handle.flush()
            os.fsync(handle.fileno())
        beside.replace(path)
    except OSError as error:
        raise DataError(f"{path}: not written ({error.strerror}); make room and run again") from error
    finally:
        beside.unlink(missing_ok=True)


def json_text(value: Mapping[str, Any]) -> str:
    """One JSON object as text, indented for people to read."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write one JSON object, atomically."""
    write_text(path, json_text(value))


def unreadable(path: Path, error: OSError) -> DataError:
    """What is said where a file is there and cannot be read: a folder of its name, or no permission."""
    return DataError(f"{path}: not readable ({error.strerror}); a file has to stand there that you may read")


def read_json(path: Path, remedy: str = "delete it to have it made again") -> dict[str, Any]:
    """Read one JSON object.

    Args:
        path: the file.
        remedy: what to do about one that cannot be read.

    Raises:
        DataError: no such file, not JSON, or not an object; names the file.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except OSError as error:
        raise unreadable(path, error) from None
    except (ValueError, RecursionError) as error:  # also a number of thousands of digits, or brackets as deep
        raise DataError(f"{path}: not readable as JSON ({error}); {remedy}") from None
    if not isinstance(value, dict):
        raise DataError(f"{path}: expected a JSON object, found {type(value).__name__}; {remedy}")
    return value


def iterate_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (1-based line number, object) of a JSON-lines file.

    Raises:
        DataError: missing file, or a line that is not a JSON object, named by its number.
    """
    try:
        handle = path.open("rb")
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except OSError as error:
        raise unreadable(path, error) from None
    with handle:
        for number, raw in enumerate(handle, start=1):
            yield number, read_object(raw, f"{path}, line {number}")


def read_object(raw: bytes, where: str) -> dict[str, Any]:
    """Read one line of a JSON-lines file, which errors name as ``where``.

    Raises:
        DataError: not UTF-8, not JSON, or not an object.
    """
    try:
        line = raw.decode("utf-8")
        value = json.loads(line)
    except UnicodeDecodeError as error:
        raise DataError(f"{where}: not UTF-8 ({error.reason}): {raw[:80]!r}; save it as UTF-8") from None
    except json.JSONDecodeError as error:
        raise DataError(f"{where}: malformed JSON ({error.msg}): {line[:80]!r}") from None
    except (RecursionError, ValueError):  # brackets nested thousands deep, a number of thousands of digits
        raise DataError(f"{where}: no program writes such JSON: {line[:80]!r}") from None
    if not isinstance(value, dict):
        raise DataError(f"{where}: expected a JSON object, found {line[:80]!r}")
    return value
