"""Files of other programs, line by line: JSON lines or one JSON array, gzipped or not, with or without a byte order mark."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from ..errors import DataError
from ..reading import json_text, text_files

Record = dict[str, object]

LARGEST = 1 << 30  # bytes, unpacked: of a line, or of a file that is one value
_GZIP = b"\x1f\x8b"
REMEDY = "copy it again"


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A file's bytes, unpacked where it is gzipped, behind its byte order mark.

    Raises:
        DataError: no such file, not to be read, damaged, empty, or text in another encoding than UTF-8.
    """
    with text_files.opened(path, missing="no such file or folder") as plain:
        packed = plain.read(2) == _GZIP
        plain.seek(0)
        handle = cast(BinaryIO, gzip.GzipFile(fileobj=plain)) if packed else plain
        try:
            start = handle.read(1000)
            if not start:
                raise DataError(f"{path}: empty; give a file with answers")
            text_files.refuse_other_formats(start, str(path))
            handle.seek(3 if start.startswith(text_files.BOM) else 0)
            yield handle
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise damaged(path, error) from None


def read_whole(path: Path, handle: BinaryIO) -> bytes:
    """All that is left of a file, unpacked.

    Raises:
        DataError: more than ``LARGEST`` bytes.
    """
    content = handle.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise DataError(
            f"{path}: larger than {LARGEST >> 20} MiB unpacked; give it as JSON lines, which are read one by one"
        )
    return content


def lines_of(path: Path, handle: BinaryIO) -> Iterator[bytes]:
    """Each line, its end included.

    Raises:
        DataError: one is longer than ``LARGEST`` bytes.
    """
    while line := handle.readline(LARGEST + 1):
        if len(line) > LARGEST:
            raise DataError(f"{path}: a line is longer than {LARGEST >> 20} MiB; give one record a line")
        yield line


def first_line(path: Path) -> bytes:
    """The first line that is not blank, without surrounding blanks."""
    with opened(path) as handle:
        return next((line.strip() for line in lines_of(path, handle) if line.strip()), b"")


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
        for number, raw in enumerate(lines_of(path, handle), start=1):
            line = raw.strip()
            if number == 1 and line.startswith(b"["):
                yield from _array(path, raw + read_whole(path, handle))
                return
            if line:
                where = f"{path}, line {number}"
                yield where, parsed(line, where)


def document(path: Path, remedy: str = REMEDY) -> Record:
    """One JSON object that is the whole file.

    Args:
        path: the file.
        remedy: what to do about a malformed one.

    Raises:
        DataError: as :func:`opened`, or not one JSON object.
    """
    with opened(path) as handle:
        content = read_whole(path, handle)
    return parsed(content, str(path), remedy)


def parsed(content: bytes, where: str, remedy: str = REMEDY) -> Record:
    """One JSON object; arguments as of :func:`document`, ``where`` being what errors name.

    Raises:
        DataError: it is something else.
    """
    return cast(Record, json_text.parse_object(content, where, remedy=remedy, foreign=True))


def _array(path: Path, content: bytes) -> Iterator[tuple[str, Record]]:
    """The objects of one JSON array, as the first releases of lm-evaluation-harness 0.4 wrote them."""
    values = json_text.parse(content, str(path), remedy=REMEDY, foreign=True)
    for number, value in enumerate(values if isinstance(values, list) else [], start=1):
        if not isinstance(value, dict):
            raise DataError(f"{path}, item {number}: expected a JSON object, found {type(value).__name__}")
        yield f"{path}, item {number}", cast(Record, value)
