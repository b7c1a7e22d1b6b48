"""Draws of documents, in portions so that memory stays small however many draws and documents there are."""

from __future__ import annotations

import numpy as np

from ..tasks.metrics import Counts

# Bytes of one chunk of drawn documents; up to four arrays of that size exist at once.
CHUNK_BYTES = 32 * 2**20


def chunks(draws: int, bytes_each: int) -> list[slice]:
    """All draws in portions, whose arrays of so many bytes a draw stay within :data:`CHUNK_BYTES`."""
    size = max(1, CHUNK_BYTES // bytes_each)
    return [slice(start, min(start + size, draws)) for start in range(0, draws, size)]


def size_of(chunk: slice) -> int:
    """How many draws a portion has."""
    return int(chunk.stop - chunk.start)


def times_drawn(drawn: Counts, places: int) -> Counts:
    """How often each place was drawn, draw by draw: from places, shape ``(draws, n)``, which are overwritten, to ``(draws, places)``."""
    draws = len(drawn)
    drawn += np.arange(draws)[:, None] * places
    return np.bincount(drawn.ravel(), minlength=draws * places).reshape(draws, places)
