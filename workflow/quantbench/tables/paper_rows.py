"""The paper's Table 1 (arXiv 2509.04534) as rows, which tables and figures show beside or instead of a run's."""

from __future__ import annotations

from pathlib import Path

from ..config import Prompting, located
from ..contracts.csv_rows import Row
from ..contracts.run_tables import CellKeys, Gib, Rate, Seconds, Weights

PUBLISHED_PEAK = "published peak"


def published_path(root: Path) -> Path:
    """Where the paper's Table 1 stands."""
    return located(root, "resources/paper/table1.csv")


class PublishedRow(CellKeys):
    """One published cell; the paper's "GB" are GiB. What it does not state (intervals, spread of latency) is None."""

    task: str
    dataset: str
    model: str
    model_name_in_paper: str
    precision: str
    metric: str
    memory_gb: Gib
    latency_s: Seconds
    score: Rate

    # As rows of cells.csv have them, so that figures draw published values as they draw a run's.
    prompting: Prompting = "instruction"
    shots: int = 0
    weights: Weights = "published"
    memory_kind: str = PUBLISHED_PEAK
    score_low: Rate | None = None
    score_high: Rate | None = None
    latency_sd_s: Seconds | None = None
    prompt_tokens_mean: float | None = None
    device: str = "4 x NVIDIA A100 40GB"

    @property
    def memory_gib(self) -> float:
        """The memory under its proper unit."""
        return self.memory_gb

    @property
    def latency_mean_s(self) -> float:
        """The latency under the name that ``cells.csv`` has for it."""
        return self.latency_s


class TestSetSize(Row):
    """One dataset of the paper's Table 2."""

    task: str
    dataset: str
    name_in_paper: str
    test_examples: int
    metric: str
