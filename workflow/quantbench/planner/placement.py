"""Which GPU holds which piece of a model: whole blocks, in the order in which they run.

The final normalization stands with the last block. One function decides this, for plans, requests and loading alike.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from .device_part import DevicePart
from .setting import Setting
from .terms import needed_by_blocks


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

    def part(self, device: int) -> DevicePart:
        """What a device holds."""
        return DevicePart(self.blocks.count(device), device == self.embedding, device == self.head)


def place(setting: Setting, free_bytes: Sequence[float]) -> Placement | None:
    """Spread a setting over devices so that the fullest one holds as little as possible, be it at its peak or while loading.

    Exact for blocks that are alike, as they are taken to be. The setting's own number of devices is disregarded.

    Args:
        setting: what is to be generated, by which model.
        free_bytes: what each device has left for PyTorch's allocator: free memory once a CUDA context stands.

    Returns:
        The placement; None where no placement leaves every device within its free bytes.
    """
    found = [
        spread for last in _last_devices(setting, free_bytes) if (spread := _Filling(setting, free_bytes, last).best())
    ]
    return min(found, key=lambda spread: spread.most).placement() if found else None


def _last_devices(setting: Setting, free_bytes: Sequence[float]) -> list[int]:
    """Devices that the last piece may go to: those with more free bytes than any later one, which would do as well."""
    return [index for index, free in enumerate(free_bytes) if all(free > later for later in free_bytes[index + 1 :])]


@dataclass(frozen=True)
class _Spread:
    """Blocks on each device, and the bytes at the peak of the fullest one."""

    blocks: list[int]
    head: int
    most: float

    def placement(self) -> Placement:
        return Placement(0, tuple(device for device, count in enumerate(self.blocks) for _ in range(count)), self.head)


class _Filling:
    """Fills devices one after another up to a limit; the last piece goes to device ``last`` of them."""

    def __init__(self, setting: Setting, free_bytes: Sequence[float], last: int) -> None:
        self._setting, self._free, self._last = setting, free_bytes[: last + 1], last
        self._head = 0 if setting.facts.tied_head else last
        self._layers = setting.facts.layers

    def best(self) -> _Spread | None:
        """The spread with the least maximum: the smallest possible peak up to which filling finds room for all blocks."""
        limits = sorted({peak for peaks in self._peaks for peak in peaks})
        low, high = 0, len(limits) - 1
        if self._filled(limits[high]) is None:
            return None
        while low < high:
            middle = (low + high) // 2
            if self._filled(limits[middle]) is None:
                low = middle + 1
            else:
                high = middle
        blocks = self._filled(limits[high])
        return None if blocks is None else _Spread(blocks, self._head, limits[high])

    def _filled(self, limit: float) -> list[int] | None:
        """Blocks on each device where none exceeds the limit or its free bytes; None: some do not find room."""
        left, counts = self._layers, []
        for device, free in enumerate(self._free):
            peaks = self._peaks[device]
            room = bisect_right(peaks, min(limit, free)) - 1
            if room < 0:
                return None
            counts.append(min(room, left))
            left -= counts[-1]
        return None if left else counts

    @cached_property
    def _peaks(self) -> list[list[float]]:
        """Of each device its peak with 0, 1, ... blocks."""
        kinds = [(device == 0, device == self._head) for device in range(self._last + 1)]
        of_kind = {kind: needed_by_blocks(self._setting, *kind) for kind in set(kinds)}
        return [of_kind[kind] for kind in kinds]
