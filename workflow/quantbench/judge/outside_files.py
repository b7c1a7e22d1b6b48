"""Files of other programs, line by line: JSON lines or one JSON array, gzipped or not, with or without a byte order mark."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

from ..contracts.files import read_object, unreadable
from ..errors import DataError

Record = dict[str, object]
Value = TypeVar("Value")

_BOM = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"
# How JSON can write half of a character, which no file of text can hold.
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
_OTHER_TEXT = (b"\xff\xfe", b"\xfe\xff")


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A file's bytes, unpacked where it is gzipped, behind its byte order mark.

    Raises:
        DataError: no such file, not to be read, damaged, empty, or in UTF-16.
    """
    try:
        with path.open("rb") as plain:
            packed = plain.read(2) == _GZIP
            plain.seek(0)
            handle = cast(BinaryIO, gzip.GzipFile(fileobj=plain)) if packed else plain
            start = handle.read(3)
            if not start:
                raise DataError(f"{path}: empty; give a file with answers")
            if start[:2] in _OTHER_TEXT:
                raise DataError(f"{path}: text in UTF-16; save it as UTF-8")
            handle.seek(3 if start == _BOM else 0)
            yield handle
    except FileNotFoundError:
        raise DataError(f"{path}: no such file or folder") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise damaged(path, error) from None
    except OSError as error:
        raise unreadable(path, error) from None


def first_line(path: Path) -> bytes:
    """The first line that is not blank, without surrounding blanks."""
    with opened(path) as handle:
        return next((line.strip() for line in handle if line.strip()), b"")


def damaged(path: Path, error: Exception) -> DataError:
    """What is said of a packed file that cannot be unpacked."""
    return DataError(f"{path}: damaged ({error}); copy it again")


def records(path: Path) -> Iterator[tuple[str, Record]]:
    """Yield where it stands, and each object, of a file of JSON lines or of one JSON array.

    Blank lines are passed over.

    Raises:
        DataError: as :func:`opened`, or a line that is not a JSON object; names file and line.
    """
    with opened(path) as handle:
        for number, raw in enumerate(handle, start=1):
            line = raw.strip()
            if number == 1 and line.startswith(b"["):
                yield from _array(path, raw + handle.read())
                return
            if line:
                where = f"{path}, line {number}"
                record = read_object(line, where)
                yield where, _writable(record) if _HALF.search(line) else record


def document(path: Path) -> Record:
    """One JSON object that is the whole file.

    Raises:
        DataError: as :func:`opened`, or not one JSON object.
    """
    with opened(path) as handle:
        content = handle.read()
    return parsed(content, str(path))


def parsed(content: bytes, where: str) -> Record:
    """One JSON object.

    Raises:
        DataError: it is something else.
    """
    value = _json(content, where)
    if not isinstance(value, dict):
        raise DataError(f"{where}: expected a JSON object, found {type(value).__name__}")
    return value


def _array(path: Path, content: bytes) -> Iterator[tuple[str, Record]]:
    """The objects of one JSON array, as the first releases of lm-evaluation-harness 0.4 wrote them."""
    values = _json(content, str(path))
    for number, value in enumerate(values if isinstance(values, list) else [], start=1):
        if not isinstance(value, dict):
            raise DataError(f"{path}, item {number}: expected a JSON object, found {type(value).__name__}")
        yield f"{path}, item {number}", value


def _json(content: bytes, where: str) -> object:
    try:
        value = json.loads(content.decode("utf-8"))
        return _writable(value) if _HALF.search(content) else value
    except UnicodeDecodeError as error:
        raise DataError(f"{where}: not UTF-8 ({error.reason}); save it as UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: not readable as JSON ({error}); copy it again") from None


def _writable(value: Value) -> Value:
    """The same with a question mark for each half of a character."""
    if isinstance(value, str):
        return cast(Value, value.encode("utf-8", "replace").decode("utf-8"))
    if isinstance(value, list):
        return cast(Value, [_writable(one) for one in value])
    if isinstance(value, dict):
        return cast(Value, {_writable(name): _writable(one) for name, one in value.items()})
    return value
