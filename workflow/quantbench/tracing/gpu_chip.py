"""What of a GPU's chip decides on memory: its compute capability and number of multiprocessors."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import ConfigError, nearest


@dataclass(frozen=True)
class Chip:
    """A chip by NVIDIA's data sheet.

    Attributes:
        multiprocessors: streaming multiprocessors that are switched on.
        major: of the compute capability.
        minor: likewise.
    """

    multiprocessors: int
    major: int
    minor: int

    @property
    def cublas_workspace(self) -> int:
        """Bytes that cuBLAS gets on each device at its first product, and keeps.

        ``parseChosenWorkspaceSize`` of torch's ``aten/src/ATen/cuda/CublasHandlePool.cpp``: ``:4096:8`` (32 MiB) on compute
        capability 9.0, ``:4096:2:16:8`` (8.1 MiB) on others, as long as ``CUBLAS_WORKSPACE_CONFIG`` is not set.
        """
        hopper = (self.major, self.minor) == (9, 0)
        return (4096 * 8 if hopper else 4096 * 2 + 16 * 8) * 1024


# By the names of quantbench.planner.GPUS.
CHIPS = {
    "rtx4090": Chip(128, 8, 9),
    "a100-40gb": Chip(108, 8, 0),
    "l40s": Chip(142, 8, 9),
    "a100-80gb": Chip(108, 8, 0),
    "h100-80gb": Chip(132, 9, 0),
    "h200": Chip(132, 9, 0),
}


def chip(gpu: str) -> Chip:
    """The chip of a GPU.

    Args:
        gpu: a key of :data:`quantbench.planner.GPUS`.

    Raises:
        ConfigError: no such GPU is known.
    """
    if gpu not in CHIPS:
        raise ConfigError(f"--gpu has the value {gpu!r}; known are {', '.join(CHIPS)}{nearest(gpu, CHIPS)}")
    return CHIPS[gpu]
