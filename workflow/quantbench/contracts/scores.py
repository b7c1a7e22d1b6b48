"""What scoring leaves of one cell."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from .contract import Contract, Part, unknown
from .records import Unit


class LabelScore(Part):
    """One label's F1 with the number of samples that have it."""

    f1: float
    support: int = Field(description="samples whose gold answer has the label")
    predicted: int = Field(description="samples whose answer has it")


class PublishedScore(Part):
    """The same predictions scored as the paper's authors scored, see docs/protocol.md#scores-as-published."""

    metric: str = Field(description="named for what it measures")
    value: float
    interval: tuple[float, float] = Field(description="low and high end at `confidence`")
    constant_value: float = Field(
        description="the score of the best answer that is the same for every sample; for relations, of the best class"
    )
    unknown_rate: float = Field(
        description="share of samples whose answer has nothing that counts: no label, mention, character or answer of gold"
    )
    repeats: list[float] = Field(
        default=[],
        description="the score of each time that the samples were answered, `value` first; empty where it was once",
    )


class Scores(Contract):
    """A cell's score with its interval. Scores and rates are between 0 and 1."""

    path: ClassVar[str] = "cells/<cell>/scores.json"

    metric: str
    value: float
    interval: tuple[float, float] = Field(description="low and high end at `confidence`")
    confidence: float = 0.95
    n: int = Field(description="samples")
    unit: Unit | None = Field(
        default=None,
        exclude_if=unknown,
        description="what the interval takes as independent, as in `dataset.json`; left out in files of before it was said, and "
        "where the gold file does not say it",
    )
    units: int | None = Field(default=None, exclude_if=unknown, description="how many of them the samples are from")
    constant_value: float = Field(
        description="chance level: the score of the best answer that is the same for every sample"
    )
    unparseable_rate: float = Field(description="share of samples no answer could be read from")
    refused_rate: float | None = Field(
        default=None,
        description="share of samples that the model declined to answer, which are among those no answer could be read from; null in "
        "files of before it was told",
    )
    strict_value: float = Field(
        description="the score under exact-format reading, so that format lost and knowledge lost can be told apart"
    )
    strict_unparseable_rate: float = Field(description="share of samples without an answer in exactly the format asked")
    positive_macro_f1: float | None = Field(
        default=None, description="macro F1 without the negative class; null but for relations"
    )
    per_label: dict[str, LabelScore]
    changed_answers: list[str] | None = Field(
        default=None,
        exclude_if=unknown,
        description="files of answers that are not those the cell wrote, by the hashes of its manifest; left out where none are",
    )
    truncated_rate: float | None = Field(
        default=None,
        description="share of outputs that ended at the token limit; null where the predictions do not say",
    )
    mean_new_tokens: float | None = Field(
        default=None,
        description="mean length of an output in tokens, each chain of self-consistency counting as one; null where the "
        "predictions do not say",
    )
    repeats: list[float] = Field(
        default=[],
        description="the score of each time that the samples were answered, `value` first; empty where it was once",
    )
    as_published: PublishedScore | None = Field(
        default=None,
        description="the same predictions scored as the paper's authors scored; null in files of before it existed, and for "
        "tasks that the paper does not have",
    )
