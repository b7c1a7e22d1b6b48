"""A small part of ``benchmarks/null_study.py``: entity sets of NCBI-disease's shape, with nothing lost or exactly the margin."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.simulated.answers import FULL, LOSSY, MODELS, QUANTIZED, drawn_answers, found_rates
from benchmarks.simulated.before import interval_before
from benchmarks.simulated.shape import shapes

from quantbench.statistics import Bootstrap, compare, permutation_test
from quantbench.tasks.metrics import METRICS

MARGIN, STUDIES = 0.02, 24


@pytest.fixture(scope="module")
def shares() -> dict[str, float]:
    """How often each thing is said in 24 studies of 12 models that flip a quarter of their answers."""
    shape, metric = shapes()["ncbi_disease"], METRICS["entity_f1"]
    (rates,) = found_rates(shape, [0.25], MARGIN, seed=1)
    generator, said = np.random.default_rng(3), []
    for study in range(STUDIES):
        answers = drawn_answers(shape, shape.drawn(generator), rates, generator)
        documents = [str(number) for number in range(answers.counts.shape[2])]
        for model in range(MODELS):
            full, same, worse = (answers.counts[model, arm] for arm in (FULL, QUANTIZED[0], LOSSY[1]))
            bootstrap = Bootstrap(400, study)
            intact = compare(full, same, documents, metric, bootstrap)
            lossy = compare(full, worse, documents, metric, bootstrap)
            sentences = [answers.sentences[model, arm] for arm in (FULL, LOSSY[1])]
            low, high = interval_before(*sentences, answers.samples, metric, bootstrap)
            said.append(
                {
                    "interval without 0": not intact.low <= 0 <= intact.high,
                    "test": permutation_test(full, same, documents, metric, bootstrap) < 0.05,
                    "interval without the loss": not lossy.low <= -MARGIN <= lossy.high,
                    "preserved": lossy.low > -MARGIN,
                    "interval over sentences without the loss": not low <= -MARGIN <= high,
                }
            )
    return {name: float(np.mean([one[name] for one in said])) for name in said[0]}


@pytest.mark.parametrize(
    ("name", "most"),
    [("interval without 0", 0.06), ("test", 0.06), ("interval without the loss", 0.07), ("preserved", 0.05)],
)
def test_no_more_is_claimed_than_intervals_and_tests_say(shares: dict[str, float], name: str, most: float) -> None:
    """Within two standard errors; models of a study share its documents, so 288 comparisons count as about 150."""
    assert shares[name] <= most + 2 * (most * (1 - most) / 150) ** 0.5


def test_sentences_taken_as_independent_claim_more(shares: dict[str, float]) -> None:
    assert shares["interval over sentences without the loss"] > 0.08
    assert shares["interval over sentences without the loss"] > 1.5 * shares["interval without the loss"]
