"""What was measured and scored, cell by cell: one class a table."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ..config import Prompting
from .csv_rows import Row
from .shared_columns import (
    CellKeys,
    ClockNote,
    Count,
    CutOff,
    Dataset,
    Device,
    Domain,
    EnergyAnswers,
    FixedFirst,
    FixedLength,
    FurtherToken,
    Gib,
    Joules,
    MaybeGib,
    MaybeRate,
    MaybeSeconds,
    MaybeText,
    Metric,
    Model,
    NewTokens,
    PerAnswer,
    PerThousand,
    Precision,
    PublishedMetric,
    QuantizedNote,
    Rate,
    Ratio,
    RatioEnd,
    Refused,
    Seconds,
    Shots,
    Task,
    TimedTokens,
    Title,
    ToFull,
    UnitOf,
    Units,
    Weights,
)

PEAK = "peak allocated"
MODEL_BYTES = "model bytes"


class CellRow(CellKeys):
    """One line a cell, in the order of the configuration: everything measured and scored."""

    path: ClassVar[str] = "tables/cells.csv"

    model: Model
    title: Title
    domain: Domain
    parameters: int = Field(description="weights of linear layers, embeddings and head; no norms and biases")
    demonstration: bool = Field(description="a tiny demonstration model")
    weights: Weights
    precision: Precision
    dataset: Dataset
    dataset_title: str = Field(description="of the dataset, for people")
    task: Task
    prompting: Prompting
    shots: Shots
    metric: Metric
    score: Rate
    score_low: Rate
    score_high: Rate
    constant_score: Rate = Field(description="chance level: what the best constant answer scores")
    n: int = Field(description="samples")
    unit: UnitOf = None
    units: Units = None
    unparseable_rate: Rate
    refused_rate: Refused = None
    strict_score: Rate = Field(description="under exact-format reading")
    strict_unparseable_rate: Rate
    published_metric: PublishedMetric = None
    score_as_published: MaybeRate = None
    score_as_published_low: MaybeRate = None
    score_as_published_high: MaybeRate = None
    repeats: int = Field(default=1, description="times that sampled answers were drawn; 1 where they are not sampled")
    score_sd: float | None = Field(default=None, description="of the score over repeats; empty where there is one")
    score_as_published_sd: float | None = Field(default=None, description="likewise, of the score as published")
    truncated_rate: CutOff = None
    truncated_difference: ToFull = None
    mean_new_tokens: NewTokens = None
    new_tokens_difference: ToFull = None
    quantized_share: float | None = Field(
        default=None, description="of all weights in matrices, those that are quantized; empty where unknown"
    )
    quantized_note: QuantizedNote = None
    memory_gib: Gib = Field(description="what `memory_kind` says, in GiB of 2**30 bytes")
    memory_kind: Literal["peak allocated", "model bytes"] = Field(
        description="the peak torch allocated during inference, summed over devices; on CPU the model's own bytes"
    )
    weight_gib: Gib
    process_gib: MaybeGib
    resident_gib: Gib
    latency_n: int = Field(description="single queries measured")
    latency_mean_s: Seconds
    latency_sd_s: MaybeSeconds
    latency_p50_s: MaybeSeconds
    latency_p90_s: MaybeSeconds
    latency_p95_s: MaybeSeconds
    latency_p99_s: MaybeSeconds
    latency_note: str | None = Field(description="the percentiles left empty because n is too small")
    first_token_mean_s: MaybeSeconds
    tokens_per_s: float = Field(
        description="new tokens of the single queries, prompt processing included in their time"
    )
    prompt_tokens_mean: float = Field(description="tokens")
    timed_new_tokens_mean: TimedTokens = None
    fixed_new_tokens: FixedLength = None
    fixed_n: Count = None
    further_token_mean_s: FurtherToken = None
    fixed_first_token_mean_s: FixedFirst = None
    load_s: Seconds
    energy_j: Joules
    energy_samples: EnergyAnswers = None
    energy_per_answer_j: PerAnswer = None
    energy_per_1000_tokens_j: PerThousand = None
    energy_note: str | None = Field(description="why the energy is unknown")
    device: Device
    clock_note: ClockNote = None
    contended_by: str | None = Field(description="other processes that computed on the leased GPUs")


class Table1Row(Row):
    """One zero-shot instruction cell; ``published_*``, difference and ratios to them are empty where it is not published."""

    path: ClassVar[str] = "tables/table1.csv"

    task: Task
    dataset: Dataset
    model: Model
    weights: Weights
    precision: Precision
    metric: Metric
    memory_gib: Gib
    memory_kind: str = Field(description="what `memory_gib` is, as in cells.csv")
    latency_s: Seconds = Field(description="mean of single queries, in seconds")
    latency_sd_s: MaybeSeconds
    score: Rate
    score_low: Rate
    score_high: Rate
    constant_score: Rate
    published_metric: PublishedMetric = None
    score_as_published: MaybeRate = None
    score_as_published_low: MaybeRate = None
    score_as_published_high: MaybeRate = None
    n: int = Field(description="samples")
    unit: UnitOf = None
    units: Units = None
    unparseable_rate: Rate
    truncated_rate: CutOff = None
    truncated_difference: ToFull = None
    mean_new_tokens: NewTokens = None
    new_tokens_difference: ToFull = None
    quantized_note: QuantizedNote = None
    published_memory_gib: MaybeGib = None
    published_latency_s: MaybeSeconds = None
    published_score: MaybeRate = None
    score_difference: float | None = Field(default=None, description="score minus the published one")
    difference_as_published: float | None = Field(
        default=None, description="score_as_published minus the published score: both by the published metric"
    )
    memory_ratio: float | None = Field(default=None, description="to the published memory")
    latency_ratio: float | None = Field(default=None, description="to the published latency")


class EfficiencyRow(CellKeys):
    """One cell beside the ``full`` cell of the same model, dataset and prompt.

    A ratio below 1 is a saving (above 1 for tokens per second). Latencies are of the same samples at every precision, at
    batch 1; their ratios are geometric means over these samples, with a paired interval. Time and energy have no ratio
    across kinds of devices, or where others used a GPU. The other columns are those of ``cells.csv``.
    """

    path: ClassVar[str] = "tables/efficiency.csv"

    model: Model
    title: Title
    domain: Domain
    weights: Weights
    precision: Precision
    dataset: Dataset
    task: Task
    prompting: Prompting
    shots: Shots
    memory_kind: str = Field(description="what `memory_gib` is, as in cells.csv")
    memory_gib: Gib
    memory_ratio: Ratio
    weight_gib: Gib
    weight_ratio: Ratio
    latency_mean_s: Seconds
    latency_ratio: Annotated[
        float | None,
        Field(description="of whole answers, however long each is: see the lengths; empty where there is none"),
    ]
    latency_ratio_low: RatioEnd = None
    latency_ratio_high: RatioEnd = None
    timed_new_tokens_mean: TimedTokens = None
    full_timed_new_tokens_mean: TimedTokens = None
    fixed_new_tokens: FixedLength = None
    fixed_n: Count = None
    further_token_mean_s: FurtherToken = None
    further_token_ratio: Ratio = None
    further_token_ratio_low: RatioEnd = None
    further_token_ratio_high: RatioEnd = None
    fixed_first_token_mean_s: FixedFirst = None
    first_token_ratio: Annotated[
        float | None, Field(description="of `fixed_first_token_mean_s`; empty where there is none")
    ] = None
    first_token_ratio_low: RatioEnd = None
    first_token_ratio_high: RatioEnd = None
    tokens_per_s: float = Field(description="as in cells.csv")
    tokens_per_s_ratio: Ratio
    energy_j: Joules
    energy_samples: EnergyAnswers = None
    energy_per_answer_j: PerAnswer = None
    energy_ratio: Annotated[
        float | None, Field(description="of `energy_per_answer_j`; in tables of before there was one, of `energy_j`")
    ]
    energy_per_1000_tokens_j: PerThousand = None
    energy_per_1000_tokens_ratio: Ratio = None
    load_s: Seconds
    load_ratio: Ratio
    latency_sd_s: MaybeSeconds
    latency_n: int = Field(description="single queries measured")
    first_token_mean_s: MaybeSeconds
    energy_note: MaybeText
    device: Device
    contended_by: MaybeText
    clock_note: ClockNote = None
    ratio_note: Annotated[
        str | None, Field(description="why ratios of time or energy are empty, or what to know of them; else empty")
    ] = None
