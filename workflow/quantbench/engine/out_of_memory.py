"""Telling that memory ran out from all other errors, and letting go of what the failed work held."""

from __future__ import annotations

import gc

import torch

# What a device or the processor raises where memory runs out; :func:`is_out_of_memory` tells which of them it was.
POSSIBLE = (torch.OutOfMemoryError, MemoryError, RuntimeError)


def is_out_of_memory(error: Exception) -> bool:
    """CUDA has an error of its own; on CPU torch raises a plain RuntimeError that only its text tells apart."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)


def release() -> None:
    """Let go of what nothing refers to any more; call it outside the handler, whose error holds the failed work's tensors."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
