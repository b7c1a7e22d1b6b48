"""Leases: a cell holds its GPUs alone, by a lock file each, on this machine."""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock

from ..errors import QuantbenchError
from ..measure.nvml import is_slice
from ..reading.text_files import read_text
from ..recovery import held as held_lock
from ..recovery import try_lock, user_folder
from .inventory import foreign_processes, visible_devices

# How often a waiting cell says so.
_SAY_S = 60.0
_LONGEST = 4096  # bytes of what a holder says of itself
_REMEDY = "remove it, or set TMPDIR to a folder of your own on a local disk"


def lease_folder() -> Path:
    """Where this machine's leases stand: a folder of this user's among the temporary files.

    Locks are the kernel's and a GPU belongs to one machine, so a local disk is right and a shared one is not: network
    file systems may not pass locks on.

    Raises:
        QuantbenchError: the folder belongs to others, or cannot be made.
    """
    return user_folder() / "leases"


@contextmanager
def lease(
    count: int,
    uuids: list[str],
    folder: Path,
    who: str = "",
    poll_s: float = 2.0,
    foreign: Callable[[str], list[str]] = foreign_processes,
) -> Iterator[list[str]]:
    """Hold ``count`` devices alone, waiting until enough are free.

    The operating system drops the locks of a process that dies, however it dies. Devices on which others compute, who know
    nothing of leases, are taken last, and said.

    Args:
        count: devices to hold.
        uuids: devices to choose from.
        folder: takes one lock file a device.
        who: what the devices are held for, shown to those who wait.
        poll_s: seconds between two tries.
        foreign: tells who computes on a free device.

    Yields:
        The UUIDs held, in the order of ``uuids``.

    Raises:
        QuantbenchError: fewer devices are visible than asked for, several MIG slices are asked for, or the folder takes no locks.
    """
    if count > len(uuids):
        raise QuantbenchError(
            f"the cell needs {count} GPUs and {len(uuids)} are visible; add GPUs, or leave such cells out "
            "(hardware.gpus, hardware.unfit)"
        )
    if count > 1 and any(map(is_slice, uuids)):
        raise QuantbenchError(
            f"the cell needs {count} GPUs and those visible are MIG slices, of which CUDA gives a process only one; name whole GPUs "
            "in CUDA_VISIBLE_DEVICES, make larger slices, or leave such cells out (hardware.gpus: 1, hardware.unfit)"
        )
    held: dict[str, FileLock] = {}
    begin, said = time.monotonic(), -_SAY_S
    try:
        while not _take(held, count, uuids, folder, foreign):
            waited = time.monotonic() - begin
            if waited - said >= _SAY_S:
                _say(f"waiting for {count} of {len(uuids)} GPUs for {waited:.0f} s: {_holders(uuids, folder)}")
                said = waited
            time.sleep(poll_s * (0.5 + random.random()))
        for uuid in held:
            with suppress(OSError):  # only told to those who wait
                _holder_file(folder, uuid).write_text(f"process {os.getpid()} {who}".strip(), encoding="utf-8")
            for process in foreign(uuid):
                _say(f"{uuid} is also used by {process}, which holds no lease: latencies will be marked as contended")
        yield [uuid for uuid in uuids if uuid in held]
    finally:
        for uuid, lock in held.items():
            with suppress(OSError):
                _holder_file(folder, uuid).unlink(missing_ok=True)
            lock.release()


@contextmanager
def lease_visible(count: int, folder: Path, who: str) -> Iterator[list[str]]:
    """Hold ``count`` of the GPUs this process may use, see :func:`lease`; none where none is asked for or none is here."""
    uuids = visible_devices() if count else []
    if not uuids:
        yield []
        return
    with lease(count, uuids, folder, who) as held:
        yield held


def _take(
    held: dict[str, FileLock], count: int, uuids: list[str], folder: Path, foreign: Callable[[str], list[str]]
) -> bool:
    """Try every device; keep ``count`` of them or none, so that two waiting jobs never starve each other.

    One process at a time tries: two that each took a part would both go away empty-handed.
    """
    with held_lock(folder / "gate.lock", _REMEDY):
        for uuid in uuids:
            lock = try_lock(folder / f"{uuid}.lock", _REMEDY)
            if lock is not None:
                held[uuid] = lock
        free = sorted(held, key=lambda uuid: len(foreign(uuid))) if len(held) > count else list(held)
        for uuid in free[count:] if len(free) >= count else free:
            held.pop(uuid).release()
    return len(held) == count


def _holders(uuids: list[str], folder: Path) -> str:
    """Who holds each device, as far as they have said so."""
    found = []
    for uuid in uuids:
        try:
            found.append(f"{uuid} {read_text(_holder_file(folder, uuid), limit=_LONGEST)}")
        except QuantbenchError:
            continue
    return "; ".join(found) or "held by others"


def _holder_file(folder: Path, uuid: str) -> Path:
    return folder / f"{uuid}.holder"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
