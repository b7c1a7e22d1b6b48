"""The tables made of log-probabilities, one class a file. Natural logarithms, so that divergences and losses are in nats."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ..config import Prompting
from .csv_rows import Row
from .shared_columns import CellKeys, Dataset, MaybeRate, Model, Precision, Rate, Shots, Task, Title, Weights

Low = Annotated[float | None, Field(default=None, description="end of its interval over documents")]
High = Annotated[float | None, Field(default=None, description="end of its interval over documents")]
_OF_OPTIONS = "empty where the answers are no options"


class LikelihoodRow(CellKeys):
    """One cell that kept log-probabilities: how far it is from full precision, and how sure it was of its answers.

    See docs/protocol.md#how-likelihoods-are-read. Columns relative to full precision are empty there. None of them enters a verdict.
    """

    path: ClassVar[str] = "tables/likelihoods.csv"

    model: Model
    title: Title
    weights: Weights
    precision: Precision
    dataset: Dataset
    task: Task
    prompting: Prompting
    shots: Shots
    n: int = Field(description="samples")
    documents: int = Field(description="how many of the `unit` of cells.csv they are from")
    tokens: int = Field(description="tokens written, end tokens included")
    token_log_probability: float | None = Field(description="mean of a written token; empty where none was written")
    reference_tokens: int | None = Field(
        default=None, description="tokens that full precision wrote and this cell's model read"
    )
    kl: float | None = Field(
        default=None,
        description="mean Kullback-Leibler divergence from full precision, in nats a token of its answers; a lower bound, from the likeliest tokens",
    )
    kl_low: Low
    kl_high: High
    same_first_choice: MaybeRate = Field(
        default=None, description="share of these tokens at which both find the same token likeliest"
    )
    same_first_choice_low: Low
    same_first_choice_high: High
    options_n: int = Field(description="samples with options whose log-probabilities were kept; 0: none")
    option_mass: MaybeRate = Field(
        default=None,
        description="mean probability that an answer begins with any option; below 0.5 the columns of options do not describe the "
        "model's answers, and margins are of tokens",
    )
    option_accuracy: MaybeRate = Field(
        default=None, description=f"share of samples whose likeliest option is right; {_OF_OPTIONS}, as in what follows"
    )
    option_is_answer: MaybeRate = Field(
        default=None, description="share of samples whose likeliest option is the answer that was read"
    )
    gold_nll: float | None = Field(
        default=None, description="mean negative log-likelihood of the right option among the options, in nats"
    )
    gold_nll_low: Low
    gold_nll_high: High
    gold_nll_difference: float | None = Field(default=None, description="minus that at full precision, paired")
    gold_nll_difference_low: Low
    gold_nll_difference_high: High
    gold_nll_p: MaybeRate = Field(
        default=None, description="of the difference, by swapping the two cells document by document, two-sided"
    )
    brier: float | None = Field(default=None, description="mean Brier score of all options, 0 to 2")
    brier_low: Low
    brier_high: High
    brier_difference: float | None = Field(default=None, description="minus that at full precision, paired")
    brier_difference_low: Low
    brier_difference_high: High
    ece_equal_width: MaybeRate = Field(default=None, description="expected calibration error, ten bins of equal width")
    ece_equal_width_low: Low
    ece_equal_width_high: High
    ece_equal_width_if_calibrated: MaybeRate = Field(
        default=None, description="the mean of a perfectly calibrated model on as many samples"
    )
    ece_equal_mass: MaybeRate = Field(default=None, description="the same with ten bins of about as many samples each")
    ece_equal_mass_low: Low
    ece_equal_mass_high: High
    ece_equal_mass_if_calibrated: MaybeRate = Field(
        default=None, description="the mean of a perfectly calibrated model on as many samples"
    )
    flips: int | None = Field(default=None, description="samples whose answer is another than at full precision")
    margin_of: Literal["options", "weakest token"] | None = Field(
        default=None,
        description="what margins are of: the likeliest option against the runner-up, or, of the tokens written, the one whose "
        "runner-up came closest",
    )
    margin_flipped: float | None = Field(
        default=None, description="median margin at full precision of the samples that flipped, in nats"
    )
    margin_unflipped: float | None = Field(default=None, description="of those that did not")
    coin_toss_share: MaybeRate = Field(
        default=None, description="share of flips whose margin at full precision was below ln 1.5"
    )
    parting_margin: float | None = Field(
        default=None,
        description="median margin at full precision of the first token that this cell wrote otherwise, of samples that flipped",
    )
    parting_coin_toss_share: MaybeRate = Field(default=None, description="share of flips where that was below ln 1.5")


Pooled = Annotated[str | None, Field(description="its name in config/models/; empty: all models of the run")]
BinLow = Annotated[float, Field(description="the bin holds confidences above this ...")]
BinHigh = Annotated[float, Field(description="... up to this")]
Confidence = Annotated[float, Field(description="mean confidence of the samples in the bin")]


class ReliabilityRow(Row):
    """One bin of a reliability diagram: how sure cells were of their likeliest option, and how often it was right.

    The first bin holds a confidence of 0 too; bins without samples have no line, nor have random weights and cells
    whose answers do not begin with an option (`option_mass` below 0.5).
    """

    path: ClassVar[str] = "tables/reliability.csv"

    dataset: Dataset
    prompting: Prompting
    shots: Shots
    precision: Precision
    model: Pooled
    bin_low: BinLow
    bin_high: BinHigh
    n: int = Field(description="samples, each once a model")
    confidence: Confidence
    right: Rate = Field(description="share of them whose likeliest option is right")
    right_low: Low
    right_high: High


class FlipRow(Row):
    """One bin of full precision's confidence: how many of its answers a quantized precision changed.

    Confidence is the share of the likeliest option, and where answers do not begin with one (`option_mass` below 0.5) the probability of the least likely token
    written. The first bin holds a confidence of 0 too; bins without samples have no line, nor have random weights.
    """

    path: ClassVar[str] = "tables/flips_by_confidence.csv"

    dataset: Dataset
    prompting: Prompting
    shots: Shots
    precision: Precision
    model: Pooled
    confidence_of: Literal["options", "weakest token", "mixed"] = Field(
        description="what the confidence is of; mixed: of models pooled, some are of one and some of the other"
    )
    bin_low: BinLow
    bin_high: BinHigh
    n: int = Field(description="samples, each once a model")
    confidence: Confidence
    flip_rate: Rate = Field(description="share of them whose answer changed")
    flip_rate_low: Low
    flip_rate_high: High
