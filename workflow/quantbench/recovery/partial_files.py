"""Files that are written beside their final name, folders that hold such files, and what killed writers left of both.

A writer holds a kernel lock on its partial file. Whoever writes the same file later removes what nobody holds any more.
"""

from __future__ import annotations

import fcntl
import glob
import os
import platform
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

# Locks of another machine may not be seen here: its partial files are left alone until no writer can still be at work.
_ELSEWHERE_S = 24 * 3600.0


@contextmanager
def partial_file(path: Path, opener: Callable[[str, int], int] | None = None) -> Iterator[BinaryIO]:
    """Open what is to become ``path``, after removing what killed writers left of it; it takes its name once all is on disk.

    Where the block fails, nothing is left, and what stood under the name before still stands.

    Args:
        path: the final name.
        opener: as of :func:`open`: makes the file, with other permissions than the usual ones.

    Raises:
        OSError: the file system refuses.
    """
    _sweep(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}{_of_here()}")
    try:
        with _claimed(beside, opener) as handle:
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
            beside.replace(path)
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


@contextmanager
def temporary_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """A folder that is removed at the end of the block, and by the next one of its kind where a kill came before that.

    Args:
        parent: where it is made.
        prefix: how its name and those of its kind begin.

    Raises:
        OSError: the file system refuses.
    """
    for found in parent.glob(f"{glob.escape(prefix)}*{_of_here()}"):
        _remove_unheld(found)
    with tempfile.TemporaryDirectory(prefix=prefix, suffix=_of_here(), dir=parent) as name:
        descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC)
        try:
            with suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield Path(name)
        finally:
            os.close(descriptor)


def _of_here() -> str:
    """How names of partial files end on this machine."""
    return f"@{platform.node().partition('.')[0][:32].replace('/', '_')}.part"


@contextmanager
def _claimed(beside: Path, opener: Callable[[str, int], int] | None) -> Iterator[BinaryIO]:
    while True:
        with open(beside, "wb", opener=opener) as handle:
            with suppress(OSError):  # without locks nothing is removed, either
                fcntl.flock(handle, fcntl.LOCK_EX)
            # Else it was taken for a dead writer's between the two.
            if os.fstat(handle.fileno()).st_nlink:
                yield handle
                return


def _sweep(path: Path) -> None:
    """Remove what killed writers left of a file; what cannot be removed stays."""
    start = f".{path.name}."
    with suppress(OSError):
        for found in [
            one for one in path.parent.iterdir() if one.name.startswith(start) and one.name.endswith(".part")
        ]:
            writer = found.name.removeprefix(start).removesuffix(".part").partition("@")[0]
            if found.is_file() and writer.isdecimal() and (found.name.endswith(_of_here()) or _is_old(found)):
                _remove_unheld(found)


def _is_old(found: Path) -> bool:
    return time.time() - found.stat(follow_symlinks=False).st_mtime > _ELSEWHERE_S


def _remove_unheld(found: Path) -> None:
    """Remove a partial file, or a folder with all that is in it, that no living process of this machine holds."""
    with suppress(OSError):
        is_folder = stat.S_ISDIR(found.stat(follow_symlinks=False).st_mode)
        descriptor = os.open(
            found, (os.O_RDONLY if is_folder else os.O_RDWR) | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        )
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(found) if is_folder else found.unlink()
        finally:
            os.close(descriptor)
