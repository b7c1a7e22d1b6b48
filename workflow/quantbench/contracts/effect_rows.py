"""``precision_effects.csv``: quantized cells beside full precision, and the verdicts on them."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ..config import Prompting
from .shared_columns import (
    CellKeys,
    CutOff,
    Dataset,
    MaybeRate,
    Metric,
    Model,
    NewTokens,
    Precision,
    Rate,
    Refused,
    Shots,
    Task,
    Title,
    UnitOf,
    Weights,
)

# The least assuring last; what each means stands in docs/protocol.md#verdicts, and which interval gets which in statistics/verdicts.py.
Verdict = Literal["preserved", "degraded", "worse, extent open", "inconclusive", "improved", "at chance", "too few"]


class EffectRow(CellKeys):
    """One quantized cell of one study beside its twin at full precision, on the same samples."""

    path: ClassVar[str] = "tables/precision_effects.csv"

    study: str = Field(description="its name in the file of studies")
    model: Model
    title: Title
    weights: Weights = Field(description="`random` where the model of one of the two was a stand-in")
    dataset: Dataset
    task: Task
    prompting: Prompting
    shots: Shots
    precision: Precision
    metric: Metric
    n: int = Field(description="samples")
    unit: UnitOf = None
    documents: int = Field(
        description="how many of the `unit` the samples are from: what is drawn for the paired interval"
    )
    full_score: Rate
    score: Rate
    score_low: Rate
    score_high: Rate
    difference: float = Field(description="quantized minus full precision")
    difference_low: float = Field(description="end of the paired interval")
    difference_high: float = Field(description="end of the paired interval")
    degrees: int | None = Field(
        default=None,
        description="degrees of freedom of Student's t, by which that interval is wider where few documents decide "
        "(docs/protocol.md#comparisons); empty in tables of before it was said",
    )
    rare_labels: str | None = Field(
        default=None,
        description="labels of macro F1 with gold answers in fewer than 10 documents, separated by semicolons; empty where there is none",
    )
    flip_rate: Rate = Field(description="share of samples whose answer changed at all")
    lost: int = Field(description="samples right at full precision and wrong here")
    gained: int = Field(description="the other way round")
    permutation_p: MaybeRate = Field(
        default=None,
        description="of the difference, by swapping the two cells' answers document by document, two-sided",
    )
    mcnemar_p: MaybeRate = Field(
        description="exact, of `lost` against `gained`, which takes samples as independent; empty but for accuracy"
    )
    holm_p: MaybeRate = Field(
        description="`permutation_p` corrected for the size of its family; empty for random weights, which are in none"
    )
    family: str | None = Field(
        default=None, description="the comparisons it is corrected for: of its study, the zero-shot ones or the others"
    )
    family_size: int | None = Field(default=None, description="how many comparisons these are")
    margin: float = Field(description="largest loss still called preserved")
    verdict: Verdict = Field(description="see docs/protocol.md#verdicts")
    supported_margin: float | None = Field(
        default=None,
        description="smallest margin by which this interval would be called preserved; 0 where it lies above 0",
    )
    smallest_detectable: float = Field(description="difference found with 80% power")
    units_needed: int | None = Field(
        default=None,
        description="how many of the `unit` would show with 80% power that nothing beyond `margin` is lost, where nothing is; empty in "
        "tables of before it was said",
    )
    noise_floor_flip_rate: MaybeRate = Field(
        default=None,
        description="share of answers that other batch plans change at full precision, the mean of them; empty where none was run",
    )
    noise_floor_model: str | None = Field(
        default=None,
        description="whose noise floor that is: this model's own, or that of the model nearest in size, against which nothing is tested",
    )
    noise_floor_replicates: int | None = Field(default=None, description="how many other batch plans were run")
    noise_floor_difference: float | None = Field(
        default=None,
        description="score under another plan minus that of the reference, of the plan that moved it furthest; only of its own floor",
    )
    noise_floor_p: MaybeRate = Field(
        default=None,
        description="of quantization changing no more answers than another plan does, by document, one-sided; only of its own floor",
    )
    noise_floor_holm_p: MaybeRate = Field(
        default=None, description="`noise_floor_p` corrected for all such tests of its `family`; empty outside families"
    )
    within_noise_floor: bool | None = Field(
        default=None, description="these tests do not tell quantization's flips from those of another plan"
    )
    full_unparseable_rate: Rate
    unparseable_rate: Rate
    full_refused_rate: Refused = None
    refused_rate: Refused = None
    full_truncated_rate: CutOff = None
    truncated_rate: CutOff = None
    full_mean_new_tokens: NewTokens = None
    mean_new_tokens: NewTokens = None
