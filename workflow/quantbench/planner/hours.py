"""How long cells and whole runs take, on GPUs that are stated."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from ..config import ModelEntry
from ..study.spec import CellSpec
from .gpus import Gpu
from .speed import prompt_seconds, step_seconds
from .weight_bytes import HALF
from .workload import CellWork, cell_work

# "gold": each answer is as long as the gold one of its dataset is on average; "limit": every answer goes on to its limit.
Answers = Literal["gold", "limit"]
# Importing the libraries, preparing prompts, the CUDA context.
START_S = 30.0
# Bytes a second at which a checkpoint, 16 bits a weight, comes from disk.
DISK_BYTES_S = 1e9


@dataclass(frozen=True)
class CellTime:
    """Seconds of one cell's stages."""

    load_s: float
    measure_s: float
    answer_s: float

    @property
    def total_s(self) -> float:
        """From the job's start to its end."""
        return self.load_s + self.measure_s + self.answer_s


@dataclass(frozen=True)
class RunHours:
    """A run's time: ``wall_h`` where as many cells run at once as fit on the GPUs, and ``gpu_h`` over all of them."""

    wall_h: float
    gpu_h: float


def checkpoint_bytes(model: ModelEntry) -> int:
    """Bytes of a model's published weights, 16 bits each."""
    return model.stored_bytes or HALF * model.counted.parameters


def cell_time(spec: CellSpec, gpu: Gpu, answers: Answers) -> CellTime:
    """Seconds of one cell on GPUs of one kind.

    The measurement pass runs a sample at a time, and some of these again at a fixed length. In the quality pass a batch takes as many steps as its longest answer,
    taken as the mean one's length: batches hold samples of similar length.
    """
    work = cell_work(spec)
    tokens = work.answer_tokens if answers == "gold" else work.limit
    apart = spec.protocol.timing == "apart"
    timed = min(spec.measurement.latency_samples + spec.measurement.warmup, work.samples) if apart else 0
    again, length = min(spec.measurement.fixed_samples, spec.measurement.latency_samples, timed), spec.fixed_new_tokens
    fixed_s = 0.0 if length is None else again * _batch_seconds(spec, gpu, work, length, samples=1)
    # A model whose own settings are greedy answers once; which ones are is not known before they are retrieved.
    times = spec.protocol.repeats * spec.chains // spec.rows
    batches = times * -(-work.samples // work.batch)
    return CellTime(
        load_s=START_S + checkpoint_bytes(spec.model) / DISK_BYTES_S,
        measure_s=timed * _batch_seconds(spec, gpu, work, tokens, samples=1) + fixed_s,
        answer_s=batches * _batch_seconds(spec, gpu, work, tokens, samples=work.batch),
    )


def run_hours(seconds: Sequence[float], gpus: Sequence[int], total: int) -> RunHours:
    """Time of cells that are started the longest first, each as soon as enough of ``total`` GPUs are free.

    Args:
        seconds: of each cell.
        gpus: each cell takes, at most ``total``.
        total: GPUs there are.
    """
    waiting = sorted(zip(seconds, gpus, strict=True), reverse=True)
    running: list[tuple[float, int]] = []
    now, free = 0.0, total
    while waiting:
        started = next((index for index, (_, needed) in enumerate(waiting) if needed <= free), None)
        if started is None:
            now, freed = heapq.heappop(running)
            free += freed
            continue
        length, needed = waiting.pop(started)
        heapq.heappush(running, (now + length, needed))
        free -= needed
    wall = max((end for end, _ in running), default=0.0)
    used = sum(length * needed for length, needed in zip(seconds, gpus, strict=True))
    return RunHours(wall / 3600, used / 3600)


def _batch_seconds(spec: CellSpec, gpu: Gpu, work: CellWork, tokens: int, samples: int) -> float:
    # The chains of self-consistency share one reading of the prompt.
    prompt = prompt_seconds(spec.model, spec.precision, gpu, samples * work.prompt_tokens)
    step = partial(step_seconds, spec.model, spec.precision, gpu, samples * work.rows)
    return prompt + tokens * step(work.prompt_tokens + tokens // 2)
