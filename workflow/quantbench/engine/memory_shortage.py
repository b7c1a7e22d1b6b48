"""What is said of memory that ran out beside a loaded model; what the failed work held is let go of first."""

from __future__ import annotations

import traceback

import psutil
import torch

from ..models.out_of_memory import chain_of, release, shortage
from ..planner import GIB


def let_go(error: BaseException) -> str:
    """Empty the frames that the error passed through, which hold the failed work's tensors; returns what it says of memory."""
    # PyTorch goes on with how much of it is fragmented.
    said = shortage(error).said.partition(" Of the allocated memory")[0].rstrip(".")
    for one in chain_of(error):
        traceback.clear_frames(one.__traceback__)
    return said


def now_free() -> str:
    """What is free of each GPU, or of the host's memory, once everything unused is let go of; to follow what was said."""
    release()
    if not torch.cuda.is_available():
        host = psutil.virtual_memory()
        return f"; now free: {host.available / GIB:.2f} of {host.total / GIB:.2f} GiB"
    told = []
    for index in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(index)
        own = torch.cuda.memory_reserved(index)
        told.append(f"{free / GIB:.2f} of {total / GIB:.2f} GiB on GPU {index} (this process holds {own / GIB:.2f})")
    return f"; now free: {', '.join(told)}"
