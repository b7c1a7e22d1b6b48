"""Columns that several tables of a run have: what each holds. Units stand in the columns' names."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated

from pydantic import Field

from .cell_name import Cell
from .csv_rows import Row
from .measurements import WeightsKind
from .records import Unit

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
