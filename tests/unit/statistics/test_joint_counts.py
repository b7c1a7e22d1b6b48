from __future__ import annotations

import numpy as np
import pytest

from quantbench.statistics import Bootstrap, JointCounts, compare
from quantbench.tasks.metrics import METRICS

BOOTSTRAP = Bootstrap(4000, 3, 0.95)


def counts(right: np.ndarray) -> np.ndarray:
    """Counts of accuracy, shape ``(n, 1, 3)``, of answers that are right or not."""
    return np.stack([right, np.zeros_like(right), ~right], axis=-1)[:, None, :].astype(np.int64)


def arms(seed: int, n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    full = chance.random(n) < 0.7
    return counts(full), counts(np.where(chance.random(n) < 0.2, chance.random(n) < 0.7, full))


def joint(*pairs: tuple[np.ndarray, np.ndarray], metric: str = "accuracy") -> JointCounts:
    stacked = np.stack([np.stack(pair, axis=1) for pair in pairs], axis=1).astype(np.float32)
    return JointCounts(METRICS[metric], stacked, len(stacked))


def differences(of: JointCounts, stream: int = 0) -> np.ndarray:
    scores = of.resampled_scores(BOOTSTRAP, stream)
    return scores[..., 1] - scores[..., 0]


def test_observed_scores_are_the_metrics_own() -> None:
    full, other = arms(1)
    assert joint((full, other)).scores[0].tolist() == pytest.approx([full[:, 0, 0].mean(), other[:, 0, 0].mean()])


def test_each_comparison_varies_as_it_does_alone() -> None:
    full, other = arms(1)
    alone = compare(full, other, [str(k) for k in range(400)], METRICS["accuracy"], BOOTSTRAP)
    low, high = np.quantile(differences(joint((full, other), arms(2)))[:, 0], [0.025, 0.975])
    assert (low, high) == pytest.approx((alone.low, alone.high), abs=0.004)


def test_models_that_fail_on_the_same_documents_are_no_more_evidence_than_one() -> None:
    one, others = differences(joint(arms(1))), differences(joint(*[arms(1)] * 5))
    apart = differences(joint(*[arms(seed) for seed in range(5)]))
    # The samples that join each comparison on its own still differ.
    assert others.mean(axis=1).std() == pytest.approx(one.std(), rel=0.1)
    assert apart.mean(axis=1).std() == pytest.approx(one.std() / np.sqrt(5), rel=0.1)


def test_two_precisions_meet_the_same_documents_and_two_datasets_others() -> None:
    full, other = arms(1)
    first, again = (joint((full, quantized)).resampled_scores(BOOTSTRAP, 0)[:, 0, 0] for quantized in (other, full))
    elsewhere = joint((full, other)).resampled_scores(BOOTSTRAP, 1)[:, 0, 0]
    assert np.corrcoef(first, again)[0, 1] > 0.99
    assert abs(np.corrcoef(first, elsewhere)[0, 1]) < 0.1


def test_without_a_changed_answer_the_interval_is_not_of_width_zero() -> None:
    full, _ = arms(1)
    low, high = np.quantile(differences(joint((full, full))), [0.025, 0.975])
    assert low == pytest.approx(-3 / 400, rel=0.4) and high == pytest.approx(3 / 400, rel=0.4)


def test_large_counts_are_added_exactly() -> None:
    """Entities of a long document: sums stay whole numbers in single precision."""
    pair = np.random.default_rng(0).integers(0, 900, (300, 1, 2, 1, 3))
    of = JointCounts(METRICS["entity_f1"], pair.astype(np.float32), 300)
    assert of.scores[0].tolist() == [METRICS["entity_f1"].value(pair.sum(axis=0)[0, arm]) for arm in range(2)]
    assert of.resampled_scores(BOOTSTRAP, 0).mean(axis=0)[0] == pytest.approx(of.scores[0], abs=0.01)
