"""Which GPU holds which piece of a model: whole blocks, in the order in which they run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Placement:
    """The device of each piece that is placed whole; devices count from 0, in the order in which they are visible.

    Attributes:
        embedding: of the embedding table: the first device.
        blocks: of each transformer block, in the order in which they run; never decreasing.
        head: of the output head: the last device, or the embedding's, whose weight a tied head is.
    """

    embedding: int
    blocks: tuple[int, ...]
    head: int

    @property
    def devices(self) -> int:
        """How many devices hold something."""
        return len({self.embedding, *self.blocks, self.head})
