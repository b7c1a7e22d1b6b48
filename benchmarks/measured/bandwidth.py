"""How fast the device moves memory: a copy from one buffer to another, the ceiling that decoding is held against."""

from __future__ import annotations

import time

import torch


def copy_bytes_per_s(device: str, size: int | None = None, repeats: int = 5) -> float:
    """Bytes read and written a second by the quickest of some copies of ``size`` bytes (1 GiB on CUDA, 64 MiB on CPU)."""
    size = size or (1 << 30 if device == "cuda" else 1 << 26)
    source = torch.ones(size, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    times = []
    for _ in range(repeats + 1):
        _wait(device)
        begin = time.perf_counter()
        target.copy_(source)
        _wait(device)
        times.append(time.perf_counter() - begin)
    return 2 * size / min(times[1:])  # the first one is the warm-up


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()
