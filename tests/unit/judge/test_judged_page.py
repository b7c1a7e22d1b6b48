"""The page holds everything, escaped, and draws each interval where the table has it."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.outside_runs import FULL, QUANTIZED

from quantbench.judge import Flip, JudgedRow, Wanted, judge, pair_runs, read_run
from quantbench.judge.judged_page import MOST_SHOWN, drawing, write_page
from quantbench.statistics import Bootstrap


@pytest.fixture(scope="module")
def rows() -> list[JudgedRow]:
    pairs = pair_runs(read_run(FULL, Wanted()), read_run(QUANTIZED, Wanted()), (FULL, QUANTIZED))
    return judge(pairs, 0.01, Bootstrap(resamples=300))


class Tags(HTMLParser):
    """The tags of a page, which all close."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.seen: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        assert not {name for name, _ in attrs} & {"src", "onload"}
        if tag not in ("meta", "rect", "line", "circle"):
            self.opened.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("rect", "line", "circle"):
            return
        assert self.opened.pop() == tag


def test_the_page_is_whole_and_of_itself(rows: list[JudgedRow], tmp_path: Path) -> None:
    flip = Flip("facts", "4", "4", "<script>alert(1)</script>", "B", "A & B", 1.0, 0.0)
    write_page(tmp_path / "page.html", rows, [flip] * (MOST_SHOWN + 1), ["A remark."], (FULL, QUANTIZED))
    page = (tmp_path / "page.html").read_text()
    tags = Tags(page)
    assert tags.opened == [] and "script" not in tags.seen and tags.seen.count("circle") == 2
    assert "&lt;script&gt;" in page and f"The first {MOST_SHOWN} of {MOST_SHOWN + 1}" in page
    assert "http://" not in page and "https://" not in page
    assert "facts: inconclusive." in page and "A remark." in page


def test_nothing_changed_is_said(rows: list[JudgedRow], tmp_path: Path) -> None:
    write_page(tmp_path / "page.html", rows, [], [], (FULL, QUANTIZED))
    assert "No answer changed." in (tmp_path / "page.html").read_text()


def test_intervals_stand_where_the_axis_says(rows: list[JudgedRow]) -> None:
    drawn = drawing(rows)
    at = {tick.text: tick.x for tick in drawn.ticks}
    scale = (at["+0.1"] - at["0"]) / 0.1
    for row, bar in zip(rows, drawn.bars, strict=True):
        assert (bar.low, bar.middle, bar.high) == pytest.approx(
            [drawn.zero + value * scale for value in (row.difference_low, row.difference, row.difference_high)], abs=0.2
        )
        assert drawn.left <= bar.low <= bar.middle <= bar.high <= drawn.width
    assert drawn.edge == pytest.approx(drawn.zero - 0.01 * scale, abs=0.2)
