"""The report in a browser, opened from disk, on a wide screen and on a phone."""

from __future__ import annotations

import re

import pytest

from .conftest import Opened

axe = pytest.importorskip("axe_playwright_python.sync_playwright")
expect = pytest.importorskip("playwright.sync_api").expect


@pytest.fixture(autouse=True)
def nothing_complained_and_nothing_left(opened: Opened):  # type: ignore[no-untyped-def]
    yield
    assert opened.complaints == []
    assert opened.requests == []
    assert opened.page.title() == "quantbench: paper"


def test_it_opens_with_the_verdict_first_and_fits_the_screen(opened: Opened) -> None:
    page = opened.page
    assert page.locator("main section").first.get_attribute("id") == "verdict"
    assert re.search(r"W4A16, one by one: (in \d+|none) of \d+ comparisons", page.locator("#verdict").inner_text())
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for picture in page.locator("figure img").all():
        assert picture.evaluate("image => image.complete && image.naturalWidth > 100")


def test_table_1_sorts_by_value(opened: Opened) -> None:
    button = opened.page.get_by_role("button", name=re.compile("^Latency")).first
    header = opened.page.locator("#table1 thead th").filter(has_text="Latency").first
    for order in ("ascending", "descending"):
        button.click()
        expect(header).to_have_attribute("aria-sort", order)  # set once the rows stand in their new order
        latencies = [float(text) for text in opened.column("table1", "Latency (s)")]
        assert len(latencies) == 15 and latencies == sorted(latencies, reverse=order == "descending")


def test_table_1_filters_by_choice_and_by_search(opened: Opened) -> None:
    page = opened.page
    page.locator("[data-for=table1]").get_by_label("Precision").select_option("W4A16")
    assert set(opened.column("table1", "Precision")) == {"W4A16"}
    page.locator("[data-for=table1]").get_by_label("Model").select_option("Phi-4")
    assert len(opened.column("table1", "Model")) == 3
    page.locator("#table1_wrapper").get_by_label("Search").fill("MedQA")
    assert opened.column("table1", "Dataset") == ["MedQA (5 options)"]


def test_a_flipped_sample_opens_beside_its_gold_answer(opened: Opened) -> None:
    page = opened.page
    page.locator("#choice-kind").select_option("lost")
    expect(page.locator("#listed-body tr")).not_to_have_count(0)
    page.locator("#listed-body button").first.click()
    text = page.locator("#opened").inner_text()
    assert "Gold:" in text and "turned wrong against full precision" in text
    articles = page.locator("#opened article")
    assert articles.count() == 3
    assert articles.first.inner_text().splitlines()[0] == "full"
    assert "Right" in articles.first.inner_text() and page.locator("#opened article.lost").count() >= 1
    assert page.locator("#opened pre").first.inner_text().startswith("Which hallmarks")
    page.locator("#choice-dataset").select_option("medqa")
    page.locator("#choice-setting").select_option("self_consistency-0")
    expect(page.locator("#counted")).to_contain_text("MedQA")
    page.locator("#listed-body button").first.click()
    assert page.locator("#opened article").first.locator("pre").count() == 5  # one a chain


def test_flips_come_first_and_parse_failures_are_marked(opened: Opened) -> None:
    page = opened.page
    kinds = page.locator("#listed-body tr").evaluate_all(
        "rows => rows.map(row => ['lost', 'gained', 'changed', 'unparseable', 'same']"
        ".findIndex(kind => row.querySelector('td.' + kind)))"
    )
    assert kinds == sorted(kinds) and kinds[0] == 0
    page.locator("#choice-kind").select_option("unparseable")
    page.locator("#listed-body button").first.click()
    assert "no answer could be read" in page.locator("#opened").inner_text()


def test_outputs_are_text_whatever_they_hold(opened: Opened) -> None:
    page = opened.page
    page.get_by_label("Sample id").fill("10")
    page.get_by_role("button", name="Open sample 10", exact=True).click()
    assert "<script>document.title" in page.locator("#opened article pre").first.inner_text()
    assert page.locator("#opened img, #opened script").count() == 0


def test_pages_of_the_list_turn(opened: Opened) -> None:
    page = opened.page
    assert page.locator("#page-place").inner_text() == "page 1 of 3"
    first = page.locator("#listed-body button").first.inner_text()
    page.get_by_role("button", name="Next").last.click()
    assert page.locator("#listed-body button").first.inner_text() != first
    page.get_by_role("button", name="Previous").last.click()
    assert page.locator("#listed-body button").first.inner_text() == first


def test_the_keyboard_is_enough(opened: Opened) -> None:
    page = opened.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the verdict"
    page.get_by_role("button", name=re.compile("^Score")).first.focus()
    page.keyboard.press("Enter")
    scores = [float(text) for text in opened.column("table1", "Score")]
    assert scores == sorted(scores)
    page.locator("#listed-body button").first.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "opened"


def test_axe_finds_nothing(opened: Opened) -> None:
    opened.page.locator("#listed-body button").first.click()
    found = axe.Axe().run(opened.page)
    assert found.violations_count == 0, found.generate_report()
