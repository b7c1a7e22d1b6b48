"""Where a model goes on the GPUs it was given, by their free memory at that moment; refused before anything is loaded."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from ..contracts.measurements import PlacedPart, Process
from ..errors import ModelError
from ..measure.memory import DeviceMemory, device_memory
from ..measure.neighbours import Neighbours
from ..planner import GIB, Gpu, Placement, Setting, nearest_gpu, place, plan_memory


@dataclass(frozen=True)
class LeasedGpu:
    """One leased GPU just before a model is loaded.

    Attributes:
        uuid: its own.
        memory: free and in all, this process's CUDA context taken off.
        others: foreign processes that hold memory there, with their bytes.
    """

    uuid: str
    memory: DeviceMemory
    others: Sequence[Process] = ()


def leased_gpus(neighbours: Neighbours) -> list[LeasedGpu]:
    """The leased GPUs as they are now, in CUDA's order. Makes this process's context on each, which takes memory too.

    Args:
        neighbours: who computed there before this process did; of all visible GPUs, in CUDA's order.
    """
    found = zip(neighbours.uuids, device_memory(), strict=True)
    return [LeasedGpu(uuid, memory, neighbours.holding(uuid)) for uuid, memory in found]


def kind_of(gpus: Sequence[LeasedGpu]) -> Gpu:
    """The kind of GPU that they are planned for, by the memory of the smallest and the generation of the first."""
    smallest = min(gpu.memory.total_bytes for gpu in gpus)
    return nearest_gpu(smallest / GIB, torch.cuda.get_device_capability(0))


def placed(what: str, gpus: Sequence[LeasedGpu], largest: Setting, least: Setting) -> Placement:
    """Place a model by what is free.

    Args:
        what: the cell, in words.
        gpus: what it may use.
        largest: what it holds with the largest of its batches.
        least: what it holds at least, with one sample alone.

    Returns:
        Where each piece goes. Where the largest batches do not fit, standard error says so: they are halved when they run.

    Raises:
        ModelError: not even ``least`` fits; names free and needed memory of each GPU, and who holds some.
    """
    free = [gpu.memory.free_bytes for gpu in gpus]
    found = place(largest, free)
    if found is not None:
        return found
    found = place(least, free)
    if found is None:
        raise ModelError(
            f"{what}: the free memory of {_counted(gpus)} does not hold it, with one sample at a time; nothing was loaded: "
            f"{_each(gpus, least)}. Wait for what else runs there or choose GPUs with more free memory (CUDA_VISIBLE_DEVICES), give "
            "more of them (--resources gpu=N, and lower hardware.gpu_memory_gib so that the cell asks for them), or choose a smaller "
            "precision or fewer worked examples"
        )
    print(
        f"{what}: the largest batches do not fit beside the model in what is free now and are halved: {_each(gpus, largest)}; a lower "
        "inference.token_budget plans smaller ones",
        file=sys.stderr,
        flush=True,
    )
    return found


def parts_of(placement: Placement, uuids: Sequence[str]) -> list[PlacedPart]:
    """A placement in words, GPU by GPU, as ``measurements.json`` states it."""
    return [PlacedPart(uuid=uuid, holds=_held(placement, index)) for index, uuid in enumerate(uuids)]


def _held(placement: Placement, device: int) -> str:
    blocks = [number for number, where in enumerate(placement.blocks) if where == device]
    pieces = [
        "embedding" if placement.embedding == device else "",
        f"blocks {blocks[0]} to {blocks[-1]}" if len(blocks) > 1 else f"block {blocks[0]}" if blocks else "",
        "head" if placement.head == device else "",
    ]
    return ", ".join(filter(None, pieces)) or "nothing"


def _counted(gpus: Sequence[LeasedGpu]) -> str:
    return "the GPU" if len(gpus) == 1 else f"{len(gpus)} GPUs"


def _each(gpus: Sequence[LeasedGpu], setting: Setting) -> str:
    """Free and needed memory of each GPU, needed as if all had the same."""
    needed = [device.needed_bytes for device in plan_memory(setting).devices]
    return "; ".join(
        f"GPU {index} ({gpu.uuid}) has {gpu.memory.free_bytes / GIB:.2f} of {gpu.memory.total_bytes / GIB:.1f} GiB free and needs "
        f"{peak / GIB:.2f}{_holders(gpu.others)}"
        for index, (gpu, peak) in enumerate(zip(gpus, needed, strict=True))
    )


def _holders(others: Sequence[Process]) -> str:
    held = [
        f"process {one.pid} ({one.name}){f' holds {one.used_bytes / GIB:.1f}' if one.used_bytes else ' computes there'}"
        for one in others
    ]
    return f", while {', '.join(held)}" if held else ""
