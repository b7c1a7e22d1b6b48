"""A models folder that several users and jobs share: one download or quantization at a time, files for the whole group.

Whether a folder is shared is read from the folder itself: where its group may write, everything put there is given the
folder's group and made readable and writable for it, whatever the umask.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..reading.os_errors import unwritable
from ..recovery import held


@contextmanager
def alone(folder: Path, name: str) -> Iterator[None]:
    """Hold the lock of ``name`` in a models folder, across processes and users; says so where it has to wait.

    Raises:
        QuantbenchError: the folder takes no locks.
    """
    locks, remedy = folder / ".locks", "make the models folder writable, or name another one (models_folder)"
    try:
        locks.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(locks, error) from None
    share(locks)
    path, mode = locks / f"{name}.lock", 0o664 if _is_shared(folder) else 0o644
    waiting = f"{name}: waiting for another job or user, who is preparing it"
    with held(path, remedy, waiting, mode):
        share(path)
        yield


def share(path: Path) -> None:
    """Give ``path`` and what lies below it to the group of the folder it stands in, where that folder is shared."""
    if not _is_shared(path.parent):
        return
    group = path.parent.stat().st_gid
    for item in [path, *path.rglob("*")] if path.is_dir() else [path]:
        # Files of another user are theirs to change; they did so when they put them here.
        with suppress(PermissionError):
            if item.stat().st_gid != group:
                os.chown(item, -1, group)
            more = stat.S_ISGID | stat.S_IRWXG if item.is_dir() else stat.S_IRGRP | stat.S_IWGRP
            item.chmod(stat.S_IMODE(item.stat().st_mode) | more)


def _is_shared(folder: Path) -> bool:
    return bool(folder.stat().st_mode & stat.S_IWGRP)
