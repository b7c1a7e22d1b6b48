"""``recommendations.csv``: what can be recommended for one task and GPU, and why the rest cannot."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from .csv_rows import Row
from .effect_rows import Verdict
from .shared_columns import (
    Gib,
    MaybeRate,
    MaybeSeconds,
    Model,
    Precision,
    Rate,
    Seconds,
    Task,
)


class RecommendationRow(Row):
    """One candidate for one task and one GPU: with its rank, or with the reason why it cannot be recommended."""

    path: ClassVar[str] = "recommendations.csv"

    task: Task
    gpu_memory_gib: Gib
    max_latency_s: MaybeSeconds
    margin: float | None = Field(
        description="losses against full precision up to this count as preserved; empty: each dataset's own margin"
    )
    rank: int | None = Field(description="1 is recommended; empty where it cannot be")
    model: Model
    precision: Precision
    score: Rate
    score_low: MaybeRate
    score_high: MaybeRate
    memory_gib: Gib = Field(description="peak, in GiB of 2**30 bytes")
    memory_source: str = Field(description="`measured`, `planned` or `published`")
    memory_needed_gib: Gib = Field(description="with headroom and CUDA context, in GiB of 2**30 bytes")
    latency_s: Seconds
    difference: float | None = Field(description="to full precision")
    verdict: Literal["full", "untested"] | Verdict = Field(description="against its own full precision")
    probability_best: MaybeRate = Field(
        default=None,
        description="share of draws of the documents in which it scores best of all that can be recommended; empty where the source "
        "has no answers by document",
    )
    may_be_best: bool | None = Field(
        default=None,
        description="none of them scores more by more than chance explains; empty likewise",
    )
    on_front: bool | None = Field(description="no other candidate scores more with the same memory or less")
    licence: str = Field(description="of the model")
    reason: str | None = Field(description="why it cannot be recommended; empty where it has a rank")
