"""What every task owns: a careful reader, an exact reader, the worked-example form, the counts behind its metric."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

from ..config import DatasetEntry
from ..contracts.records import Answer as AnswerValue
from ..contracts.records import Sample
from ..errors import ConfigError
from . import completion, extent, published_form
from .metrics import Counts, metric
from .origin import UNKNOWN, Origin
from .repetition import without_repetition
from .thoughts import without_thoughts

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Answer(Generic[Value]):
    """What was read from one output. Where nothing could be read ``ok`` is False and ``value`` empty (None or [])."""

    value: Value
    ok: bool


@dataclass(frozen=True, slots=True)
class Readings(Generic[Value]):
    """What a careful reader and an exact one take from one output.

    ``unread`` says in words how much of it neither looked at; None: they read all of it.
    """

    careful: Answer[Value]
    exact: Answer[Value]
    unread: str | None = None


class TaskOf(ABC, Generic[Value]):
    """One task bound to one dataset, whose answers are of one kind.

    ``labels`` names the rows of :meth:`counts`. ``empty`` is the value that stands for no answer. ``exact_suffices`` tells that a
    careful reader takes from an output of exactly the form asked for what the exact reader takes.
    """

    empty: Value
    exact_suffices: ClassVar[bool] = True

    def __init__(self, entry: DatasetEntry, labels: Sequence[str]) -> None:
        self.entry = entry
        self.labels = tuple(labels)
        try:
            self.metric = metric(entry.metric)
        except ConfigError as error:
            raise ConfigError(f"dataset {entry.title}: key 'metric' of its dataset.yaml: {error}") from None

    def parse(self, raw: str, sample: Sample, origin: Origin = UNKNOWN) -> Answer[Value]:
        """Read an output as a careful reader would, up to where its answer is complete. Never raises on any text.

        An answer that is complete was not cut, whatever became of the text behind it.
        """
        return self.readings(raw, sample, origin).careful

    def parse_strict(self, raw: str, sample: Sample, origin: Origin = UNKNOWN) -> Answer[Value]:
        """Read an output only if it has exactly the form :meth:`render` writes, or the published one where that was asked for.

        The first line that is not blank counts; where a line begins with ``Final answer:`` the rest of the first such
        line counts instead (what the chain-of-thought prompts ask for). Thoughts do not count.
        """
        return self.readings(raw, sample, origin).exact

    def readings(self, raw: str, sample: Sample, origin: Origin = UNKNOWN) -> Readings[Value]:
        """Read an output both ways, see :meth:`parse` and :meth:`parse_strict`."""
        if self.exact_suffices and not origin.cut and "\n" not in raw.strip() and origin.prompts == "own":
            exact = self.read_strict(raw, sample)
            if exact.ok:
                return Readings(exact, exact)
        told = without_repetition(raw)
        unread = extent.unread(raw, told, self.longest_end(sample), origin.reasoning)
        shown = self._in_own_form(told, sample, origin)
        end = self.answer_end(shown, sample, origin)
        answered, origin = shown[:end], origin if end is None else origin.ending(cut=False)
        written = without_thoughts(answered, origin.reasoning)
        if origin.prompts == "as_published" and self.entry.entity_type:
            written = published_form.without_class(written, self.entry.entity_type)
        return Readings(self.read(answered, sample, origin), self.read_strict(written, sample), unread)

    def answer_end(self, raw: str, sample: Sample, origin: Origin = UNKNOWN) -> int | None:
        """Return the length of the part of an output after which nothing is read; see :mod:`quantbench.tasks.completion`.

        Args:
            raw: the output, or its beginning.
            sample: what was asked.
            origin: how the output came about; whether it was cut plays no part.
        """
        whole = origin.ending(cut=False)
        return completion.answer_end(
            raw,
            readable=lambda text: self.completes(without_repetition(text), sample, whole),
            exact=lambda text: self.read_strict(text, sample).ok,
            origin=whole,
        )

    def _in_own_form(self, text: str, sample: Sample, origin: Origin) -> str:
        """An output whose answer in square brackets stands behind ``Final answer:``, where brackets were asked for."""
        if origin.prompts == "own" or not origin.reasoned:
            return text
        alone = Origin(reasoning=origin.reasoning)
        return published_form.with_final_answers(text, lambda told: self.read(told, sample, alone).ok)

    def longest_end(self, sample: Sample) -> int:
        """How many characters are read at either end of an output that is longer than both."""
        return extent.LONGEST_END

    def completes(self, text: str, sample: Sample, origin: Origin) -> bool:
        """Tell whether a text before a new example answers the sample."""
        return self.read(text, sample, origin).ok

    @abstractmethod
    def read(self, raw: str, sample: Sample, origin: Origin) -> Answer[Value]:
        """Read all of an output as a careful reader would."""

    @abstractmethod
    def read_strict(self, raw: str, sample: Sample) -> Answer[Value]:
        """Read the exact form from all of an output."""

    @abstractmethod
    def render(self, gold: Value, sample: Sample) -> str:
        """Write a gold answer the way a worked example in a prompt shows it."""

    def options(self, sample: Sample) -> tuple[str, ...]:
        """All answers that a sample could be given, each as :meth:`render` writes it; none where they are too many to list.

        Every one is one answer as a whole: tasks whose answers are lists have none.
        """
        return ()

    @abstractmethod
    def counts(self, answers: Sequence[Value], golds: Sequence[Value]) -> Counts:
        """Count, per sample and label, true positives, false positives and false negatives.

        Args:
            answers: n parsed values.
            golds: n gold values, same order.

        Returns:
            Integers of shape (n, len(labels), 3). The score of any subset or resample follows from its summed counts.
        """

    @abstractmethod
    def check_gold(self, sample: Sample) -> str | None:
        """Return what is wrong with a sample's gold answer for this dataset, or None."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels that mean the same in each sample, so that an effect on one says something; empty where there is one kind."""
        return self.labels if len(self.labels) > 1 else ()

    def class_counts(self, answers: Sequence[Value], golds: Sequence[Value]) -> Counts:
        """Like :meth:`counts`, for :attr:`classes`: shape (n, len(classes), 3)."""
        return self.counts(answers, golds)

    def label_counts(self, answers: Sequence[Value], golds: Sequence[Value]) -> dict[str, Counts]:
        """Return label -> summed (true positives, false positives, false negatives), for the per-label report."""
        total = self.counts(answers, golds).sum(axis=0)
        return dict(zip(self.labels, total, strict=True))

    def correct(self, answer: Value, gold: Value) -> bool:
        """Judge one sample: the whole answer equals the whole gold answer."""
        return bool(answer == gold)

    def constants(self, golds: Sequence[Value]) -> list[Value]:
        """Return the answers that one could give to every sample unread; :meth:`constant_score` takes the best of them.

        Here each answer that occurs in ``golds``; tasks whose answers hold several parts say better.
        """
        return sorted(set(golds), key=str)

    def constant_score(self, golds: Sequence[Value]) -> float:
        """Return the chance level: the metric of the best answer that is the same for every sample."""
        tried = [self.counts([answer] * len(golds), golds).sum(axis=0) for answer in self.constants(golds)]
        return max(map(self.metric.value, tried))

    def no_answer(self) -> Answer[Value]:
        """Return the answer that stands for an output in which none was found."""
        return Answer(self.empty, False)

    def vote(self, answers: Sequence[Answer[Value]]) -> Answer[Value]:
        """Return the majority of the answers that could be read, whole answers compared; ties go to the first.

        Self-consistency of Wang et al. 2023 (arXiv 2203.11171).
        """
        readable = [answer for answer in answers if answer.ok]
        if len(readable) < 2:
            return readable[0] if readable else self.no_answer()
        tally = Counter(json.dumps(answer.value, sort_keys=True) for answer in readable)
        # max keeps the first of equals, and a Counter keeps the order of first appearance.
        winner = max(tally, key=lambda key: tally[key])
        return next(answer for answer in readable if json.dumps(answer.value, sort_keys=True) == winner)


# A task whose kind of answers is not known where it is used.
Task = TaskOf[AnswerValue]
