"""``measurements.json``: what the instruments saw of one cell, raw, in seconds, bytes and joules."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from .cell_name import Cell
from .contract import Contract, Part, unknown
from .machine import DeviceFacts

WeightsKind = Literal["published", "random"]


class MemoryAfterLoad(Part):
    """Bytes held once the model is loaded, summed over devices; device fields are null on CPU."""

    allocated_bytes: int | None = Field(description="allocated by torch")
    reserved_bytes: int | None = Field(description="reserved by torch")
    process_bytes: int | None = Field(description="of this process by NVML; null where the driver does not tell")
    resident_bytes: int = Field(description="resident set of the process in the host")


class DevicePeak(Part):
    """Largest bytes on one GPU during inference at batch 1."""

    uuid: str | None = Field(default=None, exclude_if=unknown, description="left out where it is not known")
    allocated_bytes: int = Field(description="by torch")
    reserved_bytes: int = Field(description="by torch")


class MemoryPeak(Part):
    """Largest bytes during inference at batch 1, summed over devices; device fields are null on CPU."""

    peak_allocated_bytes: int | None = Field(description="allocated by torch: the paper's memory")
    peak_reserved_bytes: int | None = Field(description="reserved by torch")
    peak_process_bytes: int | None = Field(description="of this process by NVML; null where the driver does not tell")
    peak_resident_bytes: int = Field(description="resident set of the process in the host")
    devices: list[DevicePeak] | None = Field(
        default=None,
        exclude_if=unknown,
        description="each GPU's own peaks, in CUDA's order, which may be at different moments; left out on CPU and in files of before",
    )


class PlacedPart(Part):
    """What of the model one GPU holds."""

    uuid: str
    holds: str = Field(description="`embedding, blocks 0 to 39`, say; the final norm stays with the last block")


class MemoryReadings(Part):
    """Memory after loading and at the peak of inference."""

    after_load: MemoryAfterLoad
    inference: MemoryPeak
    placement: list[PlacedPart] | None = Field(
        default=None,
        exclude_if=unknown,
        description="the model on each GPU, in CUDA's order; left out on CPU and in files of before",
    )


class TimedAnswer(Part):
    """One answer generated alone, timed between two synchronizations of the device, or as it was answered in the quality pass."""

    sample_id: str
    latency_s: float = Field(description="from the start to the last token")
    first_token_s: float | None = Field(
        default=None,
        exclude_if=unknown,
        description="from the start to the first new token; left out of the quality pass's",
    )
    prompt_tokens: int
    new_tokens: int = Field(description="of all chains together")
    token_times_s: list[float] = Field(
        default=[], description="of each step, counted from the start, to the microsecond"
    )

    @property
    def further_token_s(self) -> float | None:
        """Mean seconds of a step after the first one; None where there is none or steps were not timed."""
        steps = len(self.token_times_s) - 1
        return (self.token_times_s[-1] - self.token_times_s[0]) / steps if steps > 0 else None


class FixedLengthReadings(Part):
    """Some of the same samples timed again, with outputs of one length at every precision: end tokens were suppressed."""

    new_tokens: int = Field(description="of each output: `min_new_tokens` and `max_new_tokens` at once")
    samples: list[TimedAnswer] = Field(
        description="one a sample, in order; without warm-up, since others were just timed"
    )


class Process(Part):
    """Another process that computed on the leased GPUs."""

    pid: int
    name: str
    used_bytes: int | None = Field(description="the most of all looks; null where the driver does not tell")


class GpuCondition(Part):
    """One GPU as NVML saw it at one moment; null where it does not tell, as of a part of a GPU (MIG)."""

    uuid: str
    sm_clock_mhz: int | None = Field(description="of its multiprocessors")
    memory_clock_mhz: int | None
    power_limit_w: float | None = Field(description="the limit that is enforced, whoever set it")
    temperature_c: int | None
    clock_reasons: list[str] | None = Field(
        description="why its clocks are not higher: `idle`, `power cap`, `software thermal slowdown`, `hardware slowdown` and so on"
    )


class GpuConditions(Part):
    """The leased GPUs just before and just after a pass."""

    before: list[GpuCondition]
    after: list[GpuCondition]


class LatencyReadings(Part):
    """The measurement pass: some samples answered one at a time; or the quality pass itself, all of them so."""

    device: DeviceFacts | None = Field(
        default=None, exclude_if=unknown, description="where a resumed cell was timed, if not on `device` of the cell"
    )
    warmup: int = Field(description="answers before the first timed one")
    samples: list[TimedAnswer] = Field(description="one a timed sample, in order")
    fixed: FixedLengthReadings | None = Field(
        default=None, exclude_if=unknown, description="left out where nothing was timed at a fixed length"
    )
    gpus: GpuConditions | None = Field(default=None, exclude_if=unknown, description="left out without GPUs")
    contended_by: list[Process] = Field(default=[], description="others on the leased GPUs until then")


class Energy(Part):
    """Energy of the quality pass, by counters that count everything on the same GPU or processor, other jobs included.

    It is noted with every kept batch and added up over the starts of a resumed cell, as far as they ran on the same kind of device.
    What a kill undid, and what was answered without a counter, is not in it: ``samples`` says how many answers it paid for.
    """

    energy_j: float | None = Field(description="null with the `reason`, never 0 for unknown")
    reason: str = Field(default="", description="why there is none; empty where there is")
    source: str | None = Field(default=None, description="`nvml` or `rapl`, which counts whole processors")
    window_s: float | None = Field(default=None, description="how long the counters were watched")
    idle_power_w: float | None = Field(default=None, description="of the GPUs before the model loaded")
    samples: int | None = Field(
        default=None,
        exclude_if=unknown,
        description="answers in it; left out in files of before it was counted, where it is `quality_pass.samples`",
    )
    new_tokens: int | None = Field(
        default=None, exclude_if=unknown, description="of these answers, all outputs together; left out likewise"
    )
    contended_by: list[Process] | None = Field(
        default=None,
        exclude_if=unknown,
        description="others on the leased GPUs until the pass was over; left out likewise",
    )


class QualityPass(Part):
    """The pass that answered every sample, added up over the starts of a resumed cell."""

    engine: str
    seconds: float = Field(description="of generating, loading left out, and what a kill undid")
    samples: int = Field(
        description="answered in these seconds: all, unless a kill came between an answer and its time; in files of before times were "
        "added up, those of the last start"
    )
    batches: int = Field(description="of the whole plan")
    attention: str | None = Field(
        default=None,
        exclude_if=unknown,
        description="which of transformers' implementations computed attention (`sdpa`, `eager`); left out on CPU",
    )
    gpus: GpuConditions | None = Field(
        default=None, exclude_if=unknown, description="of the last start; left out without GPUs"
    )


class QuantizedShare(Part):
    """How much of a loaded model is quantized, counted by weights in matrices (vectors are left out)."""

    of_all: float = Field(description="of all weights, those that are quantized: between 0 and 1")
    of_layers: float = Field(
        description="the same without embeddings and output head, which libraries leave as they are; below 1 where something else "
        "stays too, such as the experts of a mixture"
    )


class Measurements(Contract):
    """Raw measurements of one cell, written when its last sample is answered."""

    path: ClassVar[str] = "cells/<cell>/measurements.json"

    cell: Cell
    weights: WeightsKind = Field(default="published", description="`random`: of a stand-in, whose answers mean nothing")
    device: DeviceFacts
    load_s: float = Field(description="from an empty process to a model that can answer")
    weight_bytes: int = Field(
        description="bytes of the model's weights in the number format of its files, quantization state included"
    )
    held_weight_bytes: int | None = Field(
        default=None,
        exclude_if=unknown,
        description="the same in the format computed in; left out in files of before it was recorded",
    )
    quantized: QuantizedShare | None = Field(
        default=None,
        exclude_if=unknown,
        description="how much of the model is quantized; left out in files of before it was counted",
    )
    memory: MemoryReadings
    latency: LatencyReadings
    energy: Energy = Field(default=Energy(energy_j=None, reason="unavailable: not measured"))
    quality_pass: QualityPass
