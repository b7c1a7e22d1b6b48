"""Bytes alive on each device by what they are for, and the fullest moment of a stage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "weights", "quantization_state", "kv_cache", "activations", "dequantized_matrix", "logits", "cublas_workspace"
]
# The allocator hands out multiples of this many bytes (kMinBlockSize of c10/cuda/CUDACachingAllocator.cpp), and its
# `allocated_bytes` counts blocks. A block of more than 1 MiB may be larger by what was not worth splitting off.
BLOCK = 512


@dataclass(frozen=True, slots=True)
class Piece:
    """What some bytes are for; ``what``: of activations, the kind of module that made them, and their shape."""

    kind: Kind
    what: str = ""


@dataclass(frozen=True)
class Moment:
    """The fullest moment of one device in one stage.

    Attributes:
        bytes: alive then.
        module: at work then, by its name in the model; empty: none of them, as between two calls of the model.
        operation: that made the last of these bytes.
        alive: bytes by what they are for; their sum is ``bytes``.
    """

    bytes: int
    module: str
    operation: str
    alive: dict[Piece, int]

    def by_kind(self) -> dict[Kind, int]:
        """Bytes of each kind."""
        found: dict[Kind, int] = {}
        for piece, held in self.alive.items():
            found[piece.kind] = found.get(piece.kind, 0) + held
        return found


class LiveBytes:
    """What one device holds now, and its fullest moment since the stage began."""

    def __init__(self) -> None:
        self.held: dict[Piece, int] = {}
        self.bytes = 0
        self._overlooks = False
        self.fullest = Moment(0, "", "", {})

    def begin(self) -> None:
        """Begin a stage: its fullest moment so far is now."""
        self.fullest = Moment(self.bytes, "", "", dict(self.held))

    def add(self, piece: Piece, size: int, module: str, operation: str) -> None:
        """Count a new block of ``size`` bytes."""
        self.bytes += size
        self.held[piece] = self.held.get(piece, 0) + size
        if self.bytes > self.fullest.bytes and not self._overlooks:
            self.fullest = Moment(self.bytes, module, operation, dict(self.held))

    def remove(self, piece: Piece, size: int) -> None:
        """Count one less."""
        self.bytes -= size
        self.held[piece] -= size
        if not self.held[piece]:
            del self.held[piece]

    def relabel(self, old: Piece, new: Piece, size: int) -> None:
        """Say what a block is for once it is known."""
        self.remove(old, size)
        self.bytes += size
        self.held[new] = self.held.get(new, 0) + size

    @contextmanager
    def overlooked(self) -> Iterator[None]:
        """No moment in this context counts as the fullest: what happens in it does not happen in a real run."""
        self._overlooks = True
        try:
            yield
        finally:
            self._overlooks = False


def in_blocks(size: int) -> int:
    """Bytes that the allocator counts for a storage of ``size`` bytes."""
    return -(-size // BLOCK) * BLOCK
