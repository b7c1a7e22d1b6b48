"""The table of effects pooled over models and datasets: what each column holds."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from .csv_rows import Row
from .effect_rows import Verdict
from .shared_columns import Precision, Rate

Basis = Literal["these", "like these"]
Share = Annotated[float, Field(description="1 is all of it")]
OpenEnd = Annotated[float | None, Field(description="empty with fewer than three models or two datasets")]


class PooledRow(Row):
    """One precision over the zero-shot comparisons of one study, all of them or those of one metric.

    Each comparison counts the same. Random weights are left out, and so is what is `at chance`: there is nothing to lose.
    """

    path: ClassVar[str] = "tables/pooled_effects.csv"

    study: str = Field(description="that with the most zero-shot comparisons")
    precision: Precision
    metric: str = Field(description="`all`, or the metric of the datasets that are pooled")
    comparisons: int = Field(description="pairs of a model and a dataset that are pooled")
    models: int = Field(description="how many these are of")
    datasets: int = Field(description="how many these are on")
    documents: int = Field(description="of all these datasets, or what is independent where they are not known")
    left_out: int = Field(description="comparisons left out: at chance, or random weights")
    full_score: Rate = Field(description="mean at full precision")
    score: Rate = Field(description="mean quantized")
    difference: float = Field(description="quantized minus full precision")
    difference_low: float = Field(description="end of the interval for these models on these datasets")
    difference_high: float = Field(description="likewise")
    general_low: OpenEnd = Field(
        default=None,
        description="end of the interval for models and datasets like these; empty with fewer than three models or two datasets",
    )
    general_high: OpenEnd = Field(default=None, description="likewise")
    basis: Basis = Field(
        description="whether the verdict rests on the interval for models and datasets `like these`, which it does with three of each, or for "
        "`these`"
    )
    margin: float = Field(description="largest loss still called preserved; the mean where datasets have their own")
    verdict: Verdict = Field(description="of the mean difference, see docs/protocol.md#pooled-effects")
    recovery: Share = Field(description="`score` over `full_score`")
    recovery_low: Share = Field(description="end of its interval for these models on these datasets")
    recovery_high: Share = Field(description="likewise")
    recovery_above_chance: Share = Field(description="the same of what lies above the best constant answers")
    recovery_above_chance_low: Share = Field(description="end of its interval for these models on these datasets")
    recovery_above_chance_high: Share = Field(description="likewise")
    worst_model: str = Field(description="of the comparison with the lowest difference, its model")
    worst_dataset: str = Field(description="its dataset")
    worst_difference: float = Field(description="its difference")
    worst_low: float = Field(description="end of an interval that holds for all comparisons pooled here at once")
    worst_high: float = Field(description="likewise")
