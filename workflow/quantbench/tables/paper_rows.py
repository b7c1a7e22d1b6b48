"""The paper's Table 1 (arXiv 2509.04534) as rows, which tables and figures show beside or instead of a run's."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from ..config import Prompting, located
from ..contracts.csv_rows import Row
from ..contracts.shared_columns import CellKeys, Gib, Rate, Seconds, Weights

PUBLISHED_PEAK = "published peak"


def published_path(root: Path) -> Path:
    """Where the paper's Table 1 stands."""
    return located(root, "resources/paper/table1.csv")


def conventions_path(root: Path) -> Path:
    """Where it stands how the scores of Table 1 were probably computed."""
    return located(root, "resources/published/table1_conventions.csv")


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


# "stated": by the paper, or fixed by its numbers; "in code": in a public copy of the authors' code (resources/published/README.md).
Sureness = Literal["stated", "in code", "probable"]


class PublishedConvention(Row):
    """How the scores of one dataset in Table 1 were probably computed, and how sure that is."""

    task: str
    dataset: str
    metric_in_paper: Annotated[str, Field(description="as Table 1 names it")]
    metric: Annotated[
        str, Field(description="what the authors' code computes, by the name that a run's tables have for it")
    ]
    title: Annotated[str, Field(description="of that metric, for people")]
    in_code: Annotated[Sureness, Field(description="how sure it is that the authors' code computes this")]
    in_table1: Annotated[Sureness, Field(description="how sure it is that Table 1 was made so")]
    evidence: Annotated[str, Field(description="in the published numbers, for it")]
