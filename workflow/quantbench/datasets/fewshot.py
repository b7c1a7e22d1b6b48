"""Worked examples for prompts: which samples of train or dev may serve, and in which order they are drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from statistics import quantiles

from ..config import DatasetEntry
from ..contracts.records import Sample
from ..tasks import samples_of
from .readers import SplitSamples
from .stratification import strata_of

SELDOM = 5  # of so many worked examples one is of a stratum that its task calls seldom


def few_shot_pool(
    split: SplitSamples, entry: DatasetEntry, seed: int, size: int, *, test: SplitSamples
) -> list[Sample]:
    """Choose at most ``size`` candidates for worked examples, balanced over labels.

    Refused are samples whose text (whitespace and letter case aside) is in ``test``, those whose document is where documents
    are known in both splits, all samples of a text that stands in the split with two different answers, and repetitions.

    Samples from the first quartile to the median of length are preferred; those of other lengths serve where a label
    has too few. Long ones say nothing that shorter ones do not, while every shot repeats their cost in memory and
    latency, which would be taken for the cost of shots as such; the shortest ones are headings and fragments.

    Args:
        split: the train or dev split.
        entry: the dataset's configuration.
        seed: decides among equals; the same seed gives the same pool.
        size: most samples to return.
        test: the whole test split, before any limit.
    """
    fit = _fit(split, entry, test)
    if len(fit) < 2:
        return fit[:size]
    shuffled = Random(f"pool {seed}").sample(fit, len(fit))
    low, middle, _ = quantiles(map(_length, fit), n=4)
    return _balanced(sorted(shuffled, key=lambda sample: _oddity(_length(sample), low, middle)), entry, size, seed)


def draw_shots(pool: Sequence[Sample], entry: DatasetEntry, shots: int, seed: int) -> list[Sample]:
    """Draw ``shots`` worked examples, or as many as the pool has. The first 3 of 5 are the 3 one would draw alone.

    Each draw serves the label that was served least with the first sample that has it, from a document not yet drawn
    from where there is one. So every label is shown once before one is shown twice, and samples with several labels
    keep their natural share. Among labels served equally often the seed decides, in every round anew: labels that came
    round in one order would be a pattern to continue. Entity sentences: all have entities but one of every five, so
    that "nothing to mark" is shown too; its place is the seed's, the second or third of the first five.

    Prompts of all precisions use the same draw, because nothing but pool, entry, number and seed enters it.
    """
    return _balanced(Random(f"shots {seed}").sample(list(pool), len(pool)), entry, shots, seed)


def _fit(split: SplitSamples, entry: DatasetEntry, test: SplitSamples) -> list[Sample]:
    """The samples that may serve: not in the test split, not ambiguous, each text once."""
    told_by = samples_of(entry).inputs[0]
    texts = {_text(sample, told_by) for sample in test.samples}
    # A training sentence of a test document is as good as a test sentence. Where a split does not know its documents, its groups
    # are no names that the other one could have too.
    known = split.documents_known and test.documents_known
    groups = {sample.group for sample in test.samples} if known else set()
    first: dict[str, Sample] = {}
    ambiguous: set[str] = set()
    for sample in split.samples:
        text = _text(sample, told_by)
        if first.setdefault(text, sample).gold != sample.gold:
            ambiguous.add(text)
    return [s for text, s in first.items() if text not in texts | ambiguous and s.group not in groups]


def _oddity(length: int, low: float, middle: float) -> int:
    """0 for a length in the preferred range, 1 below, 2 above."""
    return 0 if low <= length <= middle else 1 if length < low else 2


def _balanced(candidates: Sequence[Sample], entry: DatasetEntry, count: int, seed: int) -> list[Sample]:
    """Draw ``count`` candidates balanced over strata, earlier candidates first; a longer draw begins with a shorter."""
    waiting = list(candidates)
    strata = {sample.sample_id: strata_of(sample, entry) for sample in waiting}
    seldom = samples_of(entry).seldom
    turns = _Turns(sorted({stratum for own in strata.values() for stratum in own}), seldom, seed)
    served: Counter[str] = Counter()
    documents: set[str] = set()
    drawn: list[Sample] = []
    while waiting and len(drawn) < count:
        wanted = next(label for label in turns.wanted(served, len(drawn)) if _offered(waiting, strata, label))
        offered = _offered(waiting, strata, wanted)
        sample = next((sample for sample in offered if sample.group not in documents), offered[0])
        waiting.remove(sample)
        served.update(strata[sample.sample_id])
        documents.add(sample.group)
        drawn.append(sample)
    return drawn


@dataclass(frozen=True, slots=True)
class _Turns:
    """Whose turn it is: the label's that was served least, and among equals one by the seed, in every round anew.

    ``seldom`` has one turn in every :data:`SELDOM` draws, and no other.
    """

    labels: list[str]
    seldom: str | None
    seed: int

    def wanted(self, served: Counter[str], drawn: int) -> list[str]:
        """Labels in the order in which the next draw should serve them."""
        seldoms = drawn % SELDOM == self._seldoms_place(drawn // SELDOM)
        rounds = {number: self._order(number) for number in {served[label] for label in self.labels}}
        order = [label for number in sorted(rounds) for label in rounds[number] if served[label] == number]
        return sorted(order, key=lambda label: (label == self.seldom) != seldoms)

    def _order(self, number: int) -> list[str]:
        """The order of turns in one round; a label's round is how often it was served."""
        return Random(f"labels {self.seed} {number}").sample(self.labels, len(self.labels))

    def _seldoms_place(self, number: int) -> int:
        """Where among so many draws its turn is; in the first ones where three shots show it, and not alone."""
        return Random(f"seldom {self.seed} {number}").choice((1, 2) if number == 0 else range(SELDOM))


def _offered(waiting: list[Sample], strata: dict[str, list[str]], label: str) -> list[Sample]:
    return [sample for sample in waiting if label in strata[sample.sample_id]]


def _text(sample: Sample, told_by: str) -> str:
    """What makes two samples the same to a reader: text, sentence or question; not its options or context."""
    return " ".join(str(sample.inputs[told_by]).split()).casefold()


def _length(sample: Sample) -> int:
    """Characters a worked example adds to the prompt: of all inputs, options included."""
    return sum(
        len(value) if isinstance(value, str) else sum(map(len, value.values())) for value in sample.inputs.values()
    )
