"""The checks by name, in the order in which they run, each with its time limit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from . import cells, machine, peaks, shortage
from .found import Found, Setup


@dataclass(frozen=True)
class Kind:
    """What a check does, the seconds it may take, and the device it needs.

    Attributes:
        run: raises where the check fails, and NotTried where it cannot be tried.
        limit_s: on a GPU; a rehearsal gives more.
        needs_gpu: a rehearsal leaves it out.
        devices: GPUs it uses.
    """

    run: Callable[[Setup], Found]
    limit_s: float
    needs_gpu: bool = False
    devices: int = 1


def registry(setup: Setup) -> dict[str, Kind]:
    """All checks that this setup knows of."""
    found = {
        "CUDA": Kind(machine.check_cuda, 60, needs_gpu=True),
        "NVML": Kind(machine.check_nvml, 20, needs_gpu=True),
        "data": Kind(cells.prepare_data, 30),
    }
    for precision in cells.PRECISIONS:
        for engine in cells.ENGINES:
            run = partial(cells.run_cell, precision=precision, engine=engine)
            found[f"cell {precision} {engine}"] = Kind(run, 60)
    found["quantize"] = Kind(cells.quantize, 40)
    found["cell from checkpoint"] = Kind(cells.run_cell_from_checkpoint, 60)
    for model in setup.models:
        for precision in cells.PRECISIONS:
            run = partial(peaks.compare_peaks, model=model, precision=precision)
            found[f"peak {model} {precision}"] = Kind(run, 60)
    found["out of memory while loading"] = Kind(shortage.while_loading, 60, needs_gpu=True)
    found["out of memory while answering"] = Kind(shortage.while_answering, 60, needs_gpu=True)
    several = partial(peaks.compare_peaks, model=setup.models[-1], precision="full")
    found["several GPUs"] = Kind(several, 60, needs_gpu=True, devices=2)
    return found
