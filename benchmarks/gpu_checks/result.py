"""What ``benchmarks/gpu_check.py`` writes, field by field; resources/measured/README.md describes it for readers."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from quantbench.contracts.contract import Contract, Part
from quantbench.contracts.machine import DeviceFacts, Software

FORMAT = 1
Status = Literal["passed", "failed", "not tried"]


class Check(Part):
    """One check as it ended."""

    name: str
    status: Status
    words: str = Field(description="what was found, why it failed, or why it could not be tried here")
    seconds: float


class Evidence(Part):
    """What one check saw of a finding."""

    finding: str = Field(description="key of the finding")
    holds: bool
    words: str


class Finding(Part):
    """A claim about GPUs that tests on simulated ones made, and what this machine says of it."""

    key: str
    claim: str
    status: Literal["shown", "contradicted", "not tried"]
    words: list[str] = Field(description="what was seen; of a claim that was not tried, why")


class GpuFacts(Part):
    """One GPU that the checks were allowed to use, as torch and NVML see it; null: not told."""

    uuid: str
    name: str
    compute_capability: str | None = Field(description="as torch says it, such as 9.0")
    total_bytes: int | None = Field(description="memory by torch (cudaMemGetInfo)")
    free_bytes: int | None = Field(description="of it free before the checks")
    refused: list[str] = Field(description="questions that NVML refuses for this GPU, with its reason")


class CudaFacts(Part):
    """What CUDA is here; null without a GPU."""

    driver: str | None
    driver_cuda: str | None = Field(description="newest CUDA the driver runs")
    torch_cuda: str | None = Field(description="CUDA that torch was built for (`torch.version.cuda`)")
    devices_seen: int = Field(description="by torch")
    workspace_bytes: int | None = Field(
        description="what the first matrix product left allocated: the workspace of cuBLAS"
    )
    gpus: list[GpuFacts]


class AnswerComparison(Part):
    """Answers here beside those of the shipped demo, which ran on a CPU; reported, not judged."""

    samples: int
    equal: int
    computed_in: str = Field(description="number format here")
    cpu_computed_in: str


class CheckedCell(Part):
    """One cell of a demo model, run by the package's own functions; bytes are null on CPU."""

    model: str
    precision: str
    engine: str
    checkpoint: bool = Field(description="loaded from a checkpoint that was quantized here just before")
    samples: int
    computed_in: str
    weight_bytes: int
    peak_allocated_bytes: int | None
    load_s: float
    first_token_s: float = Field(description="median")
    latency_s: float = Field(description="median")
    energy_j: float | None = Field(description="of all answers, by NVML's or the processor's counter; null: none")
    foreign_processes: int = Field(description="others that computed on the same GPU meanwhile")
    answers: AnswerComparison | None = Field(description="null where the demo's answers are not at hand")


class Peak(Part):
    """Peak bytes of one model with random weights, planned, traced and measured; lists have one number a GPU."""

    model: str
    precision: str
    stage: Literal["loading", "answering"]
    prompt_tokens: int = Field(description="0 of loading, as are the next two")
    new_tokens: int
    batch: int
    planned_bytes: list[float] = Field(description="by the planner's formulas")
    traced_bytes: list[int] = Field(description="by the tracer, with the kernels and workspaces of a GPU of this kind")
    measured_bytes: list[int] | None = Field(description="`torch.cuda.max_memory_allocated`; null on CPU")
    reserved_bytes: list[int] | None = Field(description="`torch.cuda.max_memory_reserved`; null on CPU")
    device_map: dict[str, str] = Field(description="where loading placed each piece")


class GpuCheck(Contract):
    """The whole result."""

    path: ClassVar[str] = "gpu_check.json"
    remedy: ClassVar[str] = "run benchmarks/gpu_check.py again"

    format: Literal[1]
    rehearsal: bool = Field(description="on CPU, where memory cannot be compared")
    device: DeviceFacts
    software: Software
    cuda: CudaFacts | None
    checks: list[Check]
    cells: list[CheckedCell]
    peaks: list[Peak]
    findings: list[Finding]
    seconds: float
