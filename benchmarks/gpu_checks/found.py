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
        new_tokens: most of an answer.
        threads: of the processor.
        models: that get random weights; the last one is the largest.
        others: processes that computed on the first GPU before the checks began, in words.
        long_prompts: whether these get prompts of a thousand tokens, for which a processor takes minutes.
    """

    out: Path
    device: str
    uuids: list[str]
    samples: int
    new_tokens: int = 32
    threads: int
    models: list[str]
    others: list[str] = []
    long_prompts: bool


@dataclass(frozen=True)
class Found:
    """What a check that passed has found; ``words`` is one line."""

    words: str
    cells: tuple[CheckedCell, ...] = ()
    peaks: tuple[Peak, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    cuda: CudaFacts | None = field(default=None)
