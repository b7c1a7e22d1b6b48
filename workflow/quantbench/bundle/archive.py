"""The members of a bundle as a stream: whatever stands in a file from elsewhere, little memory is taken and no more is read
than was asked for.

What :func:`quantbench.bundle.packing.pack` writes is a tar archive of plain files, long names in extended headers (POSIX.1-2001,
pax), in frames of zstd. Links, folders, devices, sparse files and every other extension are refused at their header: a reader
of all of tar holds such headers in memory before it knows what they are.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from ..errors import DataError, shorten
from ..reading.os_errors import unreadable

# Largest window of a frame, in bytes: what RFC 8878 (3.1.1.1.2) asks of every decoder, and more than `bundle` uses.
LARGEST_WINDOW = 8 << 20
_LARGEST_HEADER = 4 << 10  # bytes of an extended header
_LARGEST_END = 64 << 10  # bytes of zeros that programs end an archive with
_CHUNK = 1 << 18
# What other programs state besides in extended headers, and nobody needs here.
_IGNORED = frozenset((b"atime", b"ctime", b"gid", b"gname", b"mtime", b"uid", b"uname"))


@dataclass(frozen=True, slots=True)
class Entry:
    """One plain file of the archive."""

    name: str
    size: int  # bytes
    content: Iterator[bytes]  # what is not taken of it is passed over


def read_archive(handle: BinaryIO, source: str) -> Iterator[Entry]:
    """Yield the members of a bundle in their order, from its beginning.

    Args:
        handle: the bundle, which can be read from anywhere.
        source: its path, as errors name it.

    Raises:
        DataError: not zstd, not tar, cut off, damaged, a window larger than ``LARGEST_WINDOW``, what is no plain file, or something
            after the archive's end.
    """
    stream = _Stream(handle, source)
    while (header := stream.exactly(tarfile.BLOCKSIZE)) != bytes(tarfile.BLOCKSIZE):
        name, size = _named(header, stream)
        content = stream.chunks(size)
        yield Entry(name, size, content)
        for _ in content:
            pass
        stream.exactly(-size % tarfile.BLOCKSIZE)
    end = stream.upto(_LARGEST_END + 1)
    if len(end) > _LARGEST_END or any(end):
        raise stream.damaged("something follows the archive's end")


class _Stream:
    """Decompressed bytes, no more than what is asked for at a time."""

    def __init__(self, handle: BinaryIO, source: str) -> None:
        import zstandard

        handle.seek(0)
        self._source, self._error = source, zstandard.ZstdError
        decompressor = zstandard.ZstdDecompressor(max_window_size=LARGEST_WINDOW)
        self._unpacked = decompressor.stream_reader(handle, read_across_frames=True, closefd=False)

    def upto(self, size: int) -> bytes:
        """The next ``size`` bytes, fewer where the file ends."""
        parts, left = [], size
        while left:
            try:
                part = self._unpacked.read(min(left, _CHUNK))
            except self._error as error:
                raise self.damaged(str(error)) from None
            except OSError as error:
                raise unreadable(self._source, error) from None
            if not part:
                break
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    def exactly(self, size: int) -> bytes:
        """The next ``size`` bytes."""
        content = self.upto(size)
        if len(content) < size:
            raise self.damaged("unexpected end of data")
        return content

    def chunks(self, size: int) -> Iterator[bytes]:
        """The next ``size`` bytes, in pieces."""
        while size:
            chunk = self.exactly(min(size, _CHUNK))
            size -= len(chunk)
            yield chunk

    def damaged(self, why: str) -> DataError:
        """What is said of a file that is no whole bundle."""
        return DataError(f"{self._source}: not a bundle, or cut off or damaged ({why}); get the file again")

    def refused(self, name: str) -> DataError:
        """What is said of members that are no plain files."""
        return DataError(
            f"{self._source}: {shorten(name)} is a link or no plain file, which no bundle has; nothing was unpacked, get the file "
            "again"
        )


def _named(header: bytes, stream: _Stream) -> tuple[str, int]:
    """Name and size in bytes of the plain file that a header, or an extended one and the next, announces."""
    entry = _parsed(header, stream)
    if entry.type != tarfile.XHDTYPE:
        return _plain(entry, stream)
    if not 0 < entry.size <= _LARGEST_HEADER:
        raise stream.damaged(f"an extended header of {entry.size:,} bytes")
    records = stream.exactly(entry.size)
    stream.exactly(-entry.size % tarfile.BLOCKSIZE)
    name, size = _plain(_parsed(stream.exactly(tarfile.BLOCKSIZE), stream), stream)
    return _stated_path(records, stream) or name, size


def _parsed(header: bytes, stream: _Stream) -> tarfile.TarInfo:
    try:
        return tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
    except tarfile.HeaderError as error:
        raise stream.damaged(str(error)) from None


def _plain(entry: tarfile.TarInfo, stream: _Stream) -> tuple[str, int]:
    if entry.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or entry.size < 0:
        raise stream.refused(entry.name)
    return entry.name, entry.size


def _stated_path(records: bytes, stream: _Stream) -> str | None:
    """The ``path`` among the records of an extended header, each of them ``<length> <keyword>=<value>`` and a line end.

    Other keywords would change what the member is.
    """
    path = None
    while records:
        digits, blank, _ = records[:8].partition(b" ")
        length = int(digits) if blank and digits.isdigit() else 0
        keyword, equals, value = records[len(digits) + 1 : length - 1].partition(b"=")
        if not equals or records[length - 1 : length] != b"\n":
            raise stream.damaged("a malformed extended header")
        if keyword == b"path":
            path = value.decode("utf-8", "surrogateescape")
        elif keyword not in _IGNORED:
            raise stream.damaged(f"an extended header states {shorten(keyword)}")
        records = records[length:]
    return path
