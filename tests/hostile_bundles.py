"""Bundles made to take memory, time or disk, to write where they should not, or to stop a program at its wrong place.

Each is written from a small sound one, the demo's with the cells of two precisions.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import lzma
import tarfile
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

import zstandard

MIB, GIB = 1 << 20, 1 << 30
ZEROS = bytes(MIB)
NOTHING = "0" * 64  # as SHA-256, of no file
_LONG = b"a" * (8 * MIB - 200)
_KEPT = ("tiny-xs/full/medqa/", "tiny-xs/w4a16/medqa/")


Parts = Callable[[], Iterable[bytes]]  # made only when it is written: gigabytes, some of it


@dataclass
class Bundle:
    """What stands in a bundle, to be changed and written."""

    index: dict[str, Any]
    members: list[tuple[str, bytes]]
    text: bytes | None = None  # of the index, where it is not the one above
    before: Parts = tuple  # of the archive, before the index
    behind: Parts = tuple  # after the members, before the end
    after: Parts = tuple  # after the end
    frame: dict[str, int] = field(default_factory=dict)  # parameters of zstd

    @property
    def path(self) -> str:
        """A file that one cell may have."""
        return f"cells/{self.index['cells'][0]}/repeat_1.jsonl"

    def add(self, *names: str) -> None:
        """Further members of one byte, in the index too."""
        for name in names:
            self.members.append((name, b"x"))
            self.state(name, 1, hashlib.sha256(b"x").hexdigest())

    def replace(self, name: str, content: bytes) -> None:
        """Other content of a member, in the index too."""
        self.members = [(found, content if found == name else kept) for found, kept in self.members]
        self.state(name, len(content), hashlib.sha256(content).hexdigest())

    def state(self, name: str, size: int, sha256: str = NOTHING) -> None:
        """What the index says of a member."""
        self.index["files"][name] = {"bytes": size, "sha256": sha256}

    def unpacked(self) -> Iterator[bytes]:
        """The archive."""
        yield from self.before()
        text = json.dumps(self.index, ensure_ascii=False).encode() if self.text is None else self.text
        for name, content in (("bundle.json", text), *self.members):
            yield from member(name, content)
        yield from self.behind()
        yield bytes(1024)
        yield from self.after()

    def packed(self) -> bytes:
        """The file."""
        return compressed(self.unpacked(), **self.frame)


def sound(repository: Path) -> Bundle:
    """A small sound bundle."""
    index, members = _demo(repository)
    return Bundle(deepcopy(index), list(members))


@cache
def _demo(repository: Path) -> tuple[dict[str, Any], list[tuple[str, bytes]]]:
    raw = zstandard.ZstdDecompressor().stream_reader((repository / "resources/demo/demo.tar.zst").read_bytes()).read()
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
        found = {entry.name: archive.extractfile(entry).read() for entry in archive}  # type: ignore[union-attr]
    index = json.loads(found.pop("bundle.json"))
    index["cells"] = [cell for cell in index["cells"] if cell.startswith(_KEPT) and "instruction-0" in cell]
    index["configuration"].update(models=["tiny-xs"], datasets=["medqa"], studies=["grid"])
    starts = (*(f"cells/{cell}/" for cell in index["cells"]), "datasets/medqa/", "config/", "packed/", "resources/")
    kept = {name: content for name, content in found.items() if name.startswith(starts)}
    index["files"] = {name: index["files"][name] for name in kept}
    return index, list(kept.items())


def header(name: str, size: int, kind: bytes = tarfile.REGTYPE, target: str = "") -> bytes:
    """A header of tar."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.type, entry.linkname = size, kind, target
    return entry.tobuf(tarfile.GNU_FORMAT)


def member(name: str, content: bytes) -> Iterator[bytes]:
    """A plain file of an archive, its name in an extended header where it is long."""
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    yield entry.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
    yield content + bytes(-len(content) % 512)


def zeros(size: int) -> Iterator[bytes]:
    """So many bytes."""
    for left in range(size, 0, -MIB):
        yield ZEROS[: min(left, MIB)]


def large(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> Iterator[bytes]:
    """A member of zeros."""
    yield header(name, size, kind)
    yield from zeros(size + -size % 512)


def compressed(parts: Iterable[bytes], **parameters: int) -> bytes:
    """One frame of zstd."""
    how = zstandard.ZstdCompressionParameters.from_level(1, **parameters)
    stream = io.BytesIO()
    with zstandard.ZstdCompressor(compression_params=how).stream_writer(stream, closefd=False) as writer:
        for part in parts:
            writer.write(part)
    return stream.getvalue()


Writer = Callable[[Bundle], bytes]


def skippable(size: int) -> bytes:
    """A frame of zstd that decoders pass over."""
    return b"\x50\x2a\x4d\x18" + size.to_bytes(4, "little") + bytes(size)


def _with(change: Callable[[Bundle], object]) -> Writer:
    def write(bundle: Bundle) -> bytes:
        change(bundle)
        return bundle.packed()

    return write


def _text(text: bytes) -> Writer:
    """An index of this text."""
    return _with(lambda bundle: setattr(bundle, "text", text))


def _before(parts: Parts) -> Writer:
    return _with(lambda bundle: setattr(bundle, "before", parts))


def _behind(parts: Parts) -> Writer:
    return _with(lambda bundle: setattr(bundle, "behind", parts))


def _index(**values: object) -> Writer:
    return _with(lambda bundle: bundle.index.update(values))


def _configured(**values: object) -> Writer:
    return _with(lambda bundle: bundle.index["configuration"].update(values))


def _frame(**parameters: int) -> Writer:
    return _with(lambda bundle: bundle.frame.update(parameters))


def _added(*names: str) -> Writer:
    return _with(lambda bundle: bundle.add(*names))


def _entry(content: bytes, name: str = "config/models/tiny-xs.yaml") -> Writer:
    """An entry of the configuration of this content."""
    return _with(lambda bundle: bundle.replace(name, content))


def _stated(size: int, parts: Callable[[str], Iterable[bytes]]) -> Writer:
    """A member that the index states, and what stands in the archive for it by its path."""

    def change(bundle: Bundle) -> None:
        bundle.state(bundle.path, size)
        bundle.behind = partial(parts, bundle.path)

    return _with(change)


def _many_files(bundle: Bundle, records: bytes = b"", present: int = 0) -> Bundle:
    """As many files as an index can hold; so many of them are there, behind extended headers of these records."""
    content = b"x"
    digest = hashlib.sha256(content).hexdigest()
    names = [f"config/datasets/medqa/{place:05}" for place in range(42_000)]
    bundle.index["files"] |= {name: {"bytes": 1, "sha256": digest} for name in names}
    before = header("x", len(records), tarfile.XHDTYPE) + records + bytes(-len(records) % 512) if records else b""
    bundle.behind = lambda: (before + header(name, 1) + content + bytes(511) for name in names[:present])
    return bundle


def _filled_pax(size: int) -> bytes:
    """An extended header's records of one long comment that readers with regular expressions go over again and again."""
    return b"%d mtime=%s\n" % (size, b"1" * (size - 12))


def _large_frame(bundle: Bundle) -> bytes:
    """One frame that is its own window."""
    how = zstandard.ZstdCompressionParameters.from_level(1, window_log=27)
    return zstandard.ZstdCompressor(compression_params=how).compress(bytes(100 * MIB))


def _of_dictionary(bundle: Bundle) -> bytes:
    dictionary = zstandard.ZstdCompressionDict(b"bundle" * 999, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    return zstandard.ZstdCompressor(dict_data=dictionary).compress(b"".join(bundle.unpacked()))


def _chain(kind: bytes) -> Parts:
    """Headers that each announce the next."""
    record = (b"9 path=a\n" if kind == tarfile.XHDTYPE else b"a").ljust(512, b"\0")
    return lambda: ((header("x", 9, kind) + record) * 1000 for _ in range(200))


def _sparse_by_pax(path: str) -> Iterator[bytes]:
    records = b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n37 GNU.sparse.realsize=1099511627776\n"
    yield header("x", len(records), tarfile.XHDTYPE) + records.ljust(512, b"\0")
    yield header(path, 512) + b"0\n".ljust(512, b"\0")


def _full_entries(bundle: Bundle) -> None:
    for name in [name for name, _ in bundle.members if name.endswith(".yaml")]:
        bundle.replace(name, b"#" * (127 << 10))


def _wrong_files() -> dict[str, object]:
    return {f"config/datasets/medqa/{place}": {"bytes": "x", "sha256": 5} for place in range(42_000)}


def _binary_size(size: int) -> bytes:
    """A header whose size is no octal number, as large archives have."""
    block = bytearray(header("cells/x", 0))
    block[124:136] = (b"\x80" if size >= 0 else b"\xff") + (size % (1 << 88)).to_bytes(11, "big")
    block[148:156] = b"%06o\0 " % (256 + sum(block[:148]) + sum(block[156:]))
    return bytes(block)


def _nested(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = {"a": value}
    return value


def _cut(share: float) -> Writer:
    def write(bundle: Bundle) -> bytes:
        packed = bundle.packed()
        return packed[: int(share * len(packed))]

    return write


HOSTILE: dict[str, Writer] = {
    # headers
    "pax header, 2 GiB, first": _before(lambda: large("x", 2 * GIB, tarfile.XHDTYPE)),
    "pax header, 2 GiB": _behind(lambda: large("x", 2 * GIB, tarfile.XHDTYPE)),
    "global pax header, 2 GiB": _behind(lambda: large("x", 2 * GIB, tarfile.XGLTYPE)),
    "GNU long name, 2 GiB": _behind(lambda: large("x", 2 * GIB, tarfile.GNUTYPE_LONGNAME)),
    "GNU long link, 2 GiB": _behind(lambda: large("x", 2 * GIB, tarfile.GNUTYPE_LONGLINK)),
    "200,000 pax headers": _behind(_chain(tarfile.XHDTYPE)),
    "200,000 GNU long names": _behind(_chain(tarfile.GNUTYPE_LONGNAME)),
    "pax headers of 4 KiB before 42,000 files": _with(lambda bundle: _many_files(bundle, _filled_pax(4096), 41_999)),
    "pax header of another size": _behind(
        lambda: [header("x", 10, tarfile.XHDTYPE), b"10 size=5\n".ljust(512, b"\0"), header("y", 0)]
    ),
    "GNU sparse file, 1 TiB": _stated(1 << 40, lambda path: [header(path, 0, tarfile.GNUTYPE_SPARSE)]),
    "pax sparse file, 1 TiB": _stated(1 << 40, _sparse_by_pax),
    "size of 2^80 bytes": _behind(lambda: [_binary_size(1 << 80)]),
    "negative size": _behind(lambda: [_binary_size(-512)]),
    "header with a wrong sum": _behind(lambda: [b"x" * 512]),
    "symbolic link": _behind(lambda: [header("link", 0, tarfile.SYMTYPE, "/etc/passwd")]),
    "hard link": _behind(lambda: [header("link", 0, tarfile.LNKTYPE, "bundle.json")]),
    "device": _behind(lambda: [header("zero", 0, tarfile.CHRTYPE)]),
    "pipe": _behind(lambda: [header("pipe", 0, tarfile.FIFOTYPE)]),
    # index
    "index of 60 MiB": _text(b" " * (60 * MIB)),
    "index of 2 GiB": _before(lambda: large("bundle.json", 2 * GIB)),
    "index of 8 MiB of brackets": _text(b"[" * (8 * MIB)),
    "index of 2 million empty lists": _text(b'{"format":1,"cells":[' + b"[]," * 2_000_000 + b"[]]}"),
    "index of 149,000 empty objects": _text(b'{"format":1,"cells":[' + b"{}," * 149_000 + b"{}]}"),
    "index of one text of 8 MiB": _text(b'{"format":1,"quantbench":"\xf0\x9f\xa7\xac' + _LONG + b'"}'),
    "index with a key of 8 MiB": _text(b'{"format":1,"\xf0\x9f\xa7\xac' + _LONG + b'":1}'),
    "index with a format of 8 MiB": _text(b'{"format":"\xf0\x9f\xa7\xac' + _LONG + b'"}'),
    "index with 42,000 files that are missing": _with(_many_files),
    "index with 42,000 files and one rare letter": _with(
        lambda bundle: _many_files(bundle).index.update(quantbench="\U0001f9ec")
    ),
    "index with 42,000 wrong files": _with(lambda bundle: bundle.index["files"].update(_wrong_files())),
    "index with 200,000 times one cell": _with(
        lambda bundle: bundle.index.update(cells=bundle.index["cells"] * 100_000)
    ),
    "index with 19,000 cells of the wrong kind": _index(cells=[5] * 19_000),
    "index with 900 wrong figures": _index(figures={f"{place}.png": "x" * 9000 for place in range(900)}),
    "index with 60,000 figures": _index(figures={f"{place}.png": NOTHING for place in range(60_000)}),
    "index with a number of 5,000 digits": _text(b'{"format":' + b"9" * 5000 + b"}"),
    "index with infinities": _text(b'{"format":1,"files":{"config/studies.yaml":{"bytes":Infinity,"sha256":"0"}}}'),
    "index with half of a character": _text(b'{"format":1,"quantbench":"\\ud800"}'),
    "index with a key twice": _text(b'{"format":1,"format":1}'),
    "index in UTF-16": _text('{"format":1}'.encode("utf-16")),
    "index of random bytes": _text(bytes(range(256)) * 40),
    "index of the wrong kinds": _index(files=[1], figures=None, cells={}),
    # members
    "a million members that are not listed": _behind(
        lambda: (header(f"cells/{block}", 0) * 1000 for block in range(1000))
    ),
    "200,000 copies of one member": _with(
        lambda bundle: setattr(
            bundle, "behind", lambda: (b"".join(member(*bundle.members[0])) * 100 for _ in range(2000))
        )
    ),
    "42,000 listed members, the last one missing": _with(lambda bundle: _many_files(bundle, present=41_999)),
    "listed member of 2 GiB": _stated(2 * GIB, lambda path: large(path, 2 * GIB)),
    "listed member of 1 EiB": _stated(1 << 60, lambda path: large(path, 1 << 20)),
    "member of 2 GiB that is not listed": _behind(lambda: large("cells/x", 2 * GIB)),
    "wrong checksum after 512 MiB": _stated(512 * MIB, lambda path: large(path, 512 * MIB)),
    "index twice": _with(lambda bundle: bundle.members.append(("bundle.json", b"{}"))),
    "2 GiB after the end": _with(lambda bundle: setattr(bundle, "after", lambda: zeros(2 * GIB))),
    # zstd
    "window of 2 GiB": _frame(window_log=31),
    "window of 128 MiB": _frame(window_log=27),
    "100 MiB that are their own window": _large_frame,
    "a dictionary": _of_dictionary,
    "128 MiB to pass over": lambda bundle: skippable(64 * MIB) * 2,
    "a million frames to pass over": lambda bundle: skippable(0) * 1_000_000,
    "a million empty frames": lambda bundle: compressed([]) * 1_000_000,
    "a frame of 2 GiB behind": lambda bundle: bundle.packed() + compressed(zeros(2 * GIB)),
    "junk behind": lambda bundle: bundle.packed() + b"junk" * 9,
    # names
    "name that leads out": _added("cells/../../../../evil.json"),
    "absolute name": _added("/tmp/evil"),
    "name 3,000 deep": _added("cells" + "/a" * 3000 + "/manifest.json"),
    "name of 300 characters": _added("config/models/" + "a" * 300 + ".yaml"),
    "name of a megabyte": _added("config/models/" + "a" * MIB + ".yaml"),
    "names that differ by case": _added("config/models/tiny.yaml", "config/models/TINY.yaml"),
    "a file and a folder of one name": _added("config/datasets/medqa/a", "config/datasets/medqa/a/b"),
    "half of a character as name": _behind(lambda: member("cells/\udcff", b"")),
    "figures of the system": _index(figures={"/dev/zero": NOTHING, "../../etc/passwd": NOTHING}),
    # configuration
    "run of 300 characters": _configured(run="x" * 300),
    "run that leads out": _configured(run="../../x"),
    "configuration 150 deep": _configured(models=_nested(150)),
    "configuration with an unknown key": _configured(evil=1),
    "configuration of 100,000 models": _configured(models=["m"] * 100_000, studies=[]),
    "configuration of a model that is not there": _configured(models=["nope"]),
    # entries
    "entry of 2 MiB": _entry(b"a: " + b"b" * (2 * MIB)),
    "entry of 120,000 letters in a list": _entry(b"a: [" + b"b," * 60_000 + b"b]"),
    "entry of 120,000 brackets": _entry(b"[" * 120_000),
    "entry of aliases": _entry(
        b"a: &a [x,x]\n" + b"".join(b"%c: &%c [*%c,*%c]\n" % (c, c, c - 1, c - 1) for c in range(98, 122))
    ),
    "entry with a tag of Python": _entry(b"title: !!python/object/apply:os.system [id]\n"),
    "entry of random bytes": _entry(bytes(range(256))),
    "entry of another model": _entry(b"title: x\n"),
    "studies of no study": _entry(b"[]", "config/studies.yaml"),
    "every entry of 127 KiB": _with(_full_entries),
    # files
    "cut off at the start": _cut(0.02),
    "cut off in the middle": _cut(0.5),
    "cut off at the end": _cut(0.999),
    "empty": lambda bundle: b"",
    "gzip": lambda bundle: gzip.compress(b"".join(bundle.unpacked())),
    "xz": lambda bundle: lzma.compress(bytes(MIB)),
    "tar alone": lambda bundle: b"".join(bundle.unpacked()),
    "random": lambda bundle: b"\x28\xb5\x2f\xfd" + hashlib.shake_128(b"x").digest(9999),
}
