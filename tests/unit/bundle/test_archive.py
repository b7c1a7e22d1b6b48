"""Archives as they come from elsewhere: plain files are read, anything else ends in one kind of error, soon."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from quantbench.bundle.archive import LARGEST_WINDOW, read_archive
from quantbench.errors import DataError

LONG = "cells/" + "a" * 90 + "/" + "b" * 90 + "/c.json"
FILES = {"bundle.json": b"{}", LONG: b"x" * 700, "cells/empty": b""}


def tar_of(files: dict[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def contents(packed: bytes) -> dict[str, bytes]:
    return {entry.name: b"".join(entry.content) for entry in read_archive(io.BytesIO(packed), "x.tar.zst")}


def header(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.size, entry.type = size, kind
    return entry.tobuf(tarfile.GNU_FORMAT)


def extended(records: bytes) -> bytes:
    """An extended header with these records, and a plain empty file."""
    return (
        header("x", len(records), tarfile.XHDTYPE)
        + records.ljust(-(-len(records) // 512) * 512, b"\0")
        + header("y", 0)
    )


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
def test_plain_files_are_read(form: int) -> None:
    assert contents(zstandard.compress(tar_of(FILES, form))) == FILES


def test_content_that_is_not_taken_is_passed_over() -> None:
    packed = zstandard.compress(tar_of(FILES))
    assert [(entry.name, entry.size) for entry in read_archive(io.BytesIO(packed), "x")] == [
        (name, len(content)) for name, content in FILES.items()
    ]


def test_an_archive_in_several_frames_is_read() -> None:
    raw = tar_of(FILES)
    assert contents(zstandard.compress(raw[:700]) + zstandard.compress(raw[700:])) == FILES


REFUSED = {
    "no zstd": (b"hello", "not a bundle"),
    "empty": (b"", "unexpected end of data"),
    "junk behind": (zstandard.compress(tar_of(FILES)) + b"junk" * 9, "damaged"),
    "a frame behind": (zstandard.compress(tar_of(FILES)) + zstandard.compress(b"more"), "follows the archive's end"),
    "zeros without end": (zstandard.compress(tar_of(FILES) + bytes(1 << 20)), "follows the archive's end"),
    "no end": (zstandard.compress(tar_of({"a": b""})[:512]), "unexpected end of data"),
    "text": (zstandard.compress(b"hello" * 999), "bad checksum|invalid"),
    "folder": (zstandard.compress(header("a/", 0, tarfile.DIRTYPE)), "'a/?' is a link or no plain file"),
    "sparse": (zstandard.compress(header("a", 0, tarfile.GNUTYPE_SPARSE)), "no plain file"),
    "GNU long name": (zstandard.compress(header("a", 6 << 30, tarfile.GNUTYPE_LONGNAME)), "no plain file"),
    "GNU long link": (zstandard.compress(header("a", 6 << 30, tarfile.GNUTYPE_LONGLINK)), "no plain file"),
    "global header": (zstandard.compress(header("a", 20, tarfile.XGLTYPE)), "no plain file"),
    "header of gigabytes": (zstandard.compress(header("a", 6 << 30, tarfile.XHDTYPE)), "an extended header of"),
    "chain of headers": (zstandard.compress(extended(b"9 path=a\n")[:1024] * 2), "no plain file"),
    "another size": (zstandard.compress(extended(b"10 size=5\n")), "an extended header states b'size'"),
    "sparse by header": (zstandard.compress(extended(b"22 GNU.sparse.major=1\n")), "states b'GNU.sparse.major'"),
    "odd record": (zstandard.compress(extended(b"99 path=a\n")), "a malformed extended header"),
    "no record": (zstandard.compress(extended(b"1" * 400)), "a malformed extended header"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_anything_else_is_refused(name: str) -> None:
    packed, message = REFUSED[name]
    with pytest.raises(DataError, match=rf"^x.tar.zst: .*({message})"):
        contents(packed)


def test_a_large_window_is_refused_before_it_is_held() -> None:
    wide = zstandard.ZstdCompressionParameters.from_level(3, window_log=LARGEST_WINDOW.bit_length())
    stream = io.BytesIO()
    with zstandard.ZstdCompressor(compression_params=wide).stream_writer(stream, closefd=False) as writer:
        writer.write(tar_of(FILES))
    with pytest.raises(DataError, match="too much memory"):
        contents(stream.getvalue())


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_headers_never_end_in_another_error(data: st.DataObject) -> None:
    raw = bytearray(tar_of(FILES))
    start = data.draw(st.sampled_from(range(0, len(raw), 512)))
    block = bytearray(raw[start : start + 512])
    for place, value in data.draw(st.lists(st.tuples(st.integers(0, 511), st.integers(0, 255)), max_size=8)):
        block[place] = value
    if data.draw(st.booleans()):  # so that what was changed is read
        block[148:156] = b"%06o\0 " % (256 + sum(block[:148]) + sum(block[156:]))
    raw[start : start + 512] = block
    try:
        found = contents(zstandard.compress(bytes(raw)))
    except DataError:
        return
    assert sum(map(len, found.values())) <= len(raw)


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=300))
def test_arbitrary_extended_headers_never_end_in_another_error(records: bytes) -> None:
    try:
        contents(zstandard.compress(extended(records) + bytes(1024)))
    except DataError as error:
        assert str(error).isprintable()


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    packed = zstandard.compress(tar_of(FILES))
    for end in range(0, len(packed), 3):
        with pytest.raises(DataError):
            contents(packed[:end])
