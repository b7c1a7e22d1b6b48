"""The tables of a run, one class a file: what each column holds. Units stand in the columns' names."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ..config import Prompting
from .cell_name import Cell
from .csv_rows import Row
from .measurements import WeightsKind
from .records import Unit

# The least assuring last; what each means stands in docs/protocol.md#verdicts, and which interval gets which in statistics/verdicts.py.
Verdict = Literal["preserved", "degraded", "worse, extent open", "inconclusive", "improved", "at chance", "too few"]
PEAK = "peak allocated"
MODEL_BYTES = "model bytes"
Model = Annotated[str, Field(description="its name in config/models/")]
Precision = Annotated[str, Field(description="its name in config/precisions/")]
Dataset = Annotated[str, Field(description="its name in config/datasets/")]
Title = Annotated[str, Field(description="of the model, for people")]
Domain = Annotated[str, Field(description="of the model: `general` or `biomedical`")]
Task = Annotated[str, Field(description="of the dataset")]
Metric = Annotated[str, Field(description="of the dataset")]
PublishedMetric = Annotated[
    str | None,
    Field(
        description="what the paper's authors scored by, see docs/protocol.md#scores-as-published; empty where unknown"
    ),
]
Shots = Annotated[int, Field(description="worked examples in the prompt")]
Device = Annotated[str, Field(description="`CPU` with its name, or the GPUs, counted")]
MaybeText = Annotated[str | None, Field(description="empty where there is nothing to say")]
UnitOf = Annotated[
    Unit | None,
    Field(
        description="what intervals take as independent: `document`, or what a sample is where documents are not known"
    ),
]
Units = Annotated[
    int | None, Field(description="how many of these the samples are from; empty in tables of before it was said")
]
Rate = Annotated[float, Field(description="between 0 and 1")]
Gib = Annotated[float, Field(description="GiB of 2**30 bytes")]
Seconds = Annotated[float, Field(description="seconds")]
MaybeRate = Annotated[float | None, Field(description="between 0 and 1; empty where unknown")]
MaybeGib = Annotated[float | None, Field(description="GiB of 2**30 bytes; empty where unknown")]
MaybeSeconds = Annotated[float | None, Field(description="seconds; empty where unknown or n is too small")]
QuantizedNote = Annotated[
    str | None,
    Field(
        description="what is unusual about how much is quantized, such as a mixture's experts that stay 16-bit; else empty"
    ),
]
CutOff = Annotated[
    float | None, Field(description="share of outputs that ended at the limit of new tokens; empty where unknown")
]
Refused = Annotated[
    float | None,
    Field(description="share of samples that the model declined to answer, among the unparseable; empty where unknown"),
]
NewTokens = Annotated[float | None, Field(description="mean tokens of an output; empty where unknown")]
ToFull = Annotated[
    float | None,
    Field(description="minus that at full precision; empty there, and where one of the two is unknown"),
]
Joules = Annotated[float | None, Field(description="joules of the quality pass; empty where unknown")]
Count = Annotated[int | None, Field(description="how many; empty where none or unknown")]
FurtherToken = Annotated[
    float | None,
    Field(
        description="seconds of each new token after the first, at the fixed length; empty where nothing was timed so"
    ),
]
FixedFirst = Annotated[
    float | None, Field(description="seconds to the first token in that timing; empty where there was none")
]
FixedLength = Annotated[
    int | None, Field(description="tokens of each output of that timing; empty where there was none")
]
TimedTokens = Annotated[
    float | None, Field(description="mean new tokens of the answers that `latency_mean_s` is of; empty where unknown")
]
PerAnswer = Annotated[float | None, Field(description="joules per answered sample; empty where unknown")]
PerThousand = Annotated[
    float | None,
    Field(description="joules per 1,000 new tokens; empty where unknown, as in cells of before they were counted"),
]
EnergyAnswers = Annotated[
    int | None,
    Field(
        description="answers that `energy_j` paid for: fewer than `n` where a kill came between an answer and its joules"
    ),
]
ClockNote = Annotated[
    str | None, Field(description="`clocked down` with the reasons, where heat or power slowed a GPU; else empty")
]
RatioEnd = Annotated[
    float | None, Field(description="end of the paired interval of that ratio; empty where there is none")
]
Ratio = Annotated[float | None, Field(description="to full precision; empty where one of the two is unknown or 0")]
Weights = Annotated[
    WeightsKind, Field(description="`random` where the model was a stand-in, whose scores mean nothing")
]


class CellKeys(Row):
    """A line about one cell, which its columns ``model``, ``precision``, ``dataset``, ``prompting`` and ``shots`` name."""

    @property
    def cell(self) -> Cell:
        """The cell that this line is about."""
        return Cell(*(getattr(self, key.name) for key in fields(Cell)))


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
