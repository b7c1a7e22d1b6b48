"""Telling that memory ran out from all other errors, and letting go of what the failed work held."""

from __future__ import annotations

import errno
import gc
import re
import traceback
from collections.abc import Iterator
from dataclasses import dataclass

import psutil
import torch

from ..measure import memory
from ..planner import GIB

# What a device or the processor raises where memory runs out; :func:`is_out_of_memory` tells which of them it was.
POSSIBLE = (torch.OutOfMemoryError, MemoryError, OSError, RuntimeError)
# torch has an error of its own for what its allocator is refused. Libraries that allocate beside it (cuBLAS, cuDNN, Triton),
# CUDA itself and the processor's allocators say it in plain errors, which only their texts tell apart.
_SAID = re.compile(
    r"out of memory|alloc_failed|allocation_failed|bad_alloc|cudaErrorMemoryAllocation"
    r"|can(?:'t|not) allocate memory|(?:unable|failed|could not|not enough memory) to allocate|not enough memory"
    # cuBLAS makes its workspace with its handle, and calls it not initialized where there is no room.
    r"|CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate"
    # torch asks NVML who holds the memory that it lacks, which a part of a GPU (MIG) and some containers refuse.
    r"|NVML_SUCCESS == r INTERNAL ASSERT FAILED at .*CUDACachingAllocator"
    # transformers and accelerate, of a quantized model whose layers find no room.
    r"|modules are dispatched on the CPU or the disk",
    re.IGNORECASE,
)
_CUDA_MEMORY_ALLOCATION = 2  # cudaErrorMemoryAllocation
_ASKED = re.compile(r"(?:tried|trying) to allocate ([\d.]+) ?(bytes|[KMG]iB|B)\b", re.IGNORECASE)
_IN_HOST = re.compile(
    r"DefaultCPUAllocator|can(?:'t|not) allocate memory|unable to allocate|bad_alloc|^MemoryError$", re.IGNORECASE
)
_DEVICE = re.compile(r"\bGPU (\d+)\b")
_UNITS = {"B": 1, "BYTES": 1, "KIB": 1024, "MIB": 1024**2, "GIB": GIB}

_ON_GPUS = (
    "give it a GPU with more free memory (nvidia-smi shows who holds some), more GPUs (--resources gpu=N, hardware.gpus), or choose "
    "a smaller precision"
)
_ON_CPU = "end other programs, run fewer cells at a time (--cores), or choose a smaller precision or model"


@dataclass(frozen=True)
class Shortage:
    """What an error says of memory that ran out.

    Attributes:
        said: its first line.
        asked_bytes: how much was asked for; None: it does not say.
        device: on which GPU; None: it does not say.
        in_host: whether it is the host's memory, by the words of its allocators.
    """

    said: str
    asked_bytes: float | None
    device: int | None
    in_host: bool

    @classmethod
    def read(cls, text: str) -> Shortage:
        """What a library's text says; of several lines the first that speaks of memory."""
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        said = next((line for line in lines if _SAID.search(line)), lines[0] if lines else "out of memory")
        asked, device = _ASKED.search(text), _DEVICE.search(said)
        return cls(
            said=said.partition(" Of the allocated memory")[0],  # then PyTorch goes on with how fragmented it is
            asked_bytes=float(asked[1]) * _UNITS[asked[2].upper()] if asked else None,
            device=int(device[1]) if device else None,
            in_host=bool(_IN_HOST.search(said)),
        )


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, on a device or in the host, by an error or by one that it was raised from."""
    return any(map(_is_one, chain_of(error)))


def says_out_of_memory(text: str) -> bool:
    """Whether a library's text is one of those that memory runs out with."""
    return bool(_SAID.search(text))


def shortage(error: BaseException) -> Shortage:
    """What an error of which :func:`is_out_of_memory` holds says of the memory that ran out."""
    found = next((one for one in chain_of(error) if _is_one(one)), error)
    return Shortage.read(str(found) or type(found).__name__)


def chain_of(error: BaseException) -> Iterator[BaseException]:
    """An error, and those that it was raised from or while they were handled."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)


def let_go(error: BaseException) -> Shortage:
    """Empty the frames that an error passed through, which hold the failed work's tensors; returns what it says of memory."""
    lacking = shortage(error)
    for one in chain_of(error):
        traceback.clear_frames(one.__traceback__)
    return lacking


def asked_and_free(lacking: Shortage) -> str:
    """Where memory ran out, how much was asked for, how much is free there now and what can be done, to follow ``out of memory``."""
    asked = "" if lacking.asked_bytes is None else f"asked for {lacking.asked_bytes / GIB:.2f} GiB, "
    found = memory.device_memory()
    if lacking.in_host or not found:
        host = psutil.virtual_memory()
        return f": {asked}{host.available / GIB:.1f} of {host.total / GIB:.1f} GiB are free ({lacking.said}); {_ON_CPU}"
    free = [f"{one.free_bytes / GIB:.2f} of {one.total_bytes / GIB:.1f} GiB" for one in found]
    if lacking.device is not None and lacking.device < len(found):
        where, left = f" on GPU {lacking.device}", f"{free[lacking.device]} are free"
    else:
        where, left = "", "free: " + ", ".join(f"{one} on GPU {index}" for index, one in enumerate(free))
    return f"{where}: {asked}{left} ({lacking.said}); {_ON_GPUS}"


def release() -> None:
    """Let go of what nothing refers to any more; call it outside the handler, whose error holds the failed work's tensors."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _is_one(error: BaseException) -> bool:
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    of_cuda = (
        isinstance(error, torch.AcceleratorError) and getattr(error, "error_code", None) == _CUDA_MEMORY_ALLOCATION
    )
    return of_cuda or says_out_of_memory(str(error))
