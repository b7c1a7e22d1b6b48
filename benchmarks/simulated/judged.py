"""One simulated study, judged as it was before and as it is now: what is claimed though nothing is lost, and what is missed though much is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from quantbench.statistics import (
    Bootstrap,
    DatasetEffects,
    JointCounts,
    compare,
    holm,
    interval_of_counts,
    mcnemar_exact,
    permutation_test,
    pooled_effect,
    verdict,
)
from quantbench.tasks.metrics import METRICS, Metric

from .answers import FULL, LOSSY, MODELS, QUANTIZED, Answers, Rates, drawn_answers
from .before import interval_before
from .shape import Floats, Numbers, Shape
from .tally import Asked, Found

ALL = "all"
ALPHA = 0.05
# Of the comparisons, one arm without a loss and another with it have intervals: they take most of the time.
_WITH_INTERVALS = (QUANTIZED[0], LOSSY[1])
_MOST_SWAPS = 10_000


@dataclass(frozen=True, slots=True)
class Setting:
    """What is simulated.

    Attributes:
        shapes: the test sets by name.
        margins: of each, largest loss still called preserved; lossy arms lose exactly it.
        rates: of each, for this share of flips.
        flips: the share of answers that differ between two arms.
        resamples: of bootstraps and permutations.
        seed: of the whole simulation.
    """

    shapes: Mapping[str, Shape]
    margins: Mapping[str, float]
    rates: Mapping[str, Rates]
    flips: float
    resamples: int
    seed: int


@dataclass(frozen=True, slots=True)
class ScoreInterval:
    """An interval of one model's score; whether it covers the truth is known when all studies are drawn."""

    asked: Asked
    study: int
    model: int
    low: float
    high: float


@dataclass(slots=True)
class Judged:
    """What came of one study.

    Attributes:
        found: answered questions.
        scores: intervals of scores.
        sums: dataset -> counts of each model summed over its arms without loss, shape ``(models, labels, 3)``.
    """

    found: list[Found] = field(default_factory=list)
    scores: list[ScoreInterval] = field(default_factory=list)
    sums: dict[str, Numbers] = field(default_factory=dict)


def judged_study(setting: Setting, study: int) -> Judged:
    """Draw one study and judge it."""
    judge = _Judge(setting, study, Judged(), {way: [] for way in ("before", "after")}, [])
    generator = np.random.default_rng([setting.seed, round(setting.flips * 1000), study])
    for name, shape in setting.shapes.items():
        answers = drawn_answers(shape, shape.drawn(generator), setting.rates[name], generator)
        judge.dataset(
            name, METRICS[shape.metric], answers, Bootstrap(setting.resamples, int(generator.integers(2**31)))
        )
    judge.whole(Bootstrap(setting.resamples, int(generator.integers(2**31))))
    return judge.judged


@dataclass(frozen=True, slots=True)
class _Interval:
    difference: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class _Judge:
    """Judges a study dataset by dataset, then as a whole.

    Attributes:
        p_values: before and after, of all comparisons without a loss.
        drawn: name, metric and answers of the datasets.
    """

    setting: Setting
    study: int
    judged: Judged
    p_values: dict[str, list[float]]
    drawn: list[_Dataset]

    def dataset(self, name: str, metric: Metric, answers: Answers, bootstrap: Bootstrap) -> None:
        """Its tests, intervals and verdicts."""
        own = _Dataset(name, metric, answers, [])
        self.drawn.append(own)
        self.judged.sums[name] = answers.counts[:, [FULL, *QUANTIZED]].sum(axis=(1, 2))
        groups = [str(document) for document in range(answers.counts.shape[2])]
        for model in range(MODELS):
            self._score(own, model, groups, bootstrap)
            for arm in QUANTIZED:
                self._test(own, model, arm, groups, bootstrap)
            for arm in _WITH_INTERVALS:
                self._comparison(own, model, arm, groups, bootstrap)

    def _score(self, own: _Dataset, model: int, groups: list[str], bootstrap: Bootstrap) -> None:
        counts, what = own.answers.counts[model, FULL], "interval of a score covers it"
        after = interval_of_counts(counts, groups, own.metric, bootstrap)
        before = after
        if own.answers.sentences is not None:
            sentences = own.answers.sentences[model, FULL]
            before = interval_of_counts(sentences, [str(row) for row in range(len(sentences))], own.metric, bootstrap)
        for way, (low, high) in (("before", before), ("after", after)):
            self.judged.scores.append(ScoreInterval(self._asked(what, own.name, way), self.study, model, low, high))

    def _comparison(self, own: _Dataset, model: int, arm: int, groups: list[str], bootstrap: Bootstrap) -> None:
        full, other = own.answers.counts[model, FULL], own.answers.counts[model, arm]
        compared = compare(full, other, groups, own.metric, bootstrap)
        units = own.answers.counts if own.answers.sentences is None else own.answers.sentences
        low, high = interval_before(units[model, FULL], units[model, arm], own.answers.samples, own.metric, bootstrap)
        if arm in QUANTIZED:
            own.before.append(_Interval(compared.difference, low, high))
        self._interval(own.name, arm, "before", low, high)
        self._interval(own.name, arm, "after", compared.low, compared.high)

    def _test(self, own: _Dataset, model: int, arm: int, groups: list[str], bootstrap: Bootstrap) -> None:
        full, other = own.answers.counts[model, FULL], own.answers.counts[model, arm]
        was, now = own.answers.right[model, FULL], own.answers.right[model, arm]
        p_values = {
            "before": mcnemar_exact(int((was & ~now).sum()), int((now & ~was).sum())),
            "after": _permuted(full, other, groups, own.metric, bootstrap),
        }
        for way, p in p_values.items():
            self._say("no loss: test has p < .05", own.name, way, p < ALPHA)
            self.p_values[way].append(p)

    def _interval(self, name: str, arm: int, way: str, low: float, high: float) -> None:
        margin = self.setting.margins[name]
        said = verdict(low, high, margin) if way == "after" else _verdict_before(low, high, margin)
        if arm in LOSSY:
            self._say("loss of the margin: interval covers it", name, way, low <= -margin <= high)
            self._say("loss of the margin: called preserved", name, way, said in ("preserved", "improved"))
        else:
            self._say("no loss: interval covers 0", name, way, low <= 0 <= high)
            self._say(
                "no loss: called degraded, worse or improved", name, way, said not in ("preserved", "inconclusive")
            )
            self._say("no loss: called preserved", name, way, said == "preserved")

    def whole(self, bootstrap: Bootstrap) -> None:
        """The headlines: any test of the study after Holm's correction; the largest loss; the pooled effect."""
        for way, p_values in self.p_values.items():
            self._say("no loss: any test of the study after Holm", ALL, way, min(holm(p_values)) < ALPHA)
        for arm in (*QUANTIZED, *LOSSY):
            pool = [self._effects(own, arm, bootstrap, stream) for stream, own in enumerate(self.drawn)]
            if arm == _WITH_INTERVALS[0]:
                worst = min((one for own in self.drawn for one in own.before), key=lambda one: one.difference)
                self._say(
                    "no loss: interval of the largest loss excludes 0", ALL, "before", not worst.low <= 0 <= worst.high
                )
            self._pooled(ALL, pool, arm, bootstrap)
            for name in dict.fromkeys(of.counts.metric.name for of in pool):
                self._pooled(name, [of for of in pool if of.counts.metric.name == name], arm, bootstrap)

    def _effects(self, own: _Dataset, arm: int, bootstrap: Bootstrap, stream: int) -> DatasetEffects:
        counts = np.moveaxis(own.answers.counts[:, [FULL, arm]], 2, 0).astype(np.float32)
        joint = JointCounts(own.metric, counts, own.answers.samples)
        models = [str(model) for model in range(MODELS)]
        return DatasetEffects.drawn(own.name, models, joint, [0.0] * MODELS, bootstrap, stream)

    def _pooled(self, family: str, pool: list[DatasetEffects], arm: int, bootstrap: Bootstrap) -> None:
        effect = pooled_effect(pool, bootstrap)
        margin = float(np.mean([self.setting.margins[of.dataset] for of in pool]))
        bases = {"these": effect.difference, "like these": effect.general}
        for basis, found in bases.items():
            if found is not None and arm in LOSSY:
                self._say(
                    f"loss of the margin: pooled interval ({basis}) covers it",
                    family,
                    "after",
                    found.low <= -margin <= found.high,
                )
                self._say(
                    f"loss of the margin: pooled effect ({basis}) called preserved",
                    family,
                    "after",
                    found.low > -margin,
                )
            elif found is not None:
                self._say(f"no loss: pooled interval ({basis}) covers 0", family, "after", found.low <= 0 <= found.high)
                self._say(f"no loss: pooled effect ({basis}) called preserved", family, "after", found.low > -margin)
        if arm in QUANTIZED:
            worst, recovery = effect.worst.difference, effect.recovery
            self._say(
                "no loss: interval of the largest loss excludes 0", family, "after", not worst.low <= 0 <= worst.high
            )
            self._say(
                "no loss: interval of the recovery covers 100%", family, "after", recovery.low <= 1 <= recovery.high
            )

    def _say(self, what: str, dataset: str, way: str, hit: bool) -> None:
        self.judged.found.append(Found(self._asked(what, dataset, way), self.study, bool(hit)))

    def _asked(self, what: str, dataset: str, way: str) -> Asked:
        return Asked(what, dataset, self.setting.flips, way)


@dataclass(frozen=True, slots=True)
class _Dataset:
    """One dataset of a study; ``before`` holds the earlier intervals of the arm without loss that has intervals."""

    name: str
    metric: Metric
    answers: Answers
    before: list[_Interval]


def _permuted(full: Numbers, other: Numbers, groups: list[str], metric: Metric, bootstrap: Bootstrap) -> float:
    """With so many swaps as a run has where few leave a p no smaller than few can be: Holm's correction needs it."""
    p = permutation_test(full, other, groups, metric, bootstrap)
    if p > 3 / bootstrap.resamples:
        return p
    return permutation_test(full, other, groups, metric, Bootstrap(_MOST_SWAPS, bootstrap.seed, bootstrap.confidence))


def _verdict_before(low: float, high: float, margin: float) -> str:
    return "preserved" if low > -margin else "degraded" if high < -margin else "inconclusive"


def covered(intervals: list[ScoreInterval], truths: Mapping[str, Floats]) -> list[Found]:
    """Whether intervals of scores hold the true ones, shape ``(models,)`` for each dataset."""
    return [
        Found(one.asked, one.study, bool(one.low <= truths[one.asked.dataset][one.model] <= one.high))
        for one in intervals
    ]
