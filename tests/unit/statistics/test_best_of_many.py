"""The probability of being best, and the set of candidates that may be."""

from __future__ import annotations

import numpy as np
import pytest

from quantbench.statistics.best_of_many import not_worse, probability_best


def resampled(right: np.ndarray, generator: np.random.Generator, resamples: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Accuracy of each candidate, and over resampled documents: right (documents, candidates)."""
    n = len(right)
    times = generator.multinomial(n, np.full(n, 1 / n), size=resamples)
    return right.mean(axis=0), times @ right / n


def test_shares_of_the_draws_with_ties_shared() -> None:
    draws = np.array([[0.5, 0.4, 0.3], [0.5, 0.5, 0.1], [0.2, 0.9, 0.1], [0.1, 0.2, 0.0]])
    assert probability_best(draws).tolist() == [0.375, 0.625, 0.0]


def test_one_candidate_is_the_best() -> None:
    draws = np.array([[0.5], [0.6]])
    assert probability_best(draws).tolist() == [1.0]
    assert not_worse(np.array([0.55]), draws, 0.95).tolist() == [True]


def test_pairing_tells_apart_what_unpaired_intervals_do_not() -> None:
    """One that is right wherever the other is, and on 3 of 100 documents more, with 10,000 documents as hard for both."""
    generator = np.random.default_rng(1)
    base = generator.random(10_000) < 0.5
    better = base | (generator.random(10_000) < 0.03)
    scores, draws = resampled(np.stack([base, better], axis=1), generator)
    assert not_worse(scores, draws, 0.95).tolist() == [False, True]
    assert probability_best(draws)[1] == 1.0
    swapped = np.stack([base, np.roll(better, 1)], axis=1)[:500]
    scores, draws = resampled(swapped, generator)
    assert not_worse(scores, draws, 0.95).all()


def test_candidates_that_answer_alike_stay_together() -> None:
    generator = np.random.default_rng(2)
    one = generator.random(200) < 0.7
    scores, draws = resampled(np.stack([one, one, np.zeros(200, bool)], axis=1), generator)
    assert not_worse(scores, draws, 0.95).tolist() == [True, True, False]
    assert probability_best(draws).tolist() == [0.5, 0.5, 0.0]


@pytest.mark.parametrize("lead", [0.0, 0.02])
def test_the_truly_best_is_kept_in_all_but_five_of_a_hundred_studies(lead: float) -> None:
    """Twelve candidates on 300 documents of differing difficulty; the first is best by ``lead``, or all are equal."""
    generator, studies = np.random.default_rng(3), 300
    kept = 0
    for _ in range(studies):
        easy = generator.beta(2, 1, size=(300, 1))
        right = generator.random((300, 12)) < np.clip(easy + lead * (np.arange(12) == 0), 0, 1)
        scores, draws = resampled(right, generator, 300)
        kept += int(not_worse(scores, draws, 0.95)[0])
    assert kept / studies >= 0.93
