"""What a check is given and what it returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from .result import CheckedCell, CudaFacts, Evidence, Part, Peak


class Setup(Part):
    """Where and how checks run.

    Attributes:
        out: folder for everything that checks write.
        device: ``cuda``, or ``cpu`` for a rehearsal.
        uuids: GPUs that the checks may use.
        samples: of each cell.
        threads: of the processor.
        large: whether the larger of the two models with random weights is traced and measured too, and prompts are long.
    """

    out: Path
    device: str
    uuids: list[str]
    samples: int
    threads: int
    large: bool


@dataclass(frozen=True)
class Found:
    """What a check that passed has found; ``words`` is one line."""

    words: str
    cells: tuple[CheckedCell, ...] = ()
    peaks: tuple[Peak, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    cuda: CudaFacts | None = field(default=None)
