"""GPU inventory and leases: which devices this process may see, and which it holds alone while a cell runs."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from .errors import QuantbenchError


def visible_devices() -> list[str]:
    """UUIDs of the GPUs this process may use, by NVML, narrowed by ``CUDA_VISIBLE_DEVICES``; empty without a GPU."""
    try:
        import pynvml

        pynvml.nvmlInit()
    except Exception:  # no NVML, no driver, no GPU: all mean that cells run on CPU
        return []
    count = pynvml.nvmlDeviceGetCount()
    uuids = [str(pynvml.nvmlDeviceGetUUID(pynvml.nvmlDeviceGetHandleByIndex(index))) for index in range(count)]
    preset = os.environ.get("CUDA_VISIBLE_DEVICES")
    return uuids if preset is None else _narrow(uuids, preset)


def _narrow(uuids: list[str], preset: str) -> list[str]:
    chosen = []
    for item in (part.strip() for part in preset.split(",") if part.strip()):
        match = (
            [uuids[int(item)]]
            if item.isdigit() and int(item) < len(uuids)
            else [u for u in uuids if u.startswith(item)]
        )
        if not match:
            raise QuantbenchError(
                f"CUDA_VISIBLE_DEVICES names {item!r}, but the devices here are {', '.join(uuids) or 'none'}"
            )
        chosen.append(match[0])
    return chosen


@contextmanager
def lease(count: int, uuids: list[str], folder: Path, poll_s: float = 2.0) -> Iterator[list[str]]:
    """Hold ``count`` devices alone, by one lock file each, waiting until enough are free.

    The operating system drops the locks of a process that dies, however it dies.

    Raises:
        QuantbenchError: fewer devices are visible than asked for.
    """
    if count > len(uuids):
        raise QuantbenchError(
            f"the cell needs {count} GPUs and {len(uuids)} are visible; raise hardware.gpu_memory_gib or add GPUs"
        )
    folder.mkdir(parents=True, exist_ok=True)
    held: dict[str, FileLock] = {}
    try:
        while not _take(held, count, uuids, folder):
            print(f"waiting for {count} of {len(uuids)} GPUs, held by other jobs", file=sys.stderr, flush=True)
            time.sleep(poll_s)
        yield list(held)
    finally:
        for lock in held.values():
            lock.release()


def _take(held: dict[str, FileLock], count: int, uuids: list[str], folder: Path) -> bool:
    """Try every device once; keep ``count`` of them or none, so that two waiting jobs never starve each other."""
    for uuid in uuids:
        lock = FileLock(folder / f"{uuid}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        held[uuid] = lock
        if len(held) == count:
            return True
    for lock in held.values():
        lock.release()
    held.clear()
    return False
