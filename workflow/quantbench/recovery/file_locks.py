"""Lock files, which the kernel frees when their process dies, and where those of this machine stand."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from ..errors import QuantbenchError
from ..reading.os_errors import reason, unwritable

_ELSEWHERE = "remove it, or set TMPDIR to a folder of your own on a local disk"


def user_folder() -> Path:
    """This user's folder among the temporary files, made where it is not there, which nobody else may enter.

    Raises:
        QuantbenchError: it belongs to others, is no folder, or cannot be made.
    """
    folder = Path(tempfile.gettempdir()) / f"quantbench-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.stat(follow_symlinks=False)
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and found.st_mode & 0o077:
            folder.chmod(0o700)
    except FileExistsError:
        raise QuantbenchError(f"{folder}: no folder; {_ELSEWHERE}") from None
    except OSError as error:
        raise QuantbenchError(
            f"{folder}: not made ({reason(error)}); set TMPDIR to a folder that you may write"
        ) from None
    if not stat.S_ISDIR(found.st_mode):  # a link too: whoever made it decides where it leads
        raise QuantbenchError(f"{folder}: no folder; {_ELSEWHERE}")
    if found.st_uid != os.getuid():
        raise QuantbenchError(f"{folder}: belongs to others; {_ELSEWHERE}")
    return folder


def try_lock(path: Path, remedy: str, mode: int | None = None) -> FileLock | None:
    """Lock a file, making it and its folder where they are not there; a process that dies gives its locks back.

    Args:
        path: the lock file.
        remedy: what to do where it cannot be locked.
        mode: permissions of a new lock file, whatever the umask; None: as the umask has them.

    Returns:
        The lock, to be released; None where another process holds it.

    Raises:
        QuantbenchError: the folder cannot be written, what stands there is no file of this user's, or the file system has no locks.
    """
    return _taken(path, remedy, mode, timeout=0)


@contextmanager
def held(path: Path, remedy: str, waiting: str = "", mode: int | None = None) -> Iterator[bool]:
    """Hold a lock file, waiting for whoever holds it; yields whether it had to be waited for.

    Args:
        path: as of :func:`try_lock`.
        remedy: as of :func:`try_lock`.
        waiting: what is said before waiting; empty: nothing.
        mode: as of :func:`try_lock`.

    Raises:
        QuantbenchError: as :func:`try_lock`.
    """
    lock = _taken(path, remedy, mode, timeout=0)
    waited = lock is None
    if waited and waiting:
        print(waiting, file=sys.stderr, flush=True)
    lock = lock or _taken(path, remedy, mode, timeout=-1)
    assert lock is not None
    try:
        yield waited
    finally:
        lock.release()


def _taken(path: Path, remedy: str, mode: int | None, timeout: float) -> FileLock | None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(path.parent, error, QuantbenchError) from None
    lock = FileLock(path) if mode is None else FileLock(path, mode=mode)
    try:
        lock.acquire(timeout=timeout)
    except Timeout:
        return None
    except OSError as error:
        why = "it is a symbolic link" if path.is_symlink() else reason(error)
        raise QuantbenchError(f"{path}: cannot be locked ({why}); {remedy}") from None
    with suppress(OSError):
        os.utime(path)  # systems remove what lies untouched among the temporary files, held or not
    return lock
