"""The text of any file in blocks of whole lines, what is packed or encoded in it unfolded: gzip, zstd, zip, tar, base64, PDF streams.

Memory is that of a block and of the packed part being read, never that of a whole file.
"""

from __future__ import annotations

import binascii
import gzip
import io
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, cast

from ..errors import DataError

BLOCK = 1 << 18
_LONGEST_LINE = 64 << 20  # a page's data stands on one line
_OVERLAP = 2048
_START = 512
_DEEPEST = 6
_MOST_BYTES = 8 << 30  # unfolded, of one file
# As encoded addresses and the report's data have it, and as mail does, in lines of one length.
_BASE64 = re.compile(rb"(?:[A-Za-z0-9+/_-]{60,80}\r?\n){2,}[A-Za-z0-9+/_-]{4,}={0,2}|[A-Za-z0-9+/_-]{32,}={0,2}")
_PDF_STREAM = re.compile(rb"stream\r?\n(.*?)endstream", re.DOTALL)
# The texts of a PDF page are cut where letters are moved closer: [(wa) -20 (rd)] TJ.
_KERNED = re.compile(rb"\)\s*-?[\d.]+\s*\(")
_LATIN_1 = {0xDC00 + byte: byte for byte in range(0x80, 0x100)}
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_ZSTD, _GZIP, _ZIP, _PDF = b"\x28\xb5\x2f\xfd", b"\x1f\x8b", b"PK\x03\x04", b"%PDF"

Stream = IO[bytes] | gzip.GzipFile


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a file as text; ``line`` is its first one, and ``inside`` names what it was packed in, outermost first."""

    text: str
    line: int
    inside: tuple[str, ...] = ()


class Unfolding:
    """One file being unfolded."""

    def __init__(self, name: str) -> None:
        self._name, self._left = name, _MOST_BYTES

    def blocks(self, handle: Stream, inside: tuple[str, ...] = ()) -> Iterator[Block]:
        """The text of an open file.

        Raises:
            DataError: something is packed too deep, unfolds to too much, or is damaged, so that nobody can say what it holds.
        """
        if len(inside) > _DEEPEST:
            raise DataError(f"{self._label(inside)}: packed too deep to be searched; unpack or delete it")
        stream = _buffered(handle)
        start = stream.peek(_START)[:_START]
        try:
            if start.startswith(_ZSTD):
                yield from self._zstd(stream, inside)
            elif start.startswith(_GZIP):
                yield from self.blocks(gzip.GzipFile(fileobj=stream, mode="rb"), (*inside, "gzip"))
            elif start.startswith(_ZIP):
                yield from self._zip(stream.read(), inside)
            elif start.startswith(_PDF):
                yield from self._pdf(stream.read(), inside)
            elif start[257:262] == b"ustar":
                yield from self._tar(stream, inside)
            else:
                yield from self._text(stream, inside)
        except (OSError, EOFError, zlib.error, zipfile.BadZipFile, tarfile.TarError) as error:
            if "base64" in inside:  # a word that only looked encoded; what is really damaged tells nobody anything
                return
            raise DataError(
                f"{self._label(inside)}: damaged, so that nobody can say what it holds ({error}); delete it"
            ) from None

    def _zstd(self, handle: IO[bytes], inside: tuple[str, ...]) -> Iterator[Block]:
        import zstandard

        try:
            with zstandard.ZstdDecompressor().stream_reader(handle, read_across_frames=True) as inner:
                yield from self.blocks(inner, (*inside, "zstd"))
        except zstandard.ZstdError as error:
            raise OSError(error) from None

    def _zip(self, content: bytes, inside: tuple[str, ...]) -> Iterator[Block]:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for entry in archive.infolist():
                yield Block(entry.filename, 1, inside)
                with archive.open(entry) as inner:
                    yield from self.blocks(inner, (*inside, entry.filename))

    def _pdf(self, content: bytes, inside: tuple[str, ...]) -> Iterator[Block]:
        yield from self._text(io.BytesIO(_PDF_STREAM.sub(b"", content)), inside)
        for found in _PDF_STREAM.finditer(content):
            try:
                page = zlib.decompress(found[1])
            except zlib.error:
                page = found[1]
            yield from self._text(io.BytesIO(_KERNED.sub(b"", page)), (*inside, "page"))

    def _tar(self, handle: IO[bytes], inside: tuple[str, ...]) -> Iterator[Block]:
        with tarfile.open(fileobj=handle, mode="r|") as archive:
            for entry in archive:
                yield Block(entry.name, 1, inside)
                inner = archive.extractfile(entry) if entry.isreg() else None
                if inner is not None:
                    yield from self.blocks(inner, (*inside, entry.name))

    def _text(self, handle: Stream, inside: tuple[str, ...]) -> Iterator[Block]:
        for line, content in self._lines(handle, inside):
            yield Block(_decoded(content), line, inside)
            for found in _BASE64.finditer(content):
                inner = _unpacked(found[0])
                if inner:
                    yield from self.blocks(io.BytesIO(inner), (*inside, "base64"))

    def _lines(self, handle: Stream, inside: tuple[str, ...]) -> Iterator[tuple[int, bytes]]:
        """Blocks of whole lines, with the number of the first; each begins with the last lines of the one before.

        So a phrase that goes on in the next line is found where blocks meet.
        """
        number, pending, size = 1, list[bytes](), 0
        while line := handle.readline(_LONGEST_LINE):
            self._count(len(line), inside)
            pending.append(line)
            size += len(line)
            if size >= BLOCK:
                yield number, b"".join(pending)
                kept = _tail(pending)
                number, pending, size = number + len(pending) - len(kept), kept, 0
        if size:
            yield number, b"".join(pending)

    def _count(self, size: int, inside: tuple[str, ...]) -> None:
        self._left -= size
        if self._left < 0:
            raise DataError(f"{self._label(inside)}: unfolds to more than {_MOST_BYTES >> 30} GiB; delete it")

    def _label(self, inside: tuple[str, ...]) -> str:
        return ", ".join((self._name, *inside))


def _buffered(handle: Stream) -> io.BufferedReader:
    return handle if isinstance(handle, io.BufferedReader) else io.BufferedReader(cast(io.RawIOBase, handle), BLOCK)


def _tail(lines: Sequence[bytes]) -> list[bytes]:
    """The last lines, few enough to be read twice."""
    taken, size = 0, 0
    for line in reversed(lines):
        size += len(line)
        if size > _OVERLAP:
            break
        taken += 1
    return list(lines[len(lines) - taken :])


def _decoded(content: bytes) -> str:
    """Bytes as text, whatever they are: UTF-8, or UTF-16 and UTF-32, which have zero bytes between plain letters."""
    if b"\0" in content:
        content = content.replace(b"\0", b"")
    try:
        return content.decode()
    except UnicodeDecodeError:
        # A byte that is no UTF-8 is its letter in Latin-1, as in old exports and in PDF pages, and what is left of it in UTF-16.
        return content.decode("utf-8", "surrogateescape").translate(_LATIN_1)


def _unpacked(encoded: bytes) -> bytes:
    """What stands encoded in base64; empty where it is only a word or a hash that happens to look so."""
    compact = encoded.translate(_URL_SAFE, b"\r\n=")
    try:
        content = binascii.a2b_base64(compact + b"=" * (-len(compact) % 4))
    except binascii.Error:
        return b""
    if content.startswith((_ZSTD, _GZIP, _ZIP, _PDF)):
        return content
    # What a hash decodes to is hardly ever UTF-8; the last character may be cut.
    return content if content[:-3].decode("utf-8", "ignore").encode()[:_START] == content[:-3][:_START] else b""
