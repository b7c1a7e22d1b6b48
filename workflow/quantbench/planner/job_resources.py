"""The resources a cell's job asks for: GPUs, memory, disk, time; a retry asks for more."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from ..config import ModelEntry
from ..config.run import HardwareSettings
from ..contracts.cell_name import Cell
from ..devices import SeenGpus, seen_gpus
from ..devices.processor import this_processor
from ..study.spec import CellSpec
from .fitting import devices_needed
from .gpus import CPU, Gpu, nearest_gpu
from .hours import cell_time, checkpoint_bytes
from .memory_plan import plan_memory
from .setting import Setting, Workload
from .workload import cell_work

# GPU memory where it is neither stated nor to be seen, as on the login node of a cluster: an A100 or H100 of 80 GB.
ASSUMED_GPU_GIB = 80.0
# Each retry plans for GPUs a tenth smaller: a cell that only just fitted gets another one, others keep their number.
_RETRY_GPU_PART = 0.9
# Time asked for, beyond what every answer at its limit is planned to take: a slow disk, a slower GPU of the same size.
_TIME_FACTOR = 1.5
_LEAST_MINUTES = 15
# Host memory of a process that computes on GPUs: Python, the CUDA libraries, prompts; and the piece of the checkpoint that
# is on its way to the GPU, at most one file of 10 GB, the largest size in which hubs keep weights.
_PROCESS_MB, _FILE_MB = 6000, 10000
# Host memory of a process that computes on CPU, beside the model.
_CPU_PROCESS_MB = 2000
_MB = 1e6
# Bytes a written token leaves in predictions, progress and log, and what any answer leaves.
_TOKEN_BYTES, _ANSWER_BYTES, _LEAST_DISK_MB = 12, 1000, 100


@dataclass(frozen=True)
class CellRequest:
    """What one job asks for.

    Attributes:
        gpu: GPUs; 0 on CPU and where they are asked for as a generic resource.
        gres: that generic resource with its count, as SLURM writes it; None elsewhere.
        mem_mb: host memory.
        disk_mb: of results and progress.
        runtime: minutes.
    """

    gpu: int
    gres: str | None
    mem_mb: int
    disk_mb: int
    runtime: int


class Requests:
    """Plans the jobs of one run, each combination once.

    Attributes:
        hardware: what jobs may ask for.
        gpu: the kind of device times are planned for.
        gpu_memory_gib: memory of one GPU: stated, seen here or assumed.
        gpu_memory_known: whether it was stated or seen.
        seen: what is known of the GPUs here, where their memory is not stated.
    """

    def __init__(self, hardware: HardwareSettings) -> None:
        self.hardware = hardware
        self._on_cpu = hardware.device == "cpu"
        self.seen = _seen(hardware)
        self.gpu_memory_known = self.seen.memory_gib is not None
        self.gpu_memory_gib = ASSUMED_GPU_GIB if self.seen.memory_gib is None else self.seen.memory_gib
        self.gpu = CPU if self._on_cpu else nearest_gpu(self.gpu_memory_gib)
        self._devices: dict[tuple[str, str, Workload, int], int | None] = {}
        self._seconds: dict[Cell, float] = {}

    def devices(self, spec: CellSpec, attempt: int = 1) -> int | None:
        """GPUs a cell takes at an attempt (0 on CPU); None where it does not fit, one layer on each."""
        if self._on_cpu:
            return 0
        setting = cell_setting(spec, gpu=self.gpu)
        # All that memory depends on; a few combinations stand for hundreds of cells.
        key = (spec.cell.model, spec.cell.precision, setting.workload, attempt)
        if key not in self._devices:
            memory = self.gpu_memory_gib * _RETRY_GPU_PART ** (attempt - 1)
            self._devices[key] = devices_needed(setting, memory)
        return self._devices[key]

    def seconds(self, spec: CellSpec) -> float:
        """Planned time of a cell whose answers all go on to their limit."""
        if spec.cell not in self._seconds:
            self._seconds[spec.cell] = cell_time(spec, self.gpu, "limit").total_s
        return self._seconds[spec.cell]

    def priority(self, spec: CellSpec) -> int:
        """Minutes a cell is planned to take: the longest start first, so that none is left alone at the end."""
        return max(1, round(self.seconds(spec) / 60))

    def request(self, spec: CellSpec, attempt: int = 1) -> CellRequest:
        """What the cell's job asks for at an attempt, counted from 1."""
        hardware = self.hardware
        # A cell that fits nowhere is refused or left out before; 0 is never asked for. A retry stays within one node.
        gpus = min(self.devices(spec, attempt) or self.devices(spec) or 0, hardware.gpus or sys.maxsize)
        by_name = hardware.gres is not None and gpus > 0
        return CellRequest(
            gpu=0 if by_name else gpus,
            gres=f"{hardware.gres}:{gpus}" if by_name else None,
            mem_mb=self._host_mb(spec) * attempt,
            disk_mb=_disk_mb(spec),
            runtime=self._minutes(spec, attempt),
        )

    def _host_mb(self, spec: CellSpec) -> int:
        if not self._on_cpu:
            return _PROCESS_MB + min(_FILE_MB, checkpoint_mb(spec.model))
        # Nothing is timed here: where flags do not tell whether the processor multiplies the format, more is asked for.
        in_float32 = not this_processor().multiplies(spec.model.full_dtype, os.environ)
        # Weights are there twice while they load.
        return _CPU_PROCESS_MB + math.ceil(
            2 * plan_memory(cell_setting(spec, in_float32=in_float32, gpu=CPU)).peak_bytes / _MB
        )

    def _minutes(self, spec: CellSpec, attempt: int) -> int:
        asked = max(_LEAST_MINUTES, math.ceil(_TIME_FACTOR * self.seconds(spec) / 60)) * attempt
        limit = self.hardware.runtime_limit_hours
        return asked if limit is None else min(asked, max(1, math.floor(limit * 60)))


def cell_setting(
    spec: CellSpec, devices: int = 1, *, alone: bool = False, in_float32: bool = False, gpu: Gpu | None = None
) -> Setting:
    """What a cell holds at most, as its job asks for it.

    How many tokens its prompts share is known once they are built: the cache is planned for all that they may share, and the
    passes through the model for none.

    Args:
        spec: the cell.
        devices: GPUs it is spread over.
        alone: one sample at a time, as in the measurement; else the largest batch of its plan.
        in_float32: see :class:`.setting.Setting`.
        gpu: the kind of these GPUs; None: the one that a configured size of memory stands for.
    """
    work, hardware = cell_work(spec), spec.hardware
    batched = spec.inference.engine != "single" and not alone
    load = Workload(
        work.longest_prompt,
        work.limit,
        batch=work.largest_batch if batched else 1,
        devices=devices,
        chains=work.rows,
        shared_tokens=work.prompt_tokens if batched else 0,
        read_tokens=work.longest_prompt,
        reserves=batched,
        likelihoods=spec.keeps_likelihoods and not alone,
    )
    if gpu is None:
        gpu = CPU if hardware.device == "cpu" else nearest_gpu(_seen(hardware).memory_gib or ASSUMED_GPU_GIB)
    return Setting(spec.model, spec.precision, load, in_float32=in_float32, gpu=gpu)


def checkpoint_mb(model: ModelEntry) -> int:
    """Disk that a model's published weights take."""
    return math.ceil(checkpoint_bytes(model) / _MB)


def gpus_asked_for(resources: Mapping[str, str | int | None]) -> int:
    """GPUs of a job by its resources, whichever of the two names they were asked for by."""
    gres = resources.get("gres")
    return int(str(gres).rpartition(":")[2]) if gres else int(resources.get("gpu") or 0)


def _disk_mb(spec: CellSpec) -> int:
    work = cell_work(spec)
    answer = _ANSWER_BYTES + work.limit * _TOKEN_BYTES
    return max(_LEAST_DISK_MB, math.ceil(2 * work.samples * work.rows * answer / _MB))


def _seen(hardware: HardwareSettings) -> SeenGpus:
    """The GPUs to plan for. Stated ones may be those of other machines, so that what is here does not count."""
    if hardware.gpu_memory_gib != "auto":
        return SeenGpus(float(hardware.gpu_memory_gib))
    return SeenGpus(None) if hardware.device == "cpu" else seen_gpus()
