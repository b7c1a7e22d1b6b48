"""What is foreseen of a comparison, beside simulated comparisons of that size."""

from __future__ import annotations

import numpy as np
import pytest

from quantbench.statistics import Bootstrap, Power, SampleSize, compare, foresee, verdict
from quantbench.statistics.power import USUAL_F1
from quantbench.tasks.metrics import METRICS, single_label_counts

SIMULATIONS = 150


def test_accuracy_by_hand() -> None:
    """One sample a document: the interval of Bonett and Price, whose standard error is sqrt((102 / 1002^2))."""
    found = foresee(SampleSize(1000, 1000, (1000,), "accuracy"), changed=0.1, margin=0.02, confidence=0.95)
    error = np.sqrt(102) / 1002
    assert found.smallest == pytest.approx((1.959964 + 0.841621) * error, rel=1e-4)
    assert found.preserved == pytest.approx(0.5094, abs=0.002)  # of a normal variable below 0.02 / error - 1.96
    assert found.samples_needed == np.ceil(1000 * (found.smallest / 0.02) ** 2)


@pytest.mark.parametrize(("n", "changed"), [(400, 0.02), (400, 0.1), (900, 0.25)])
def test_accuracy_agrees_with_simulated_comparisons(n: int, changed: float) -> None:
    size = SampleSize(n, n, (n,), "accuracy")

    def draw(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, list[str]]:
        before = random.random(n) < 0.6
        # As many answers are lost as gained, on average.
        gain = 0.6 / 0.4 * changed / 2 / 0.6
        after = np.where(before, random.random(n) >= changed / 2 / 0.6, random.random(n) < gain)
        counts = [np.stack([right, 0 * right, ~right], axis=-1)[:, None].astype(np.int64) for right in (before, after)]
        return counts[0], counts[1], [str(row) for row in range(n)]

    _agrees(foresee(size, changed, 0.03, 0.95), draw, "accuracy", 0.03)


@pytest.mark.parametrize("changed", [0.1, 0.25])
def test_macro_f1_over_documents_agrees_with_simulated_comparisons(changed: float) -> None:
    """Classes of unequal size, two samples a document."""
    support = np.array([300, 60, 40, 20])
    golds = np.random.default_rng(5).permutation(np.repeat(np.arange(4), support))
    groups = [str(row // 2) for row in range(len(golds))]

    def draw(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, list[str]]:
        def other() -> np.ndarray:
            return (golds + 1 + random.choice(3, len(golds))) % 4

        before = np.where(random.random(len(golds)) < USUAL_F1, golds, other())
        lost, gained = changed / 2 / USUAL_F1, changed / 2 / (1 - USUAL_F1)
        right = before == golds
        after = np.where(right & (random.random(len(golds)) < lost), other(), before)
        after = np.where(~right & (random.random(len(golds)) < gained), golds, after)
        labels = range(4)
        return single_label_counts(before, golds, labels), single_label_counts(after, golds, labels), groups

    size = SampleSize(len(golds), len(golds) // 2, tuple(support.tolist()), "macro_f1")
    _agrees(foresee(size, changed, 0.06, 0.95), draw, "macro_f1", 0.06, tolerance=0.25)


def _agrees(found: Power, draw: object, metric: str, margin: float, tolerance: float = 0.1) -> None:
    """The smallest loss within a share of the simulated one, and the probability of the verdict within 12 points."""
    stated, preserved = [], 0
    for seed in range(SIMULATIONS):
        before, after, groups = draw(np.random.default_rng(seed))  # type: ignore[operator]
        pair = compare(before, after, groups, METRICS[metric], Bootstrap(300, seed, 0.95))
        stated.append(pair.smallest_detectable)
        preserved += verdict(pair.low, pair.high, margin) in ("preserved", "improved")
    assert found.smallest == pytest.approx(np.mean(stated), rel=tolerance)
    assert found.preserved == pytest.approx(preserved / SIMULATIONS, abs=0.12 if tolerance == 0.1 else 0.2)


def test_a_limit_leaves_fewer_documents_and_rarer_labels() -> None:
    whole = SampleSize(1000, 100, (900, 100), "macro_f1")
    assert whole.limited(None) == whole.limited(1000) == whole
    some = whole.limited(100)
    assert (some.samples, some.support) == (100, (90, 10))
    assert 60 < some.units < 70  # of 100 documents of ten samples, a tenth of the samples meets 65
    assert foresee(some, 0.1, 0.02, 0.95).smallest > 2.5 * foresee(whole, 0.1, 0.02, 0.95).smallest


def test_too_few_documents_preserve_nothing() -> None:
    assert foresee(SampleSize(5000, 19, (5000,), "accuracy"), 0.02, 0.5, 0.95).preserved == 0
    assert foresee(SampleSize(5000, 20, (5000,), "accuracy"), 0.02, 0.5, 0.95).preserved > 0.9
