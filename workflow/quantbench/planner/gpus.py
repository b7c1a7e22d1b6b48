"""GPUs by their data sheets: what memory and time are planned by."""

from __future__ import annotations

from dataclasses import dataclass

_TERA = 1e12
_KIB = 1024


@dataclass(frozen=True)
class Gpu:
    """One kind of device.

    Attributes:
        title: name for people.
        memory_gib: memory of one.
        bandwidth: bytes a second between its memory and its processors.
        flops: dense 16-bit multiplications and additions a second, by its matrix units.
        multiprocessors: streaming multiprocessors that are switched on; 0 on a CPU.
        capability: compute capability, major and minor.
    """

    title: str
    memory_gib: float
    bandwidth: float
    flops: float
    multiprocessors: int = 0
    capability: tuple[int, int] = (0, 0)

    @property
    def cublas_workspace(self) -> int:
        """Bytes that cuBLAS is given on a device at its first product, and keeps.

        ``parseChosenWorkspaceSize`` of PyTorch's ``aten/src/ATen/cuda/CublasHandlePool.cpp``: ``:4096:8`` (32 MiB) on Hopper
        and Blackwell, ``:4096:2:16:8`` (8.1 MiB) on others, as long as ``CUBLAS_WORKSPACE_CONFIG`` is not set; cuBLASLt has
        the same one.
        """
        return (4096 * 8 if self.capability[0] in (9, 10, 12) else 4096 * 2 + 16 * 8) * _KIB


# NVIDIA's data sheets and CUDA's table of compute capabilities; of variants the slower one's bandwidth.
GPUS = {
    "rtx4090": Gpu("RTX 4090", 24, 1.008 * _TERA, 165 * _TERA, 128, (8, 9)),
    "a100-40gb": Gpu("A100 40GB", 40, 1.555 * _TERA, 312 * _TERA, 108, (8, 0)),
    "l40s": Gpu("L40S", 48, 0.864 * _TERA, 362 * _TERA, 142, (8, 9)),
    "a100-80gb": Gpu("A100 80GB", 80, 1.935 * _TERA, 312 * _TERA, 108, (8, 0)),
    "h100-80gb": Gpu("H100 80GB", 80, 3.35 * _TERA, 989 * _TERA, 132, (9, 0)),
    "h200": Gpu("H200", 141, 4.8 * _TERA, 989 * _TERA, 132, (9, 0)),
}
# One core of a server, deliberately slow: jobs on CPU ask for enough time.
CPU = Gpu("CPU", 0, 0.01 * _TERA, 0.05 * _TERA)


def nearest_gpu(memory_gib: float, capability: tuple[int, int] | None = None) -> Gpu:
    """The slowest listed GPU of the largest size that is not above ``memory_gib``; below all sizes, of the smallest.

    Args:
        memory_gib: of one GPU.
        capability: only those of this compute capability, if there are any; None: not known.
    """
    listed = [gpu for gpu in GPUS.values() if gpu.capability == capability] or list(GPUS.values())
    sizes = {gpu.memory_gib for gpu in listed}
    # A GPU shows a little less memory than it is sold with.
    size = max((size for size in sizes if size <= memory_gib * 1.05), default=min(sizes))
    return min((gpu for gpu in listed if gpu.memory_gib == size), key=lambda gpu: gpu.bandwidth)
