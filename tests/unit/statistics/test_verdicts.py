from __future__ import annotations

import pytest

from quantbench.statistics import at_chance, rare_labels, too_few, verdict
from quantbench.tasks.metrics import METRICS, single_label_counts


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (-0.009, 0.02, "preserved"),
        (-0.009, -0.001, "preserved"),  # worse for certain, and by less than matters
        (0.0, 0.02, "preserved"),  # touching 0 is not above it
        (0.001, 0.02, "improved"),
        (-0.05, -0.011, "degraded"),
        (-0.02, -0.01, "worse, extent open"),  # touching the margin is not below it
        (-0.02, -0.005, "worse, extent open"),
        (-0.02, 0.0, "inconclusive"),
        (-0.02, 0.001, "inconclusive"),
        (-0.01, 0.01, "inconclusive"),  # touching the margin is not above it
    ],
)
def test_where_the_interval_lies_decides(low: float, high: float, expected: str) -> None:
    assert verdict(low, high, margin=0.01) == expected


@pytest.mark.parametrize(("low", "high"), [(-0.001, 0.001), (-0.5, -0.4), (0.1, 0.2)])
def test_too_few_goes_before_chance_and_both_before_the_interval(low: float, high: float) -> None:
    assert verdict(low, high, 0.01, few=True, chance=True) == "too few"
    assert verdict(low, high, 0.01, chance=True) == "at chance"


def test_twenty_documents_are_enough() -> None:
    assert too_few(19) and not too_few(20)


def test_one_rare_label_of_many_leaves_the_verdict_and_half_of_them_do_not() -> None:
    assert not too_few(50, labels=10, rare=4)
    assert too_few(50, labels=10, rare=5)


def test_a_label_is_rare_by_its_documents_and_not_by_its_samples() -> None:
    """30 samples of the second label are in nine documents, ten of the third in ten."""
    golds = [0] * 60 + [1] * 30 + [2] * 10
    counts = single_label_counts(golds, golds, range(3))
    groups = [*map(str, range(60)), *(f"b{row % 9}" for row in range(30)), *(f"c{row}" for row in range(10))]
    assert rare_labels(counts, groups, METRICS["macro_f1"]) == [1]
    assert rare_labels(counts, groups, METRICS["entity_f1"]) == []


@pytest.mark.parametrize(
    ("metric", "low", "constant", "expected"),
    [
        ("accuracy", 0.56, 0.552, False),
        ("accuracy", 0.552, 0.552, True),  # not above it
        ("macro_f1", 0.30, 0.317, True),
        ("entity_f1", 0.09, 0.0, True),  # tagging every word scores as much
        ("entity_f1", 0.11, 0.0, False),
    ],
)
def test_who_is_not_above_a_constant_answer_has_nothing_to_lose(
    metric: str, low: float, constant: float, expected: bool
) -> None:
    assert at_chance(low, constant, METRICS[metric]) is expected
