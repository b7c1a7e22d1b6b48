"""The permutation test: exact where it can be, McNemar's for accuracy, and level under the null with documents."""

from itertools import product

import numpy as np
import pytest
from scipy.stats import permutation_test as scipy_permutation_test

from quantbench.errors import DataError
from quantbench.statistics import Bootstrap, mcnemar_exact, permutation_test
from quantbench.tasks.metrics import METRICS, Counts

ONE = [str(number) for number in range(1000)]
FEW = Bootstrap(resamples=2000)


def right(answers: list[int]) -> Counts:
    """Counts of accuracy."""
    given = np.array(answers)
    return np.stack([given, np.zeros_like(given), 1 - given], axis=-1)[:, None, :]


def entities(generator: np.random.Generator, n: int, labels: int = 1) -> Counts:
    return generator.integers(0, 4, (n, labels, 3))


@pytest.mark.parametrize(("lost", "gained"), [(0, 0), (1, 0), (3, 3), (1, 9), (40, 61), (4100, 4283), (0, 30)])
def test_for_accuracy_it_is_mcnemars(lost: int, gained: int) -> None:
    before = [1] * lost + [0] * gained + [1, 0, 0]
    after = [0] * lost + [1] * gained + [1, 0, 0]
    groups = [str(number) for number in range(len(before))]
    p = permutation_test(right(before), right(after), groups, METRICS["accuracy"], FEW)
    assert p == pytest.approx(mcnemar_exact(lost, gained), abs=1e-9)


@pytest.mark.parametrize("name", ["macro_f1", "entity_f1", "accuracy"])
@pytest.mark.parametrize("seed", range(4))
def test_few_documents_are_swapped_in_every_way(name: str, seed: int) -> None:
    """Against every swap of eight documents, written out."""
    generator = np.random.default_rng(seed)
    labels = 1 if name == "accuracy" else 3
    if name == "accuracy":
        before, after = (right(generator.integers(0, 2, 24).tolist()) for _ in range(2))
    else:
        before, after = entities(generator, 24, labels), entities(generator, 24, labels)
    documents = np.arange(24) // 3
    metric = METRICS[name]

    def difference(swap: tuple[int, ...]) -> float:
        chosen = np.array(swap, dtype=bool)[documents][:, None, None]
        one, two = np.where(chosen, after, before), np.where(chosen, before, after)
        return metric.value(two.sum(axis=0)) - metric.value(one.sum(axis=0))

    every = np.array([difference(swap) for swap in product((0, 1), repeat=8)])
    expected = (np.abs(every) >= abs(every[0]) - 1e-12).mean()
    found = permutation_test(before, after, documents.astype(str).tolist(), metric, FEW)
    assert found == pytest.approx(expected, abs=1e-9)


def test_it_agrees_with_scipy() -> None:
    generator = np.random.default_rng(5)
    before, after = generator.integers(0, 6, (2, 11)).astype(float)
    found = scipy_permutation_test(
        (before, after), lambda x, y: y.sum() - x.sum(), permutation_type="samples", n_resamples=np.inf
    )
    # A metric that is the plain sum of true positives.
    counts = [
        np.stack([side, np.zeros(11), np.zeros(11)], axis=-1)[:, None, :].astype(np.int64) for side in (before, after)
    ]
    total = type(METRICS["accuracy"])("sum", "sum", lambda summed: np.asarray(summed[..., 0, 0], dtype=np.float64))
    assert permutation_test(*counts, ONE[:11], total, FEW) == pytest.approx(found.pvalue, abs=1e-9)


def test_drawn_swaps_come_near_the_exact_p() -> None:
    generator = np.random.default_rng(3)
    before = entities(generator, 60)
    after = before.copy()
    after[:20] = entities(generator, 20)
    groups = ONE[:60]
    few, many = (
        permutation_test(before, after, groups, METRICS["entity_f1"], Bootstrap(resamples=resamples, seed=seed))
        for resamples, seed in ((4000, 1), (40000, 2))
    )
    assert few == pytest.approx(many, abs=4 * (many * (1 - many) / 4000) ** 0.5)
    same = Bootstrap(resamples=4000, seed=1)
    assert few == permutation_test(before, after, groups, METRICS["entity_f1"], same)


def test_no_change_is_no_evidence() -> None:
    counts = entities(np.random.default_rng(0), 30, 4)
    assert permutation_test(counts, counts, ONE[:30], METRICS["macro_f1"], FEW) == 1.0


def test_which_is_first_does_not_matter() -> None:
    generator = np.random.default_rng(8)
    one, two = entities(generator, 40, 2), entities(generator, 40, 2)
    groups = [str(number // 2) for number in range(40)]
    assert permutation_test(one, two, groups, METRICS["macro_f1"], FEW) == pytest.approx(
        permutation_test(two, one, groups, METRICS["macro_f1"], FEW), abs=0.02
    )


def test_false_alarms_under_the_null_with_documents_that_stand_or_fall_whole() -> None:
    """No loss: in each arm a tenth of 60 documents of ten samples fail. McNemar's test, by sample, sees effects everywhere."""
    alarms = {"permutation": 0, "mcnemar": 0}
    rounds = 200
    for seed in range(rounds):
        generator = np.random.default_rng(seed)
        arms = [np.repeat(generator.random(60) > 0.1, 10).astype(int) for _ in range(2)]
        groups = [str(number // 10) for number in range(600)]
        p = permutation_test(right(arms[0].tolist()), right(arms[1].tolist()), groups, METRICS["accuracy"], FEW)
        alarms["permutation"] += p < 0.05
        lost, gained = int((arms[0] > arms[1]).sum()), int((arms[1] > arms[0]).sum())
        alarms["mcnemar"] += mcnemar_exact(lost, gained) < 0.05
    assert alarms["permutation"] / rounds <= 0.05 + 3 * (0.05 * 0.95 / rounds) ** 0.5
    assert alarms["mcnemar"] / rounds > 0.3


def test_counts_of_other_samples_are_refused() -> None:
    with pytest.raises(DataError, match="they must be of the same samples"):
        permutation_test(right([1, 0]), right([1, 0])[:, [0, 0]], ONE[:2], METRICS["accuracy"], FEW)
