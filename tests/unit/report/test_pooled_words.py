"""The headline in words: what it claims, for whom, and what it does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.simulated_run import paper_catalogue

from quantbench.config import Vocabulary
from quantbench.contracts.pooled_rows import PooledRow
from quantbench.report.pooled_words import pooled_words, worst_words

ROW = PooledRow(
    study="grid",
    precision="w4a16",
    metric="all",
    comparisons=20,
    models=4,
    datasets=5,
    documents=900,
    left_out=0,
    full_score=0.7,
    score=0.685,
    difference=-0.015,
    difference_low=-0.021,
    difference_high=-0.009,
    general_low=-0.032,
    general_high=0.002,
    basis="like these",
    margin=0.01,
    verdict="inconclusive",
    recovery=0.9786,
    recovery_low=0.97,
    recovery_high=0.987,
    recovery_above_chance=0.95,
    recovery_above_chance_low=0.93,
    recovery_above_chance_high=0.97,
    worst_model="phi-4",
    worst_dataset="hoc",
    worst_difference=-0.04,
    worst_low=-0.09,
    worst_high=0.01,
)


@pytest.fixture(scope="module")
def words(repository: Path) -> Vocabulary:
    return paper_catalogue(repository).vocabulary


def headline(words: Vocabulary, **changes: object) -> str:
    (line,) = pooled_words(words, [ROW.model_copy(update=changes)], 0.95)
    return line


def worst(words: Vocabulary, **changes: object) -> str:
    (line,) = worst_words(words, [ROW.model_copy(update=changes)])
    return line


def test_the_interval_judged_comes_with_whom_it_is_about(words: Vocabulary) -> None:
    line = headline(words)
    assert line.startswith(
        "W4A16 over 20 zero-shot comparisons of study grid (4 models, 5 datasets): the mean score goes from 0.700 to 0.685"
    )
    assert (
        "a difference of -0.0150 with a 95% interval of [-0.0320, +0.0020]: inconclusive, a loss beyond the margin of 0.01"
        in line
    )
    assert (
        "for models and datasets like these; for these models on these datasets alone it is [-0.0210, -0.0090]" in line
    )
    assert "97.9% [97.0%, 98.7%] of full precision's score is kept, 95.0% [93.0%, 97.0%] of what it has above" in line
    assert "Left out" not in line and "By metric" not in line


def test_few_models_are_not_spoken_of_as_all_models(words: Vocabulary) -> None:
    line = headline(words, models=2, basis="these", general_low=None, general_high=None, verdict="worse, extent open")
    assert "interval of [-0.0210, -0.0090]: worse, though whether by more than the margin of 0.01 is open" in line
    assert "The interval is for these models on these datasets; 2 models tell too little of others." in line
    line = headline(words, models=2, datasets=2, basis="these")
    assert "2 models and 2 datasets tell too little of others, for which it would be [-0.0320, +0.0020]." in line


def test_a_small_loss_is_not_passed_over_as_preserved(words: Vocabulary) -> None:
    shown = {"basis": "these", "verdict": "preserved", "margin": 0.025}
    assert "-0.0090]: preserved, there is a loss but none beyond the margin of 0.025." in headline(words, **shown)
    line = headline(words, **shown, difference_high=0.001)
    assert "+0.0010]: preserved, no loss beyond the margin of 0.025." in line


def test_what_was_left_out_is_said_and_metrics_are_told_apart(words: Vocabulary) -> None:
    lines = pooled_words(
        words, [ROW.model_copy(update={"left_out": 3}), ROW.model_copy(update={"metric": "entity_f1"})], 0.95
    )
    assert len(lines) == 1
    assert "By metric, for these models on these datasets: entity F1 -0.0150 [-0.0210, -0.0090]." in lines[0]
    assert lines[0].endswith("Left out, with nothing to lose: 3 comparisons at chance or of random weights.")


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ((-0.04, -0.09, 0.01), "the largest loss is -0.040 (Phi-4 (14B) on HoC), [-0.090, +0.010] by"),
        ((0.25, 0.1, 0.4), "no score is lower, and the smallest difference is +0.250 (Phi-4 (14B) on HoC), "),
        ((0.0, -0.1, 0.1), "no score is lower, and the smallest difference is +0.000 "),
    ],
)
def test_a_gain_is_not_called_a_loss(words: Vocabulary, ends: tuple[float, float, float], said: str) -> None:
    line = worst(words, **dict(zip(("worst_difference", "worst_low", "worst_high"), ends, strict=True)))
    assert said in line.replace("Phi-4 on", "Phi-4 (14B) on"), line


def test_the_worst_says_whether_it_can_be_chance(words: Vocabulary) -> None:
    assert "It holds 0: the worst of 20 can be as low as this where nothing is lost." in worst(words)
    assert "holds 0" not in worst(words, worst_high=-0.001)
