"""Opening a bundle: everything is checked before anything is written.

The archive is read twice. The first pass holds every member against the index; only if all is well does the second one
unpack, into a folder beside the final one; once the entries of the configuration there can be read, it is renamed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import yaml

from ..config import RunConfig, load, recorded_settings
from ..config.settings import parse
from ..contracts.bundle_index import Index
from ..contracts.checksums import Expected
from ..contracts.files import write_text
from ..errors import ConfigError, DataError, shorten
from ..reading.os_errors import unwritable
from ..reading.text_files import opened
from ..recovery.partial_files import temporary_folder
from .archive import Entry, read_archive
from .index import INDEX, index_text, parse_index
from .index_limits import refuse_large
from .member_paths import LONGEST_NAME
from .state import opened_index

RUN_FILE = "run.yaml"  # the configuration to draw an opened bundle with
_MOST_TOLD = 5  # lines of what is wrong in a configuration
# Tables and answers shrink ten- to thirtyfold; what is packed more tightly is made to fill disks.
_TIGHTEST, _ALWAYS_TAKEN = 1000, 1 << 30  # bytes unpacked: for each byte packed, and however tightly


def open_bundle(path: Path, into: Path, root: Path) -> Path:
    """Check a bundle and unpack it as ``<into>/<run>``; opening the same bundle again changes nothing.

    Args:
        path: the bundle.
        into: a results folder of its own, so that no run of this machine is touched.
        root: the repository; paths in the written configuration are relative to it where they can be.

    Returns:
        The configuration file to give to ``snakemake --configfile``.

    Raises:
        ConfigError: no configuration can name ``into``.
        DataError: no such file, not a bundle, another format version, a wrong checksum, a missing cell or file, a name
            that leads elsewhere, a truncated file, no room on the disk, or another run in the way. Nothing is written.
    """
    with _opened(path) as bundle:
        folder = into / bundle.run.run
        try:
            settings = _settings(bundle.run, into, root)
            parse(RunConfig, settings, f"--into {into}")
            present = _is_present(bundle.index, folder)
            if not present:
                bundle.check_room(folder)
            bundle.check()
            if present:
                write_text(folder / RUN_FILE, _yaml(settings))
            else:
                _unpack(bundle, folder, settings)
        except (OSError, ValueError) as error:  # the latter where no path can hold what --into states
            raise unwritable(folder, error) from None
    return folder / RUN_FILE


def check_bundle(path: Path, source: str = "") -> Index:
    """Read a whole bundle as :func:`open_bundle` does, and write nothing; returns its index.

    Args:
        path: the bundle.
        source: what errors call it; empty: its path.

    Raises:
        DataError: whatever :func:`open_bundle` refuses in a file.
    """
    with _opened(path, source) as bundle:
        bundle.check()
        return bundle.index


@dataclass(frozen=True)
class _Bundle:
    """A bundle whose index has been read, the settings of its run among it."""

    handle: BinaryIO
    source: str
    index: Index
    run: RunConfig

    @property
    def unpacked_bytes(self) -> int:
        return sum(member.bytes for member in self.index.files.values())

    def check(self) -> None:
        """Hold every member against the index.

        Raises:
            DataError: more bytes than can be in a file of this size, or as :meth:`members`.
        """
        size = os.fstat(self.handle.fileno()).st_size
        if self.unpacked_bytes > max(_ALWAYS_TAKEN, _TIGHTEST * size):
            raise DataError(
                f"{self.source}: {INDEX} states {self.unpacked_bytes / 2**30:.1f} GiB of files, and nothing shrinks to "
                f"{size / 2**20:.1f} MiB from that; get the file again"
            )
        for entry in self.members():
            for _ in entry.content:
                pass

    def check_room(self, folder: Path) -> None:
        """Refuse to fill the disk that ``folder`` will stand on."""
        there = next(place for place in folder.absolute().parents if place.exists())
        free = shutil.disk_usage(there).free
        if self.unpacked_bytes > free:
            raise DataError(
                f"{self.source}: needs {self.unpacked_bytes / 2**20:,.1f} MiB unpacked, and {there} has {free / 2**20:,.1f}; "
                "make room, or open it elsewhere with --into"
            )

    def members(self) -> Iterator[Entry]:
        """Yield every member but the index; to take its content is to hold it against the index.

        Raises:
            DataError: a member that the index does not have, has twice or otherwise, or one that is missing.
        """
        archive, left = read_archive(self.handle, self.source), set(self.index.files)
        next(archive, None)
        for entry in archive:
            stated = self.index.files.get(entry.name)
            if stated is None or stated.bytes != entry.size:
                raise DataError(
                    f"{self.source}: the archive holds {shorten(entry.name)} of {entry.size} bytes, which its index does not; get "
                    "the file again"
                )
            if entry.name not in left:
                raise DataError(f"{self.source}: the archive holds {entry.name} twice; get the file again")
            left.remove(entry.name)
            yield Entry(entry.name, entry.size, self._checked(entry, stated.expected))
        if left:
            raise DataError(f"{self.source}: {min(left)} is missing from the archive; get the file again")

    def _checked(self, entry: Entry, expected: Expected) -> Iterator[bytes]:
        digest = hashlib.sha256()
        for chunk in entry.content:
            digest.update(chunk)
            yield chunk
        wrong = expected.difference(Expected(entry.size, digest.hexdigest()))
        if wrong is not None:
            raise DataError(f"{self.source}: {entry.name} is not what the index states: {wrong}; get the file again")


@contextmanager
def _opened(path: Path, source: str = "") -> Iterator[_Bundle]:
    source = source or str(path)
    with opened(path) as handle:
        first = next(read_archive(handle, source), None)
        if first is None:
            raise DataError(f"{source}: the archive is empty; get the file again")
        if first.name != INDEX:
            raise DataError(
                f"{source}: does not begin with {INDEX}, so it is no bundle; is it made by `quantbench bundle`?"
            )
        refuse_large(first.size, f"{source}: {INDEX}")
        index = parse_index(b"".join(first.content), source)
        yield _Bundle(handle, source, index, _run_settings(index, source))


def _run_settings(index: Index, source: str) -> RunConfig:
    with _told_of(source):
        run = parse(RunConfig, recorded_settings(index.configuration), f"{source}: configuration")
    if len(run.run) > LONGEST_NAME:
        raise DataError(
            f"{source}: configuration: key 'run' has the value {shorten(run.run)}: longer than {LONGEST_NAME} characters; get the "
            "file again"
        )
    return run


@contextmanager
def _told_of(source: str, unpacked: Path | None = None) -> Iterator[None]:
    """Turn what is wrong with the configuration in a bundle into words about the bundle, however much of it there is."""
    try:
        yield
    except ConfigError as error:
        lines = str(error).splitlines()
        told = "\n".join(lines[:_MOST_TOLD]) + (f" and {len(lines) - _MOST_TOLD} more" if lines[_MOST_TOLD:] else "")
        if unpacked is not None:
            told = told.replace(f"{unpacked}/", f"{source}: ")
        raise DataError(f"{told}; this version cannot draw that run") from None


def _settings(run: RunConfig, into: Path, root: Path) -> dict[str, object]:
    """The run's own settings, to be drawn from its own catalogue and from what it left.

    Places of the machine that packed it mean nothing here, or something else.
    """
    folder, here = (Path(os.path.realpath(place)) for place in (into / run.run, root))
    return run.model_dump(mode="json") | {
        "results_folder": str(into),
        "catalogue_root": str(folder.relative_to(here) if folder.is_relative_to(here) else folder),
        "studies_file": "config/studies.yaml",
        "models_folder": RunConfig.model_fields["models_folder"].default,
        "data": {**run.data.model_dump(), "folder": None, "mirror": None},
        "allow_missing": True,
    }


def _is_present(index: Index, folder: Path) -> bool:
    """Whether ``folder`` is this bundle, opened before.

    Raises:
        DataError: it is something else.
    """
    present = opened_index(folder)
    if present is None and not os.path.lexists(folder):
        return False
    if present is None:
        raise DataError(
            f"{folder}: exists and is no opened bundle; move it away, or open this one elsewhere with --into"
        )
    if present != index:
        raise DataError(f"{folder}: holds another bundle; move it away, or open this one elsewhere with --into")
    return True


def _unpack(bundle: _Bundle, folder: Path, settings: dict[str, object]) -> None:
    made = [parent for parent in folder.parents if not parent.exists()]
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with temporary_folder(folder.parent, ".opening-") as beside:
            whole = beside / folder.name
            for entry in bundle.members():
                target = whole / entry.name
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("xb") as handle:
                    handle.writelines(entry.content)
            with _told_of(bundle.source, whole):  # read the entries that came along as the workflow will
                load(beside, settings | {"catalogue_root": folder.name}, f"{bundle.source}: configuration")
            write_text(whole / INDEX, index_text(bundle.index))
            write_text(whole / RUN_FILE, _yaml(settings))
            whole.rename(folder)
    except BaseException:
        with suppress(OSError):  # somebody else put something there
            for parent in made:
                parent.rmdir()
        raise


def _yaml(settings: dict[str, object]) -> str:
    return yaml.safe_dump(settings, sort_keys=False)
