"""Intervals of scores over very many labels: the same bootstrap as of dense counts, of what is not zero alone."""

from __future__ import annotations

import random
import tracemalloc

import numpy as np
import pytest
from sklearn.metrics import f1_score
from sklearn.preprocessing import MultiLabelBinarizer

from quantbench.errors import DataError
from quantbench.statistics import Bootstrap, interval_of_counts, interval_of_sparse_counts
from quantbench.statistics.bootstrap import resampled_sparse_scores
from quantbench.statistics.intervals import MOST_DENSE_LABELS
from quantbench.tasks import published_metric
from quantbench.tasks.sparse_counts import count_sets

MACRO = published_metric("macro_f1_over_distinct_mentions")


def simulated(n: int, names: int, seed: int = 0) -> tuple[list[set[str]], list[set[str]]]:
    """Answers, two thirds of them right, and gold sets of none to three names, few of them frequent."""
    generator = random.Random(seed)

    def some() -> set[str]:
        return {f"name {int(names * generator.random() ** 2)}" for _ in range(generator.choice([0, 1, 1, 2, 3]))}

    golds = [some() for _ in range(n)]
    return [gold if generator.random() < 0.67 else some() for gold in golds], golds


def test_counts_are_those_of_scikit_learn_and_dense_ones_the_same() -> None:
    told, golds = simulated(300, 40)
    counts = count_sets(told, golds)
    binarizer = MultiLabelBinarizer()
    true = binarizer.fit_transform(golds)
    said = binarizer.transform([answer & set(binarizer.classes_) for answer in told])
    assert MACRO.value(counts.total()) == pytest.approx(f1_score(true, said, average="macro"), abs=1e-12)
    assert (counts.dense().sum(axis=0) == counts.total()).all()
    assert (counts.dense()[:, :, 0] == (true & said)).all()


@pytest.mark.parametrize("size", [1, 7])
def test_of_what_is_not_zero_alone_as_of_all_counts(size: int) -> None:
    told, golds = simulated(700, 400)
    counts = count_sets(told, golds)
    assert counts.labels > MOST_DENSE_LABELS
    groups = [f"document {row // size}" for row in range(len(golds))]
    dense = interval_of_counts(counts.dense(), groups, MACRO, Bootstrap(4000, 3))
    assert interval_of_sparse_counts(counts, groups, MACRO, Bootstrap(4000, 5)) == pytest.approx(dense, abs=0.005)


def test_each_resample_scores_the_labels_of_its_own_gold_as_scikit_learn_does() -> None:
    told, golds = simulated(120, 300, seed=4)
    counts, groups = count_sets(told, golds), [str(row) for row in range(len(golds))]
    generator, plain = np.random.default_rng(1), []
    for _ in range(400):
        rows = generator.integers(0, len(golds), len(golds))
        binarizer = MultiLabelBinarizer()
        true = binarizer.fit_transform([golds[row] for row in rows])
        said = binarizer.transform([told[row] & set(binarizer.classes_) for row in rows])
        plain.append(f1_score(true, said, average="macro", zero_division=0))
    scores = resampled_sparse_scores(counts, groups, MACRO, Bootstrap(4000, 2))
    assert (scores.mean(), scores.std()) == pytest.approx((np.mean(plain), np.std(plain)), abs=0.006)


def test_same_seed_same_interval_other_seed_another() -> None:
    told, golds = simulated(300, 300)
    counts, groups = count_sets(told, golds), [str(row) for row in range(300)]
    first, again, other = (interval_of_sparse_counts(counts, groups, MACRO, Bootstrap(300, seed)) for seed in (1, 1, 2))
    assert first == again != other


def test_where_nothing_varies_the_open_end_is_the_exact_bound() -> None:
    _, golds = simulated(400, 300)
    groups = [str(row) for row in range(400)]
    bound = 0.025 ** (1 / 400)
    assert interval_of_sparse_counts(count_sets(golds, golds), groups, MACRO, Bootstrap(200)) == (bound, 1.0)
    nothing = count_sets([set()] * 400, golds)
    assert interval_of_sparse_counts(nothing, groups, MACRO, Bootstrap(200)) == (0.0, pytest.approx(1 - bound))
    empty = count_sets([{"x"}] * 400, [set()] * 400)
    assert interval_of_sparse_counts(empty, groups, MACRO, Bootstrap(200)) == (0.0, pytest.approx(1 - bound))
    assert interval_of_sparse_counts(nothing, ["one"] * 400, MACRO, Bootstrap(200)) == (0.0, 1.0)


def test_groups_that_do_not_match_are_refused() -> None:
    told, golds = simulated(300, 300)
    with pytest.raises(DataError, match="300 samples have counts, but 2 have"):
        interval_of_sparse_counts(count_sets(told, golds), ["a", "b"], MACRO, Bootstrap(10))
    with pytest.raises(DataError, match="no samples"):
        interval_of_sparse_counts(count_sets([], []), [], MACRO, Bootstrap(10))


def test_a_thousand_strings_of_five_thousand_sentences_take_little_memory() -> None:
    told, golds = simulated(4797, 1500)
    tracemalloc.start()
    counts = count_sets(told, golds)
    interval_of_sparse_counts(counts, [str(row) for row in range(4797)], MACRO, Bootstrap(2000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert counts.labels > 1000
    assert peak < 256 * 2**20
