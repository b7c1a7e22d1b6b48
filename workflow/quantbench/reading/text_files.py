"""Text as people hand it in: regular files only, none larger than its limit, in UTF-8; anything else is named for what it is."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from ..errors import DataError, shorten
from .os_errors import Kind, unreadable

MIB = 1 << 20
LARGEST = 1024 * MIB
LONGEST_LINE = 64 * MIB
BOM = b"\xef\xbb\xbf"

_AS_UTF8 = "save it as UTF-8"
# How files begin that are no text: what they are, and what to do with them.
_FORMATS = (
    (b"\x1f\x8b", "packed with gzip", "unpack it (gunzip)"),
    (b"PK\x03\x04", "a zip archive, as spreadsheets and documents are too", "unpack it, or save it as text"),
    (b"\x28\xb5\x2f\xfd", "packed with Zstandard", "unpack it (unzstd)"),
    (b"\xfd7zXZ\x00", "packed with xz", "unpack it (unxz)"),
    (b"BZh", "packed with bzip2", "unpack it (bunzip2)"),
    (b"%PDF-", "a PDF", "give its text"),
    (
        b"version https://git-lfs",
        "a pointer of Git LFS, and not the file it stands for",
        "run 'git lfs pull' in its folder",
    ),
    (b"\xff\xfe\x00\x00", "text in UTF-32", _AS_UTF8),
    (b"\x00\x00\xfe\xff", "text in UTF-32", _AS_UTF8),
    (b"\xff\xfe", "text in UTF-16", _AS_UTF8),
    (b"\xfe\xff", "text in UTF-16", _AS_UTF8),
)


@contextmanager
def opened(path: Path, error: Kind = DataError, missing: str = "no such file") -> Iterator[BufferedReader]:
    """A regular file's bytes, to be read.

    Args:
        path: the file.
        error: which error is raised.
        missing: what is said of a file that is not there.

    Raises:
        QuantbenchError: of the kind ``error``: no such file, not to be read, or a folder, pipe or device.
    """
    try:
        # A pipe that nobody writes to would be waited for.
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise error(f"{path}: {missing}") from None
    except (OSError, ValueError) as refused:
        raise unreadable(path, refused, error) from None
    try:
        _refuse_irregular(number, path, error)
    except BaseException:
        os.close(number)
        raise
    with os.fdopen(number, "rb") as handle:
        try:
            yield handle
        except OSError as refused:
            raise unreadable(path, refused, error) from None


def read_bytes(
    path: Path, error: Kind = DataError, limit: int = LARGEST, remedy: str = "", missing: str = "no such file"
) -> bytes:
    """A regular file's content.

    Args:
        path: the file.
        error: which error is raised.
        limit: most bytes it may have.
        remedy: what to do about a malformed file; empty: what fits the fault.
        missing: what is said of a file that is not there.

    Raises:
        QuantbenchError: as :func:`opened`, or larger than ``limit``.
    """
    with opened(path, error, missing) as handle:
        # Some files of the system have no size before they are read.
        content = handle.read(limit + 1)
    if len(content) > limit:
        raise error(f"{path}: larger than {_size(limit)}; {remedy or 'give the file that is meant'}")
    return content


def read_text(
    path: Path, error: Kind = DataError, limit: int = LARGEST, remedy: str = "", missing: str = "no such file"
) -> str:
    """A regular file's text, line ends untouched, a byte order mark dropped; arguments as of :func:`read_bytes`.

    Raises:
        QuantbenchError: as :func:`read_bytes`, or as :func:`decoded`.
    """
    return decoded(read_bytes(path, error, limit, remedy, missing), str(path), error, remedy)


def iterate_lines(
    path: Path, error: Kind = DataError, limit: int = LONGEST_LINE, remedy: str = ""
) -> Iterator[tuple[int, bytes]]:
    """Yield (1-based line number, bytes with their line end) of a file of text, however large; ``limit`` holds for a line.

    Raises:
        QuantbenchError: as :func:`opened`, a line longer than ``limit``, or no text by how the file begins.
    """
    with opened(path, error) as handle:
        number = 0
        while line := handle.readline(limit + 1):
            number += 1
            if number == 1:
                refuse_other_formats(line, str(path), error, remedy)
                line = line.removeprefix(BOM)
            if len(line) > limit:
                raise error(f"{path}, line {number}: longer than {_size(limit)}; {remedy or 'break the line'}")
            yield number, line


def refuse_other_formats(content: bytes, where: str, error: Kind = DataError, remedy: str = "") -> None:
    """Refuse what is packed, in another encoding, or no text at all by how it begins.

    Raises:
        QuantbenchError: of the kind ``error``, with what it is.
    """
    for start, what, step in _FORMATS:
        if content.startswith(start):
            raise error(f"{where}: {what}; {remedy or step}")
    half = min(len(content), 1000) // 2
    for first in (0, 1):  # UTF-16 without a mark: every other byte of Latin letters is zero
        if half > 1 and content[first : 2 * half : 2].count(0) > 0.7 * half:
            raise error(f"{where}: text in UTF-16; {remedy or _AS_UTF8}")


def decoded(content: bytes, where: str, error: Kind = DataError, remedy: str = "") -> str:
    """Bytes as text, a byte order mark dropped.

    Args:
        content: the bytes.
        where: file, or file and line, as errors name it.
        error: which error is raised.
        remedy: what to do about a malformed file; empty: what fits the fault.

    Raises:
        QuantbenchError: of the kind ``error``: not UTF-8, with the line of the first wrong byte and the likely encoding, or a zero byte.
    """
    refuse_other_formats(content, where, error, remedy)
    content = content.removeprefix(BOM)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as wrong:
        place = in_line(where, content, wrong.start)
        odd = content[wrong.start : wrong.start + 8]
        raise error(f"{place}: not UTF-8: bytes {odd!r}{_likely(content, wrong.start)}; {remedy or _AS_UTF8}") from None
    if "\0" in text:
        place = in_line(where, text, text.index("\0"))
        raise error(f"{place}: holds a zero byte; {remedy or 'the file is damaged or not UTF-8: copy it again'}")
    return text


def in_line(where: str, content: bytes | str, position: int) -> str:
    """``where`` with the line on which a position lies; ``where`` alone where the content is one line."""
    end = b"\n" if isinstance(content, bytes) else "\n"
    if content.rstrip(end).count(end) == 0:  # type: ignore[arg-type]
        return where
    return f"{where}, line {content.count(end, 0, position) + 1}"  # type: ignore[arg-type]


def _likely(content: bytes, start: int) -> str:
    """In which encoding a byte between letters is most likely meant."""
    before, after = content[start - 1 : start] if start else b"", content[start + 1 : start + 2]
    try:
        meant = content[start : start + 1].decode("cp1252")
    except UnicodeDecodeError:
        return ""
    if unicodedata.category(meant)[0] not in "LPS" or any(byte >= 0x80 for byte in before + after):
        return ""
    excerpt = content[max(0, start - 10) : start + 10].decode("cp1252", "replace")
    return f", which Windows-1252 and Latin-1 read as {shorten(excerpt)}"


def _refuse_irregular(number: int, path: Path, error: Kind) -> None:
    mode = os.fstat(number).st_mode
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "a pipe" if stat.S_ISFIFO(mode) else "a device or socket"
        raise error(f"{path}: {what}, and a file is expected; give a file")


def _size(limit: int) -> str:
    return f"{limit // MIB} MiB" if limit >= MIB else f"{limit} bytes"
