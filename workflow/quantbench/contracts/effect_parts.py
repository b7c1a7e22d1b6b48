"""Tables of what quantization does to parts of a dataset: to single labels, and to samples with prompts of some length."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ..config import Prompting
from .csv_rows import Row
from .shared_columns import CellKeys, Dataset, Metric, Model, Precision, Rate, Shots, Task, Title

Part = Literal["all", "shortest third", "middle third", "longest third"]
Low = Annotated[float | None, Field(description="end of the paired interval; empty where nothing can be said")]
High = Annotated[float | None, Field(description="likewise")]


class LabelEffectRow(Row):
    """One label of one quantized zero-shot cell beside full precision; then the means of each label over models.

    Of multi-label classification, relations, and yes/no/maybe; entities have one type, and letters of options mean nothing.
    Stand-ins with random weights are left out.
    """

    path: ClassVar[str] = "tables/label_effects.csv"

    model: str | None = Field(description="its name in config/models/; empty: the mean over `models` models")
    models: int = Field(description="how many models the line is about")
    dataset: Dataset
    task: Task
    precision: Precision
    label: str = Field(description="as the dataset names it")
    support: int = Field(description="samples that have it in the gold answer")
    documents: int = Field(description="documents (or what else intervals take as independent) these are from")
    full_f1: Rate
    f1: Rate
    difference: float = Field(description="F1 of the label, quantized minus full precision")
    difference_low: Low
    difference_high: High
    permutation_p: Rate = Field(description="by swapping the two cells' answers document by document, two-sided")
    holm_p: Rate = Field(description="`permutation_p` corrected for the size of its family")
    family: str = Field(description="the labels of one cell, or all means over models")
    family_size: int = Field(description="how many comparisons these are")
    note: str | None = Field(description="what limits the interval; else empty")

    def stands_out(self, confidence: float) -> bool:
        """Whether the interval excludes 0, and p after Holm's correction is below what ``confidence`` leaves."""
        if self.difference_low is None or self.difference_high is None:
            return False
        return not self.difference_low <= 0 <= self.difference_high and self.holm_p < 1 - confidence


class LengthEffectRow(CellKeys):
    """Samples of one quantized cell by the length of their prompts, beside full precision.

    Four lines a cell: all samples, and a third each of them, as the model counts their tokens.
    """

    path: ClassVar[str] = "tables/length_effects.csv"

    model: Model
    title: Title
    dataset: Dataset
    task: Task
    prompting: Prompting
    shots: Shots
    precision: Precision
    metric: Metric
    part: Part = Field(description="which samples, by their prompts")
    prompt_tokens_low: int = Field(description="tokens of the shortest of these prompts")
    prompt_tokens_high: int = Field(description="tokens of the longest")
    n: int = Field(description="samples")
    documents: int = Field(description="documents (or what else intervals take as independent) these are from")
    full_score: Rate
    score: Rate
    difference: float = Field(description="quantized minus full precision")
    difference_low: Low = None
    difference_high: High = None
    full_new_tokens: float = Field(description="mean tokens of an output at full precision")
    new_tokens: float = Field(description="likewise, of the quantized cell")
    new_tokens_difference: float = Field(description="their difference, sample by sample")
    new_tokens_low: Low
    new_tokens_high: High
    trend: float | None = Field(
        default=None,
        description="of all samples: the difference in the longest third minus that in the shortest; else empty",
    )
    trend_low: Low = None
    trend_high: High = None
