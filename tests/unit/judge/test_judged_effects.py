"""Verdicts of runs made elsewhere are those of the pipeline's statistics."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.outside_runs import plain, write_lines

from quantbench.errors import ConfigError
from quantbench.judge import JudgedRow, Wanted, flips, judge, pair_runs, read_run
from quantbench.statistics import Bootstrap

BOOTSTRAP = Bootstrap(resamples=2000)


def judged(folder: Path, one: list[dict[str, object]], two: list[dict[str, object]], margin: float = 0.05) -> JudgedRow:
    paths = write_lines(folder / "one.jsonl", one), write_lines(folder / "two.jsonl", two)
    pairs = pair_runs(read_run(paths[0], Wanted()), read_run(paths[1], Wanted()), paths)
    [row] = judge(pairs, margin, BOOTSTRAP)
    assert sum(1 for _ in flips(pairs)) == row.flips
    return row


def mixed(right: list[bool]) -> list[dict[str, object]]:
    """Right or wrong answers to questions with as many gold answers A as B."""
    return [
        {"id": place, "answer": "AB"[(place + (not yes)) % 2], "gold": "AB"[place % 2]}
        for place, yes in enumerate(right)
    ]


@pytest.mark.parametrize(
    ("lost", "gained", "verdict"),
    [
        (2, 3, "preserved"),
        (0, 60, "improved"),
        (80, 0, "degraded"),
        (20, 0, "worse, extent open"),
        (60, 60, "inconclusive"),
    ],
)
def test_verdicts(lost: int, gained: int, verdict: str, tmp_path: Path) -> None:
    n, right = 400, 320
    before = [place < right for place in range(n)]
    after = [place < right - lost or right <= place < right + gained for place in range(n)]
    row = judged(tmp_path, mixed(before), mixed(after))
    assert (row.lost, row.gained, row.flips, row.verdict) == (lost, gained, lost + gained, verdict)
    assert row.difference == pytest.approx((gained - lost) / n)
    assert (row.supported_margin < 0.05) == (verdict in ("preserved", "improved"))
    assert row.mcnemar_p == pytest.approx(row.permutation_p, abs=1e-9)


def test_a_reference_that_knows_nothing_has_nothing_to_lose(tmp_path: Path) -> None:
    """All gold answers are A: always A is right everywhere, and the reference is not better than that."""
    row = judged(tmp_path, plain([True] * 90 + [False] * 10), plain([True] * 60 + [False] * 40))
    assert row.verdict == "at chance"


def test_few_units_are_too_few(tmp_path: Path) -> None:
    assert judged(tmp_path, mixed([True] * 19), mixed([True] * 19)).verdict == "too few"
    assert judged(tmp_path, mixed([True] * 30), mixed([True] * 30)).verdict != "too few"


def test_scores_that_are_parts_have_no_mcnemar(tmp_path: Path) -> None:
    def scored(shift: float) -> list[dict[str, object]]:
        return [
            {"id": n, "answer": f"{n}{shift}", "gold": "text", "score": 0.3 + 0.01 * (n % 40) - shift}
            for n in range(200)
        ]

    row = judged(tmp_path, scored(0), scored(0.2), margin=0.02)
    assert row.mcnemar_p is None and row.difference == pytest.approx(-0.2)
    assert (row.metric, row.flips, row.lost, row.verdict) == ("score", 200, 200, "degraded")


@pytest.mark.parametrize("margin", [0, -0.1, 1e-200, 1, float("nan")])
def test_a_margin_out_of_range_is_refused(margin: float, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--margin has the value"):
        judged(tmp_path, mixed([True] * 30), mixed([True] * 30), margin)
