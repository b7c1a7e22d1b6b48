"""What is known of a cell that is not finished, kept for its next start."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from .contract import Contract, Part, unknown
from .machine import DeviceFacts
from .manifest import AppliedPrecision, Decoding, ForeignProcesses
from .measurements import Energy, LatencyReadings, MemoryReadings, QualityPass


class CellFacts(Part):
    """What the manifest will say of a cell whose samples are all answered."""

    precision_applied: AppliedPrecision
    energy: Energy
    foreign_processes: ForeignProcesses
    decoding: Decoding | None = Field(default=None, exclude_if=unknown)


class KeptMeasurements(Contract):
    """The measurement pass once it is over; and the quality pass, where only the last files are missing."""

    path: ClassVar[str] = "progress/<cell>/<identity>.measurements.json"

    load_s: float
    weight_bytes: int
    held_weight_bytes: int | None = Field(default=None, exclude_if=unknown)
    device: DeviceFacts | None = Field(default=None, exclude_if=unknown, description="where it was timed")
    memory: MemoryReadings
    latency: LatencyReadings
    energy: Energy | None = None
    quality_pass: QualityPass | None = None
    facts: CellFacts | None = None


class PassWindow(Part):
    """What one kept batch of the quality pass took, or the batches that were kept together."""

    seconds: float
    samples: int
    new_tokens: int
    energy_j: float | None = None
    reason: str = Field(default="", description="why the energy is unknown; else empty")
    source: str | None = None
    device: list[str] = Field(default=[], description="names, as in the manifest")


class History(Part):
    """Over all starts of a cell."""

    resumed: int = Field(description="starts after the first")
    batches_generated: int = Field(description="those a kill undid included")
    halved_batches: list[list[str]] = Field(description="sample ids of each batch that did not fit into memory")
    windows: list[PassWindow] = Field(default=[], description="of the quality pass, in order")
