"""What one device of several holds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DevicePart:
    """The pieces of a model on one device.

    Attributes:
        blocks: how many transformer blocks.
        embedding: whether the embedding table is among them.
        head: whether the output head is, which a tied head's device shares with the embedding.
    """

    blocks: int
    embedding: bool = False
    head: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether the device holds nothing."""
        return not (self.blocks or self.embedding or self.head)
