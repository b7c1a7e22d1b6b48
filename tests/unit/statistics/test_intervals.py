from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from quantbench.config import load_datasets
from quantbench.datasets import read_split_samples
from quantbench.errors import DataError
from quantbench.statistics import (
    Bootstrap,
    clustered_wilson_interval,
    design_effect,
    interval_of_counts,
    wilson_interval,
)
from quantbench.tasks.metrics import METRICS


def accuracy_counts(right: int, wrong: int) -> np.ndarray:
    return np.array([[[1, 0, 0]]] * right + [[[0, 0, 1]]] * wrong)


def apart(n: int) -> list[str]:
    return [str(row) for row in range(n)]


# Newcombe 1998, "Two-sided confidence intervals for the single proportion", Table I, method 3.
@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_published_intervals(successes: int, n: int, low: float, high: float) -> None:
    assert wilson_interval(successes, n, 0.95) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize("successes", [0, 1, 37, 499, 500])
@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_wilson_agrees_with_scipy(successes: int, confidence: float) -> None:
    expected = binomtest(successes, 500).proportion_ci(confidence_level=confidence, method="wilson")
    assert wilson_interval(successes, 500, confidence) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize(("successes", "n"), [(0, 0), (-1, 5), (6, 5)])
def test_what_is_no_proportion_is_refused(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="are no proportion"):
        wilson_interval(successes, n, 0.95)


def test_accuracy_has_wilsons_interval() -> None:
    assert interval_of_counts(
        accuracy_counts(81, 182), apart(263), METRICS["accuracy"], Bootstrap(10, 0, 0.95)
    ) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def width(interval: tuple[float, float]) -> float:
    return interval[1] - interval[0]


def of_accuracy(right: list[int], size: int, groups: list[str]) -> tuple[float, float]:
    """The interval of documents of one size, in each of which so many samples are right."""
    counts = np.concatenate([accuracy_counts(count, size - count) for count in right])
    return interval_of_counts(counts, groups, METRICS["accuracy"], Bootstrap(10, 0, 0.95))


def test_accuracy_over_documents_of_one_sample_is_wilsons_to_the_last_digit() -> None:
    for right in (0, 1, 81, 262, 263):
        found = of_accuracy([1] * right + [0] * (263 - right), 1, apart(263))
        assert found == wilson_interval(right, 263, 0.95)


def test_the_design_effect_of_documents_all_right_or_all_wrong_is_their_size() -> None:
    """Ten samples that say what one says; the factor 50/49 is that of a variance which is estimated."""
    right = np.array([10] * 30 + [0] * 20)
    assert design_effect(right, np.full(50, 10)) == pytest.approx(10 * 50 / 49)
    assert design_effect(np.full(50, 6), np.full(50, 10)) == 1.0  # never less than independent samples


def test_the_design_effect_weighs_documents_by_their_size() -> None:
    """By hand: share 3/6, residuals 2 - 1, 0 - 1/2, 1 - 3/2; their squares add up to 1.5, times 3/2, over 6 x 1/4."""
    assert design_effect(np.array([2, 0, 1]), np.array([2, 1, 3])) == pytest.approx(1.5 * 1.5 / 1.5)


def test_an_accuracy_of_clustered_answers_is_less_certain() -> None:
    """30 of 50 documents of ten questions right as a whole: about Wilson's interval of 30 of 50, not of 300 of 500."""
    groups = [str(row // 10) for row in range(500)]
    found = of_accuracy([10] * 30 + [0] * 20, 10, groups)
    assert found == pytest.approx(wilson_interval(30, 50, 0.95), abs=0.01)
    assert width(found) > width(wilson_interval(30, 50, 0.95)) > 3 * width(wilson_interval(300, 500, 0.95))


@pytest.mark.parametrize(("right", "end"), [(10, 1.0), (0, 0.0)])
def test_an_accuracy_without_exception_counts_documents(right: int, end: float) -> None:
    """Nothing shows how alike the answers of one document are, so each document counts once."""
    found = of_accuracy([right] * 20, 10, [str(row // 10) for row in range(200)])
    assert end in found
    whole = wilson_interval(20 * (right > 0), 20, 0.95)
    assert width(whole) < width(found) < 1.2 * width(whole)


def test_an_accuracy_from_one_document_says_nothing_of_others() -> None:
    assert of_accuracy([7], 10, ["d"] * 10) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("documents", "alike", "share"), [(20, 0.1, 0.8), (50, 0.1, 0.5), (50, 0.5, 0.8), (200, 0.1, 0.95), (200, 0.5, 0.8)]
)
def test_accuracy_over_documents_covers_the_truth_as_often_as_it_claims(
    documents: int, alike: float, share: float
) -> None:
    """1,000 simulated test sets; ``alike`` is the correlation of two answers of one document (beta-binomial)."""
    random = np.random.default_rng(5)
    covered = {"documents": 0, "samples": 0}
    for _ in range(1000):
        sizes = random.integers(4, 17, documents)
        skill = random.beta(share * (1 - alike) / alike, (1 - share) * (1 - alike) / alike, documents)
        right = random.binomial(sizes, skill)
        low, high = clustered_wilson_interval(right, sizes, 0.95)
        covered["documents"] += low <= share <= high
        low, high = wilson_interval(int(right.sum()), int(sizes.sum()), 0.95)
        covered["samples"] += low <= share <= high
    assert 0.92 <= covered["documents"] / 1000 <= 0.975
    assert covered["samples"] / 1000 < 0.88  # what a reader would be told otherwise


def test_an_entirely_right_f1_is_not_certain() -> None:
    """Clopper and Pearson's bound of 20 right out of 20 is 0.8316."""
    counts = np.array([[[2, 0, 0]]] * 20)
    assert interval_of_counts(counts, apart(20), METRICS["entity_f1"], Bootstrap(200, 0, 0.95)) == pytest.approx(
        (0.8316, 1), abs=5e-5
    )


def test_an_entirely_wrong_f1_is_not_certain() -> None:
    counts = np.array([[[0, 1, 1]]] * 20)
    assert interval_of_counts(counts, apart(20), METRICS["entity_f1"], Bootstrap(200, 0, 0.95)) == pytest.approx(
        (0, 0.1684), abs=5e-5
    )


def test_one_document_says_nothing_of_others() -> None:
    assert interval_of_counts(
        np.array([[[1, 1, 0]]] * 9), ["d"] * 9, METRICS["entity_f1"], Bootstrap(200, 0, 0.95)
    ) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("counts", "groups", "words"),
    [
        (np.zeros((0, 1, 3)), [], "no samples"),
        (np.zeros((2, 1, 3)), ["a"], "2 samples have counts, but 1"),
        (np.zeros((2, 3)), ["a", "b"], r"shape \(2, 3\)"),
    ],
)
def test_unusable_counts_are_refused(counts: np.ndarray, groups: list[str], words: str) -> None:
    with pytest.raises(DataError, match=words):
        interval_of_counts(counts, groups, METRICS["entity_f1"], Bootstrap(100, 0, 0.95))


def test_bootstrap_intervals_cover_the_truth_as_often_as_they_claim() -> None:
    """300 simulated test sets of 60 documents with 3 sentences each; the F1 of a whole population is known."""
    random = np.random.default_rng(11)
    population = np.stack([_document(random) for _ in range(20000)])
    sums = population.sum(axis=(0, 1))[0]
    truth = 2 * sums[0] / (2 * sums[0] + sums[1] + sums[2])
    covered = 0
    for trial in range(300):
        chosen = population[random.integers(0, len(population), 60)].reshape(180, 1, 3)
        low, high = interval_of_counts(
            chosen, [str(row // 3) for row in range(180)], METRICS["entity_f1"], Bootstrap(400, trial, 0.95)
        )
        covered += low <= truth <= high
    assert 0.91 <= covered / 300 <= 0.985


def _document(random: np.random.Generator) -> np.ndarray:
    """Counts of three sentences, shape (3, 1, 3), whose difficulty is the document's own."""
    skill = random.beta(4, 2)
    entities = random.integers(0, 4, 3)
    hits = random.binomial(entities, skill)
    return np.stack([hits, random.binomial(2, 1 - skill, 3), entities - hits], axis=1)[:, None, :]


@pytest.mark.parametrize("name", ["bc5cdr_chemical", "ncbi_disease"])
def test_whole_abstracts_lost_make_an_interval_wider_than_so_many_sentences_would(
    real_data: Path, repository: Path, name: str
) -> None:
    """Every tenth abstract is missed whole; of the entities in the others one in five is."""
    entry = load_datasets(repository)[name]
    samples = read_split_samples(real_data / name / "test.tsv", entry, None).samples
    random = np.random.default_rng(7)
    documents = dict.fromkeys(sample.group for sample in samples)
    missed = {document for place, document in enumerate(documents) if place % 10 == 0}
    golds = np.array([len(sample.gold) for sample in samples])
    found = random.binomial(golds, [0.0 if sample.group in missed else 0.8 for sample in samples])
    counts = np.stack([found, np.zeros_like(found), golds - found], axis=1)[:, None, :]
    by_document, by_sentence = (
        interval_of_counts(counts, groups, METRICS["entity_f1"], Bootstrap(1000, 1))
        for groups in ([sample.group for sample in samples], apart(len(samples)))
    )
    assert width(by_document) / width(by_sentence) > 1.5
