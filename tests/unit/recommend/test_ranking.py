"""Which candidates are ranked, in which order, and what is said of the rest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from quantbench.errors import ConfigError, DataError
from quantbench.recommend import Candidate, CellEvidence, Constraints, Evidence, recommend
from quantbench.recommend.ranking import memory_needed_gib, pareto_front
from quantbench.recommend.standings import Standing
from quantbench.recommend.words import as_text, headline, rows, verdict_sentence

TITLES = {"one": "One", "two": "Two"}


def cell(dataset: str, score: float, memory: float, latency: float, low: float | None = None) -> CellEvidence:
    interval = {} if low is None else {"difference": low + 0.01, "difference_low": low, "difference_high": low + 0.02}
    return CellEvidence(dataset, score, score - 0.02, score + 0.02, memory, "measured", latency, **interval)  # type: ignore[arg-type]


def candidate(
    model: str, score: float, memory: float = 10, latency: float = 1, low: float | None = None, **more: bool
) -> Candidate:
    cells = tuple(cell(name, score, memory, latency, low) for name in TITLES)
    reference = more.pop("is_reference", False)
    return Candidate(model, "w4a16", model, "W4A16", "MIT", cells, reference, **more)


def evidence(*candidates: Candidate) -> Evidence:
    return Evidence("run test", (), {"qa": TITLES}, {"qa": candidates})


def models(*candidates: Candidate, **limits: float) -> list[str]:
    found = recommend(evidence(*candidates), "qa", Constraints(**{"gpu_memory_gib": 24, **limits}))
    return [one.model for one in found.ranked]


def test_best_score_first() -> None:
    assert models(candidate("low", 0.5), candidate("high", 0.7), candidate("middle", 0.6)) == ["high", "middle", "low"]


def test_of_equal_scores_the_faster_comes_first() -> None:
    pair = [candidate("slow", 0.700, latency=3), candidate("fast", 0.700, latency=1)]
    assert models(*pair) == ["fast", "slow"]
    assert models(*pair, candidate("best", 0.701, latency=9)) == ["best", "fast", "slow"]


def drawn(one: Candidate, *draws: float) -> Candidate:
    return replace(one, draws=np.array(draws))


def test_the_answer_says_how_sure_the_first_place_is() -> None:
    best = drawn(candidate("best", 0.70, memory=12, latency=3), 0.70, 0.72, 0.68, 0.71)
    level = drawn(candidate("level", 0.69, memory=10, latency=1), 0.71, 0.68, 0.70, 0.67)
    worse = drawn(candidate("worse", 0.50, memory=4), 0.50, 0.52, 0.48, 0.51)
    found = recommend(evidence(worse, level, best), "qa", Constraints(24))
    assert [one.model for one in found.ranked] == ["best", "level", "worse"]
    assert found.standings == (Standing(0.5, True), Standing(0.5, True), Standing(0.0, False))
    assert found.level == (level,)
    text = as_text(found)
    assert (
        "It scores best in 50% of the draws of the documents; by these samples level W4A16 may be as good or better."
        in text
    )
    assert "Of these the fastest is level W4A16, with 1.00 s a query." in text
    assert "Of these the smallest is level W4A16, with 10.0 GiB at the peak." in text
    assert [(row.probability_best, row.may_be_best) for row in rows(found)] == [(0.5, True), (0.5, True), (0.0, False)]


def test_where_the_rest_is_worse_the_answer_says_so() -> None:
    best, worse = drawn(candidate("best", 0.70), 0.70, 0.72, 0.68), drawn(candidate("worse", 0.50), 0.50, 0.52, 0.48)
    found = recommend(evidence(worse, best), "qa", Constraints(24))
    assert (
        "in 100% of the draws of the documents, and each other candidate that fits scores less by more than chance"
        in as_text(found)
    )
    alone = recommend(evidence(best), "qa", Constraints(24))
    assert "It is the only candidate that fits." in as_text(alone)


def test_what_does_not_fit_takes_no_first_place() -> None:
    """Draws are counted among those that can be deployed."""
    large = drawn(candidate("large", 0.9, memory=99), 0.9, 0.9, 0.9)
    one, two = drawn(candidate("one", 0.7), 0.7, 0.6, 0.7), drawn(candidate("two", 0.6), 0.6, 0.7, 0.6)
    found = recommend(evidence(large, one, two), "qa", Constraints(24))
    assert [round(one.probability_best, 3) for one in found.standings] == [0.667, 0.333]


def test_without_draws_no_place_is_called_sure() -> None:
    found = recommend(evidence(candidate("a", 0.7), drawn(candidate("b", 0.6), 0.6, 0.6)), "qa", Constraints(24))
    assert found.standings == ()
    assert "not known" in as_text(found)
    assert [(row.probability_best, row.may_be_best) for row in rows(found)] == [(None, None), (None, None)]


def test_memory_must_fit_with_headroom_and_context() -> None:
    tight = candidate("tight", 0.7, memory=(24 - 0.5) / 1.05)
    assert memory_needed_gib(tight) == pytest.approx(24)
    assert models(candidate("fits", 0.6, memory=22.3)) == ["fits"]
    found = recommend(evidence(candidate("large", 0.7, memory=22.5), candidate("x", 0.1)), "qa", Constraints(24))
    assert [(one.candidate.model, one.reason) for one in found.excluded] == [
        (
            "large",
            "It needs 24.1 GiB (peak 22.5, 5% headroom, 0.5 for the CUDA context), more than the GPU's 24.",
        )
    ]


def test_the_slowest_dataset_decides_latency_and_the_largest_memory() -> None:
    mixed = Candidate("m", "full", "M", "full", "MIT", (cell("one", 0.5, 5, 1), cell("two", 0.7, 9, 3)), True)
    assert (mixed.score, mixed.memory_gib, mixed.latency_s) == (pytest.approx(0.6), 9, 3)
    found = recommend(evidence(mixed), "qa", Constraints(24, max_latency_s=2))
    assert found.excluded[0].reason == "A query takes 3.00 s on average, longer than the 2 s allowed."
    assert found.refusal is not None and "fits a GPU of 24 GiB within 2 s a query" in found.refusal


def test_intervals_of_independent_datasets_are_joined() -> None:
    low, high = candidate("m", 0.6).interval or (0, 0)
    assert (low, high) == (pytest.approx(0.6 - 0.02 / 2**0.5), pytest.approx(0.6 + 0.02 / 2**0.5))


def test_demonstration_models_are_never_recommended() -> None:
    found = recommend(evidence(candidate("tiny", 0.99, demonstration=True)), "qa", Constraints(80))
    assert found.best is None
    assert "demonstration model or a random-weight stand-in" in str(found.refusal)
    assert models(candidate("tiny", 0.99, demonstration=True), candidate("real", 0.4)) == ["real"]


def test_a_missing_dataset_excludes_by_name() -> None:
    partial = Candidate("m", "full", "M", "full", "MIT", (cell("one", 0.9, 5, 1),), True)
    found = recommend(evidence(partial), "qa", Constraints(24))
    assert found.excluded[0].reason == "It has no result on Two, so its score is not that of the whole task."
    assert found.refusal == (
        "No recommendation: no real model was run on all of One and Two and scored better than a constant answer."
    )


def test_what_a_constant_answer_scores_is_no_skill() -> None:
    cells = tuple(replace(cell(name, 0.3, 5, 1), constant_score=0.31) for name in TITLES)
    found = recommend(evidence(Candidate("m", "full", "M", "full", "MIT", cells, True)), "qa", Constraints(24))
    assert found.best is None
    assert found.excluded[0].reason == "Its score of 0.300 is no better than that of the best constant answer, 0.310."


@pytest.mark.parametrize(
    ("low", "word"), [(-0.005, "preserved"), (-0.02, "inconclusive"), (-0.05, "degraded"), (None, "untested")]
)
def test_the_verdict_is_said(low: float | None, word: str) -> None:
    one = candidate("m", 0.6, low=low)
    assert one.verdict(0.01) == word
    text = as_text(recommend(evidence(one), "qa", Constraints(24, margin=0.01)))
    assert verdict_sentence(one, 0.01) in text
    assert word.capitalize() in text


@pytest.mark.parametrize(
    ("cells", "word"),
    [
        ({"low": -0.005, "unjudged": "at chance"}, "at chance"),
        ({"low": -0.05, "unjudged": "too few"}, "too few"),
        ({"low": -0.0195}, "preserved"),  # by the margin of its dataset
        ({"low": 0.001}, "improved"),
        ({"low": -0.025, "high": -0.001}, "worse, extent open"),
    ],
)
def test_every_verdict_has_its_sentence(cells: dict[str, float | str], word: str) -> None:
    low = cells.pop("low")
    high = cells.pop("high", low + 0.02)
    judged = [
        replace(cell, difference=-0.01, difference_low=low, difference_high=high, **cells)
        for cell in candidate("m", 0.6).cells
    ]
    one = replace(candidate("m", 0.6), cells=tuple(judged))
    assert one.verdict() == word
    assert verdict_sentence(one, None).startswith(f"{word.capitalize()}: ")


def test_what_is_not_known_goes_before_what_has_nothing_to_lose() -> None:
    one = candidate("m", 0.6, low=0.0)
    chance, few = (replace(one.cells[0], unjudged=word) for word in ("at chance", "too few"))
    assert replace(one, cells=(one.cells[1], chance)).verdict() == "at chance"
    assert replace(one, cells=(few, chance)).verdict() == "too few"


def test_a_wider_margin_is_judged_anew() -> None:
    assert candidate("m", 0.6, low=-0.02).verdict(0.03) == "preserved"


def test_the_worst_dataset_gives_the_verdict() -> None:
    cells = (cell("one", 0.6, 5, 1, low=0.0), cell("two", 0.6, 5, 1, low=-0.09))
    assert Candidate("m", "w4a16", "M", "W4A16", "MIT", cells, False).verdict(0.01) == "degraded"


def test_a_recommendation_warns_of_answers_that_failed() -> None:
    cells = (replace(cell("one", 0.6, 5, 1), unparseable_rate=0.28, truncated_rate=0.31), cell("two", 0.6, 5, 1))
    text = as_text(recommend(evidence(Candidate("m", "full", "M", "full", "MIT", cells, True)), "qa", Constraints(24)))
    assert (
        "Of its answers on One 28.0% could not be read and 31.0% were cut at the limit of new tokens: look at these before "
        "relying on it."
    ) in text
    assert "Of its answers on Two" not in text


def test_the_front_holds_what_nothing_smaller_beats() -> None:
    small, worse, large = candidate("small", 0.5, 5), candidate("worse", 0.4, 8), candidate("large", 0.6, 9)
    assert pareto_front([large, worse, small]) == (small, large)
    assert pareto_front([]) == ()


def test_rows_hold_every_candidate_once_with_rank_or_reason() -> None:
    found = rows(recommend(evidence(candidate("a", 0.6), candidate("b", 0.7, memory=99)), "qa", Constraints(24)))
    assert [(row.model, row.rank, bool(row.reason)) for row in found] == [("a", 1, False), ("b", None, True)]
    assert found[0].on_front is True


def test_the_headline_states_the_limits() -> None:
    found = recommend(evidence(candidate("m", 0.6)), "qa", Constraints(24, max_latency_s=2))
    assert headline(found) == "For qa on one GPU of 24 GiB, at most 2 s a query: m W4A16."


@pytest.mark.parametrize("limits", [{"gpu_memory_gib": 0}, {"max_latency_s": -1}, {"margin": 0}, {"margin": 1}])
def test_impossible_limits_are_refused(limits: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="has the value"):
        Constraints(**{"gpu_memory_gib": 24, **limits})  # type: ignore[arg-type]


def test_an_unknown_task_is_refused_with_the_nearest() -> None:
    with pytest.raises(DataError, match="no zero-shot cell of the task 'qs'; did you mean 'qa'"):
        recommend(evidence(candidate("m", 0.6)), "qs", Constraints(24))
