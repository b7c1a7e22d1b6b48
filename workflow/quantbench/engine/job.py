"""What an engine is asked for and what it gives, so that engines are alike from outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ..contracts.records import Prediction
from .batches import Plan, Request

if TYPE_CHECKING:
    from ..contracts.sample_scores import SampleScores
    from .generation import Generator


@dataclass(frozen=True)
class Job:
    """The quality pass of one cell.

    Attributes:
        generator: the loaded model and how it generates.
        requests: every prompt of the cell, in dataset order.
        plan: its frozen batches; an engine whose composition is not frozen makes none of it.
        missing: ids of the samples that are not answered yet.
        token_budget: most tokens at work at once.
        label: the cell in words, for messages.
        begin: called before a batch is generated.
        note_halved: takes the sample ids of a batch that did not fit into memory.
        advice: what to say of a prompt of so many tokens that does not fit alone.
    """

    generator: Generator
    requests: Sequence[Request]
    plan: Plan
    missing: Set[str]
    token_budget: int
    label: str
    begin: Callable[[], None]
    note_halved: Callable[[Sequence[str]], None]
    advice: Callable[[int], str]


class Answered(NamedTuple):
    """Some samples that have just been answered, what was being worked on, in words, and their likelihoods where these are kept."""

    predictions: list[Prediction]
    where: str
    scores: Sequence[SampleScores] = ()
