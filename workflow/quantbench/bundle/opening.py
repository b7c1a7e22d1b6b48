"""Opening a bundle: everything is checked before anything is written.

The archive is read twice. The first pass holds every member against the index; only if all is well does the second one
unpack, into a folder beside the final one, which is renamed at the end.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import yaml

from ..config import RunConfig
from ..config.settings import parse
from ..contracts.files import read_json, write_text
from ..errors import ConfigError, DataError
from .index import INDEX, Index, check_path, read_index

RUN_FILE = "run.yaml"  # the configuration to draw an opened bundle with
_CHUNK = 1 << 20
_LARGEST_INDEX = 64 << 20
_Take = Callable[[str, Iterator[bytes]], None]


def open_bundle(path: Path, into: Path, root: Path) -> Path:
    """Check a bundle and unpack it as ``<into>/<run>``; opening the same bundle again changes nothing.

    Args:
        path: the bundle.
        into: a results folder of its own, so that no run of this machine is touched.
        root: the repository; paths in the written configuration are relative to it where they can be.

    Returns:
        The configuration file to give to ``snakemake --configfile``.

    Raises:
        DataError: no such file, not a bundle, another format version, a wrong checksum, a missing cell or file, a name
            that leads elsewhere, a truncated file, no room on the disk, or another run in the way. Nothing is written.
    """
    index = _check(path)
    settings = _settings(index, into, root, str(path))
    folder = into / str(settings["run"])
    if (folder / INDEX).exists():
        if read_json(folder / INDEX) != json.loads(json.dumps(index.as_json())):
            raise DataError(f"{folder}: holds another bundle; move it away, or open this one elsewhere with --into")
    elif folder.exists():
        raise DataError(
            f"{folder}: exists and is no opened bundle; move it away, or open this one elsewhere with --into"
        )
    else:
        _unpack(path, index, folder)
    write_text(folder / RUN_FILE, yaml.safe_dump(settings, sort_keys=False))
    return folder / RUN_FILE


def _check(path: Path) -> Index:
    found: dict[str, tuple[int, str]] = {}

    def take(name: str, content: Iterator[bytes]) -> None:
        digest, size = hashlib.sha256(), 0
        for chunk in content:
            digest.update(chunk)
            size += len(chunk)
        found[name] = size, digest.hexdigest()

    index = _read(path, take)
    for name, member in index.files.items():
        if name not in found:
            raise DataError(f"{path}: {name} is missing from the archive; get the file again")
        if found[name] != (member.bytes, member.sha256):
            raise DataError(
                f"{path}: {name} is not what the index states (SHA-256 {found[name][1][:12]}, expected "
                f"{member.sha256[:12]}); get the file again"
            )
    return index


def _unpack(path: Path, index: Index, folder: Path) -> None:
    made = [parent for parent in folder.parents if not parent.exists()]
    folder.parent.mkdir(parents=True, exist_ok=True)
    free, needed = shutil.disk_usage(folder.parent).free, sum(member.bytes for member in index.files.values())
    try:
        if needed > free:
            raise DataError(
                f"{path}: needs {needed / 2**30:.1f} GiB unpacked, and {folder.parent} has {free / 2**30:.1f}"
            )
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".opening-") as beside:
            whole = Path(beside) / folder.name

            def take(name: str, content: Iterator[bytes]) -> None:
                target = whole / name
                target.parent.mkdir(parents=True, exist_ok=True)
                digest = hashlib.sha256()
                with target.open("wb") as handle:
                    for chunk in content:
                        digest.update(chunk)
                        handle.write(chunk)
                if digest.hexdigest() != index.files[name].sha256:
                    raise DataError(f"{path}: {name} changed while the bundle was opened; open it again")

            _read(path, take)
            write_text(whole / INDEX, json.dumps(index.as_json(), ensure_ascii=False, indent=1) + "\n")
            whole.rename(folder)
    except BaseException:
        for parent in made:
            parent.rmdir()
        raise


def _read(path: Path, take: _Take) -> Index:
    """Give every member but the index to ``take``, and return the index."""
    index: Index | None = None
    with _archive(path) as archive:
        for entry in archive:
            if index is None:
                index = _read_index(archive, entry, path)
                continue
            check_path(entry.name, str(path))
            if not entry.isreg():
                raise DataError(
                    f"{path}: {entry.name} is a link or no plain file, which no bundle has; nothing was unpacked"
                )
            if entry.name not in index.files or entry.size != index.files[entry.name].bytes:
                raise DataError(f"{path}: {entry.name} is not in the index with this size; get the file again")
            handle = archive.extractfile(entry)
            assert handle is not None, "a plain file"
            take(entry.name, _chunks(handle))
    if index is None:
        raise DataError(f"{path}: the archive is empty; get the file again")
    return index


@contextmanager
def _archive(path: Path) -> Iterator[tarfile.TarFile]:
    """The archive as a stream; whatever is wrong with it is told as one kind of error."""
    import zstandard

    try:
        with (
            path.open("rb") as handle,
            zstandard.ZstdDecompressor().stream_reader(handle) as stream,
            tarfile.open(fileobj=stream, mode="r|") as archive,
        ):
            yield archive
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (zstandard.ZstdError, tarfile.TarError, EOFError) as error:
        raise DataError(f"{path}: not a bundle, or cut off or damaged ({error}); get the file again") from None


def _read_index(archive: tarfile.TarFile, entry: tarfile.TarInfo, path: Path) -> Index:
    handle = archive.extractfile(entry) if entry.isreg() and entry.name == INDEX else None
    if handle is None or entry.size > _LARGEST_INDEX:
        raise DataError(f"{path}: does not begin with {INDEX}, so it is no bundle; is it made by `quantbench bundle`?")
    try:
        value = json.loads(handle.read())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: {INDEX} is not readable as JSON ({error}); get the file again") from None
    return read_index(value, str(path))


def _chunks(handle: IO[bytes]) -> Iterator[bytes]:
    while chunk := handle.read(_CHUNK):
        yield chunk


def _settings(index: Index, into: Path, root: Path, source: str) -> dict[str, Any]:
    """The run's own settings, to be drawn from its own catalogue and from what it left."""
    try:
        packed = parse(RunConfig, index.configuration, f"{source}: configuration")
    except ConfigError as error:
        raise DataError(f"{error}; this version cannot draw that run") from None
    folder = (into / packed.run).resolve()
    inside = folder.is_relative_to(root.resolve())
    return packed.model_dump(mode="json") | {
        "results_folder": str(into),
        "catalogue_root": str(folder.relative_to(root.resolve()) if inside else folder),
        "studies_file": "config/studies.yaml",
        "data": {**packed.data.model_dump(), "folder": None},
        "allow_missing": True,
    }
