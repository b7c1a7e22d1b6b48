from __future__ import annotations

import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from sklearn.metrics import f1_score

from quantbench.statistics import Bootstrap, interval_of_counts
from quantbench.statistics.bootstrap import DISTINCT_SHARE, resampled_sums, sum_by_group
from quantbench.tasks.metrics import METRICS


def one_label_counts(golds: np.ndarray, answers: np.ndarray, labels: int) -> np.ndarray:
    counts = np.zeros((len(golds), labels, 3), dtype=np.int64)
    for row, (gold, answer) in enumerate(zip(golds, answers, strict=True)):
        if gold == answer:
            counts[row, gold, 0] = 1
        else:
            counts[row, answer, 1] = 1
            counts[row, gold, 2] = 1
    return counts


def simulated(n: int, labels: int = 6, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    golds = random.choice(labels, n, p=[0.75, *[0.25 / (labels - 1)] * (labels - 1)])
    answers = np.where(random.random(n) < 0.7, golds, random.integers(0, labels, n))
    return one_label_counts(golds, answers, labels)


def test_scores_agree_with_scikit_learn() -> None:
    random = np.random.default_rng(1)
    golds, answers = random.integers(0, 5, 300), random.integers(0, 5, 300)
    sums = one_label_counts(golds, answers, 5).sum(axis=0)
    assert METRICS["macro_f1"].values(sums) == pytest.approx(f1_score(golds, answers, average="macro"))
    assert METRICS["entity_f1"].values(sums) == pytest.approx(f1_score(golds, answers, average="micro"))


def test_a_label_never_seen_nor_predicted_counts_as_0() -> None:
    assert METRICS["macro_f1"].values(np.array([[3, 0, 0], [0, 0, 0]])) == 0.5


def test_accuracy_is_hits_over_samples() -> None:
    assert METRICS["accuracy"].values(np.array([[[3, 0, 1]], [[0, 0, 0]]])).tolist() == [0.75, 0.0]


def test_counts_of_a_document_are_added_up() -> None:
    counts = np.arange(24).reshape(4, 2, 3)
    sums = sum_by_group(counts, ["b", "a", "b", "a"])
    assert sums.tolist() == [(counts[1] + counts[3]).tolist(), (counts[0] + counts[2]).tolist()]


def test_every_resample_draws_as_many_documents_as_there_are() -> None:
    rows = np.ones((37, 1, 3))
    rows[:5] += 1  # two distinct rows
    sums = resampled_sums(np.concatenate([rows, np.ones((37, 1, 3))], axis=1), Bootstrap(500, 3))
    assert (sums[:, 1] == 37).all()


@pytest.mark.parametrize("size", [1, 8])
def test_the_bootstrap_is_the_one_over_documents(size: int) -> None:
    """With documents of one sample most rows are equal, with eight most are distinct: both ways of drawing are held."""
    counts = simulated(400)
    groups = [str(row // size) for row in range(400)]
    random = np.random.default_rng(5)
    rows = sum_by_group(counts, groups)
    assert (len(np.unique(rows, axis=0)) * DISTINCT_SHARE < len(rows)) == (size == 1)
    plain = np.concatenate([rows[random.integers(0, len(rows), (500, len(rows)))].sum(axis=1) for _ in range(8)])
    expected = np.quantile(METRICS["macro_f1"].values(plain), [0.025, 0.975])
    assert interval_of_counts(counts, groups, METRICS["macro_f1"], Bootstrap(4000, 7, 0.95)) == pytest.approx(
        expected, abs=0.005
    )


def test_same_seed_same_interval_other_seed_another() -> None:
    counts, groups = simulated(300), [str(row) for row in range(300)]
    first, again, other = (
        interval_of_counts(counts, groups, METRICS["macro_f1"], Bootstrap(500, seed, 0.95)) for seed in (1, 1, 2)
    )
    assert first == again != other


def test_samples_of_one_document_count_as_one_when_they_agree() -> None:
    """Eight copies of a document tell no more than one: the interval over documents stays, the naive one shrinks."""
    counts = simulated(100)
    copies = np.repeat(counts, 8, axis=0)
    single = interval_of_counts(counts, [str(row) for row in range(100)], METRICS["macro_f1"], Bootstrap(4000, 1, 0.95))
    clustered = interval_of_counts(
        copies, [str(row // 8) for row in range(800)], METRICS["macro_f1"], Bootstrap(4000, 1, 0.95)
    )
    naive = interval_of_counts(copies, [str(row) for row in range(800)], METRICS["macro_f1"], Bootstrap(4000, 1, 0.95))
    assert clustered == pytest.approx(single, abs=0.01)
    assert naive[1] - naive[0] < 0.5 * (clustered[1] - clustered[0])


def test_the_largest_dataset_takes_little_memory() -> None:
    """Every sample another row: the worst case; real relation counts have a few dozen distinct rows."""
    counts = np.random.default_rng(0).integers(0, 40, (16943, 6, 3))
    groups = [str(row) for row in range(16943)]
    tracemalloc.start()
    interval_of_counts(counts, groups, METRICS["macro_f1"], Bootstrap(1000, 1, 0.95))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 512 * 2**20


def test_importing_statistics_loads_neither_scipy_nor_pandas() -> None:
    code = (
        "import sys, quantbench.statistics; print([m for m in ('scipy', 'pandas', 'statsmodels') if m in sys.modules])"
    )
    path = [entry for entry in sys.path if entry]
    shown = subprocess.run([sys.executable, "-c", f"import sys; sys.path[:0] = {path!r}; {code}"], capture_output=True)
    assert shown.stdout.decode().strip() == "[]", shown.stderr.decode()
