"""Texts planted in every kind of file are found where they stand, and the words themselves are never said."""

from __future__ import annotations

import base64
import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import zstandard

from quantbench.errors import DataError
from quantbench.privacy import Phrases, Search, Text
from quantbench.privacy.blocks import BLOCK

NOTE = "Lotte Achterberg slipped on spilled broth behind the linen cart and told nobody"
SEARCH = Search(Phrases([Text("samples.jsonl, record 4", NOTE)]))
BEFORE = b"nothing to see here\n" * 3


def tarred(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("inner/notes.csv")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def zipped(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("notes.csv", content)
    return buffer.getvalue()


def arrays(content: bytes) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, texts=np.array([content.decode()]))
    return buffer.getvalue()


def data_url(content: bytes) -> bytes:
    return (
        b'<img src="data:image/svg+xml;base64,' + base64.b64encode(b"<svg><text>" + content + b"</text></svg>") + b'">'
    )


def page(content: bytes) -> bytes:
    packed = gzip.compress(json.dumps({"prompts": content.decode()}).encode(), mtime=0)
    return BEFORE + b'<script type="text/plain">' + base64.b64encode(packed) + b"</script>"


def drawn(kind: str) -> Callable[[bytes], bytes]:
    def draw(content: bytes) -> bytes:
        buffer = io.BytesIO()
        with plt.rc_context({"svg.fonttype": "none"}):
            figure, axes = plt.subplots()
            axes.set_title(content.decode().strip())
            figure.savefig(buffer, format=kind)
            plt.close(figure)
        return buffer.getvalue()

    return draw


WAYS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "gzip in zstd": lambda content: zstandard.ZstdCompressor().compress(gzip.compress(content)),
    "tar in gzip": lambda content: gzip.compress(tarred(content)),
    "zip": zipped,
    "array": arrays,
    "base64": lambda content: BEFORE + base64.b64encode(content),
    "base64 in lines": lambda content: BEFORE + base64.encodebytes(content * 3),
    "base64 for addresses": lambda content: b"?q=" + base64.urlsafe_b64encode(content),
    "picture in a page": data_url,
    "page": page,
    "UTF-16": lambda content: content.decode().encode("utf-16"),
    "UTF-32": lambda content: content.decode().encode("utf-32"),
    "svg": drawn("svg"),
    "pdf": drawn("pdf"),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_planted_text_is_found(way: str, tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(WAYS[way](BEFORE + NOTE.encode() + b"\n"))
    (finding,) = SEARCH.file(tmp_path / "a.bin")
    assert finding.file == str(tmp_path / "a.bin") and finding.text == "samples.jsonl, record 4"
    assert "Lotte" not in str(finding) and "broth" not in str(finding)
    (tmp_path / "b.bin").write_bytes(WAYS[way](BEFORE + b"slipped on the ice and told everybody of it\n"))
    assert SEARCH.file(tmp_path / "b.bin") == []


def test_the_place_is_said() -> None:
    (finding,) = SEARCH.content(BEFORE + NOTE.encode(), "logs/a.log")
    assert str(finding) == "logs/a.log: line 4: 6 words in a row of samples.jsonl, record 4"
    (finding,) = SEARCH.content(gzip.compress(BEFORE + NOTE.encode()), "a.gz")
    assert str(finding) == "a.gz: line 4 of gzip: 6 words in a row of samples.jsonl, record 4"
    (finding,) = SEARCH.content(NOTE.replace(" ", "\n").encode(), "a")
    assert finding.line == 1


def test_each_part_of_an_archive_is_named() -> None:
    found = SEARCH.content(tarred(NOTE.encode()), "a.tar")
    assert [one.inside for one in found] == [("inner/notes.csv",)]


@pytest.mark.parametrize("shift", range(0, 80, 7))
def test_a_text_is_found_where_blocks_meet(shift: int) -> None:
    line = b"x" * 63 + b"\n"
    content = (
        line * ((BLOCK - len(NOTE) // 2) // 64 - 1) + b"y" * shift + b"\n" + NOTE.replace(" ", "\n").encode() + line * 9
    )
    assert len(SEARCH.content(content, "a")) == 1


def test_what_cannot_be_read_to_its_end_is_said(tmp_path: Path) -> None:
    packed = gzip.compress(BEFORE * 1000 + NOTE.encode())
    with pytest.raises(DataError, match=r"a.gz: damaged, so that nobody can say what it holds"):
        SEARCH.content(packed[:-20], "a.gz")
    for _ in range(8):
        packed = gzip.compress(packed)
    with pytest.raises(DataError, match="packed too deep to be searched"):
        SEARCH.content(packed, "a.gz")
    with pytest.raises(DataError, match="a folder, and a file is expected"):
        SEARCH.file(tmp_path)


def test_hashes_and_words_are_not_taken_for_packed_files() -> None:
    hashes = " ".join(f"{number:064x}" for number in range(500))
    assert SEARCH.content(f"{hashes} H4sIAAAAAAAAA{'A' * 40}".encode(), "manifest.json") == []


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "cp1252", "utf-16", "utf-16-be", "utf-32"])
def test_letters_beyond_ascii_are_read_in_every_encoding(encoding: str) -> None:
    note = "Frau Käthe zeigt Rötung, Überwärmung und große Schmerzen"
    search = Search(Phrases([Text("samples.jsonl, record 1", note)]))
    assert search.content(note.encode(encoding), "a")
    assert not search.content("Die Überwärmung zeigt große Wirkung, sagt Frau Käthe".encode(encoding), "a")
