"""How the authors of the paper scored answers, as far as a public copy of their code tells (docs/protocol.md#scores-as-published).

The copy is GitHub houyurain/Frontier-LLMs-evaluation, branch yifan, commit ffd293b4 of 2025-12-18, made for a later study. Each
docstring says how sure a convention is: *stated* is what that code does, with no sign of a change since the paper; *inferred* is
concluded from it, or from the paper's values, and probable. Nothing here decides our own scores.

An output becomes an answer, which is a text (:func:`published_answer`). A task's convention makes a set of strings of it. Strings
that are in no gold answer are dropped: they cost nothing.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import ClassVar, Generic, TypeVar, cast

import numpy as np

from ..config import DatasetEntry
from ..contracts.records import Answer as AnswerValue
from ..contracts.records import Mention
from .metrics import Counts, Metric, published_metric
from .sparse_counts import SparseCounts, count_sets

Value = TypeVar("Value")
_OPENING = re.compile(r"<span(?:\s[^<>]*)?>")


def published_answer(outputs: Sequence[str], reasoned: bool) -> str:
    """Take the answer from the outputs of one sample; never raises on any text.

    - Asked for at once: the first line that is not blank, up to the first ``#``. Inferred: in the copy the lines that do
      this are out of use.
    - After a chain of thought: what stands in the first pair of square brackets, and without one the whole output. Stated.
    - Of several outputs, the answer given most often, texts compared as they stand; of equals the first. Stated.

    Args:
        outputs: raw texts, one or more.
        reasoned: whether a chain of thought was asked for.

    Returns:
        The answer, without blanks at its ends; empty where there is none.
    """
    answers = [_bracketed(raw) if reasoned else _first_line(raw) for raw in outputs]
    if len(answers) == 1:
        return answers[0]
    # Of equals, max takes the first, and a Counter keeps the order of first appearance.
    tally = Counter(answers)
    return max(tally, key=lambda answer: tally[answer])


class PublishedConventionOf(ABC, Generic[Value]):
    """How one task's answers were scored, gold answers being of one kind."""

    metric: ClassVar[Metric]

    @abstractmethod
    def parts(self, answer: str) -> frozenset[str]:
        """Return the strings of an answer that can count; never raises on any text."""

    @abstractmethod
    def gold_parts(self, gold: Value) -> frozenset[str]:
        """Return the strings of a gold answer."""

    def counts(self, answers: Sequence[str], golds: Sequence[Value]) -> SparseCounts:
        """Count each distinct gold string as a label.

        Args:
            answers: n texts, see :func:`published_answer`.
            golds: n gold answers, same order.
        """
        return count_sets([self.parts(answer) for answer in answers], [self.gold_parts(gold) for gold in golds])

    def value(self, answers: Sequence[str], golds: Sequence[Value]) -> float:
        """The score of answers, between 0 and 1; 0 where gold holds no string. Arguments as of :meth:`counts`."""
        return self.metric.value(self.counts(answers, golds).total())

    def unknown_rate(self, answers: Sequence[str], golds: Sequence[Value]) -> float:
        """The share of answers without any string that is in a gold answer. Arguments as of :meth:`counts`."""
        known = frozenset[str]().union(*map(self.gold_parts, golds))
        return sum(self.parts(answer).isdisjoint(known) for answer in answers) / len(answers)

    def constants(self, golds: Sequence[Value]) -> list[frozenset[str]]:
        """Return the answers that one could give to every sample unread, as :meth:`parts` has them.

        Here all gold strings at once: each is judged by itself, so that one more never lowers the mean.
        """
        return [frozenset[str]().union(*map(self.gold_parts, golds))]

    def constant_value(self, golds: Sequence[Value]) -> float:
        """The score of the best answer that is the same for every sample (:meth:`constants`)."""
        support = Counter(part for gold in golds for part in self.gold_parts(gold))
        return max(
            self.metric.value(self._of_constant(constant, support, len(golds))) for constant in self.constants(golds)
        )

    def _of_constant(self, constant: frozenset[str], support: Counter[str], n: int) -> Counts:
        """The summed counts of an answer given to all of n samples, ``support`` of which have each gold string."""
        rows = [(count, n - count, 0) if part in constant else (0, 0, count) for part, count in sorted(support.items())]
        return np.array(rows, dtype=np.int64).reshape(-1, 3)


class _Labels(PublishedConventionOf[list[str]]):
    """Multi-label classification: names between semicolons, stripped, a full stop behind them dropped. Stated."""

    metric = published_metric("macro_f1_over_gold_labels")

    def parts(self, answer: str) -> frozenset[str]:
        return frozenset(name.strip().removesuffix(".") for name in answer.split(";"))

    def gold_parts(self, gold: list[str]) -> frozenset[str]:
        return frozenset(gold)


class _Mentions(PublishedConventionOf[list[Mention]]):
    """Named entities: the set of strings inside ``span`` tags, case-sensitive, wherever in the answer they stand. Stated.

    A mention that a sentence has twice counts once, and the sentence around the tags does not matter.
    """

    metric = published_metric("macro_f1_over_distinct_mentions")

    def parts(self, answer: str) -> frozenset[str]:
        *closed, _ = answer.split("</span>")
        opened = [(piece, _OPENING.search(piece)) for piece in closed]
        return frozenset(piece[opening.end() :] for piece, opening in opened if opening)

    def gold_parts(self, gold: list[Mention]) -> frozenset[str]:
        return frozenset(mention["text"] for mention in gold)


class _Characters(PublishedConventionOf[str | None]):
    """Relations: the characters of the answer, against those of the class's name.

    Stated: plain strings are handed to a multi-label binarizer, which takes each for the collection of its characters. That the
    paper's Table 1 was made so is inferred: its values lie where this convention puts them.
    """

    metric = published_metric("macro_f1_over_characters")

    def parts(self, answer: str) -> frozenset[str]:
        return _characters(answer)

    def gold_parts(self, gold: str | None) -> frozenset[str]:
        return _characters(gold or "")

    def constants(self, golds: Sequence[str | None]) -> list[frozenset[str]]:
        """Each class: a text with all characters would score more, but names none."""
        return [self.gold_parts(gold) for gold in sorted(set(golds), key=str)]


class _Answers(PublishedConventionOf[str | None]):
    """Question answering: the text before the first full stop equals the gold answer, letter case and all. Stated.

    ``yes`` is right where ``Yes`` is wrong; of options, only the letter as the file has it is right.
    """

    metric = published_metric("case_sensitive_accuracy")

    def parts(self, answer: str) -> frozenset[str]:
        return frozenset([answer.partition(".")[0].strip()])

    def gold_parts(self, gold: str | None) -> frozenset[str]:
        return frozenset([str(gold)])

    def counts(self, answers: Sequence[str], golds: Sequence[str | None]) -> SparseCounts:
        """One label: a right answer is a true positive, any other a false negative."""
        pairs = zip(answers, golds, strict=True)
        wrong = np.array([self.parts(answer) != self.gold_parts(gold) for answer, gold in pairs], dtype=np.int64)
        return SparseCounts(len(golds), 1, np.arange(len(golds)), 2 * wrong)

    def constants(self, golds: Sequence[str | None]) -> list[frozenset[str]]:
        """Each answer that occurs."""
        return [self.gold_parts(gold) for gold in sorted(set(golds), key=str)]

    def _of_constant(self, constant: frozenset[str], support: Counter[str], n: int) -> Counts:
        right = sum(support[part] for part in constant)
        return np.array([[right, 0, n - right]], dtype=np.int64)


# A convention of a task that is not known where it is used.
PublishedConvention = PublishedConventionOf[AnswerValue]

# By task, as a dataset's entry names it.
_CONVENTIONS = {
    "multi_label_classification": _Labels(),
    "named_entity_recognition": _Mentions(),
    "relation_extraction": _Characters(),
    "question_answering": _Answers(),
}


def published_convention(entry: DatasetEntry) -> PublishedConvention | None:
    """Return how the authors scored the task of a dataset; None where the paper has no such task."""
    return cast(PublishedConvention | None, _CONVENTIONS.get(entry.task))


# Gold answers and most outputs are one of a few names.
@lru_cache(maxsize=1024)
def _characters(text: str) -> frozenset[str]:
    return frozenset(text)


def _first_line(raw: str) -> str:
    return raw.strip().partition("\n")[0].partition("#")[0].strip()


def _bracketed(raw: str) -> str:
    _, opened, behind = raw.partition("[")
    inside, closed, _ = behind.partition("]")
    return (inside if opened and closed else raw).strip()
