"""The page as a file: its words, and that it holds everything and asks for nothing. How it behaves: tests/browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.reported_run import make_report, make_reported

from quantbench import figures
from quantbench.config import Catalogue
from quantbench.contracts.effect_rows import EffectRow, Verdict
from quantbench.contracts.likelihood_tables import LikelihoodRow
from quantbench.contracts.pooled_rows import PooledRow
from quantbench.errors import DataError
from quantbench.report.verdict import verdict_words


@pytest.fixture(scope="module")
def catalogue(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    narrow = {"models": ["phi-4"], "datasets": ["hoc", "medqa"], "studies": ["grid"]}
    return make_reported(repository, tmp_path_factory.mktemp("results"), n=12, **narrow, run="narrow")


@pytest.fixture(scope="module")
def page(catalogue: Catalogue) -> Path:
    return make_report(catalogue)


def visible(page: Path) -> str:
    """The page's text without scripts, styles and tags."""
    text = re.sub(r"<(script|style)\b.*?</\1>", " ", page.read_text(), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())


def test_nothing_is_fetched(page: Path) -> None:
    text = page.read_text()
    assert "default-src &#39;none&#39;" in text or "default-src 'none'" in text
    markup = re.sub(r"<(script|style)\b.*?</\1>", "", text, flags=re.DOTALL)
    assert re.findall(r"""(?:src|href)=["'](?!data:|#)""", markup) == []
    styles = " ".join(re.findall(r"<style>(.*?)</style>", text, flags=re.DOTALL))
    assert "@import" not in styles and not re.search(r"url\((?![\"']?data:)", styles)


def test_the_verdict_says_that_nothing_can_be_judged(page: Path) -> None:
    """Three documents a dataset are too few."""
    assert "W4A16, one by one: none of 2 comparisons can be judged (2 of too few documents)." in visible(page)
    told = "Preserved: the 95% interval of the difference lies above minus the margin, the largest loss that is negligible on a dataset (0.01)."
    assert told in visible(page)


def test_the_verdict_counts_what_can_be_judged(page: Path, catalogue: Catalogue) -> None:
    some = EffectRow.read(page.parent / "tables/precision_effects.csv")[0]
    words: dict[Verdict, int] = {
        "preserved": 3,
        "improved": 1,
        "degraded": 2,
        "worse, extent open": 1,
        "inconclusive": 4,
    }
    words |= {"at chance": 5, "too few": 1}
    every = [word for word, count in words.items() for _ in range(count)]
    rows = [some.model_copy(update={"verdict": word, "model": f"m{place}"}) for place, word in enumerate(every)]
    (line,) = [
        one for one in verdict_words(catalogue.vocabulary, catalogue.run, [], rows, [], [], {}) if " of 11 " in one
    ]
    assert (
        "in 4 of 11 comparisons the score of full precision is preserved, in 2 it is degraded, in 1 it is worse by an open extent"
        in line
    )
    assert "in 4 the samples cannot tell; not counted: 5 with nothing to lose, 1 of too few documents." in line


def test_the_pooled_verdict_comes_first_and_the_worst_comparison_after_the_counts(page: Path) -> None:
    text = visible(page)
    pooled = PooledRow.read(page.parent / "tables/pooled_effects.csv")
    (row,) = [row for row in pooled if row.precision == "w4a16" and row.metric == "all"]
    said = f"W4A16 over {row.comparisons} zero-shot comparison"
    places = [text.index(words) for words in (said, "W4A16, one by one:", f"is {row.worst_difference:+.3f} (Phi-4")]
    assert places == sorted(places)
    assert text.index("Mean difference to full precision over zero-shot comparisons") > places[-1]  # the table


def test_the_page_says_what_intervals_take_as_independent(page: Path) -> None:
    told = "Intervals take as independent: HoC 3 documents, MedQA (5 options) 3 documents."
    assert visible(page).count(told) > 1  # under Table 1, and in the captions of figures with intervals
    assert "Independent" in visible(page)


def test_the_verdict_says_that_a_run_follows_the_papers_authors(catalogue: Catalogue) -> None:
    """Such a run has scores and verdicts like any other, and nothing else on the page would tell."""
    switched = catalogue.run.protocol.model_copy(update={"prompts": "as_published", "full_dtype": "float16"})
    run = catalogue.run.model_copy(update={"protocol": switched})
    (line,) = [one for one in verdict_words(catalogue.vocabulary, run, [], [], [], [], {}) if "sound protocol" in one]
    assert "(protocol.prompts, protocol.full_dtype)" in line and "not for choosing a model" in line
    assert not any("protocol" in one for one in verdict_words(catalogue.vocabulary, catalogue.run, [], [], [], [], {}))


def test_figures_carry_their_modules_caption(page: Path) -> None:
    for name in ("effects", "labels", "figure7", "reliability", "flips"):
        title = figures.caption(name).partition("\n\n")[0]
        assert title in visible(page).replace("&#39;", "'")


def test_likelihoods_stand_apart_from_the_verdict(page: Path) -> None:
    text = visible(page)
    assert "They never replace the verdict" in text
    assert text.index("They never replace") > text.index("Each precision against full precision")
    rows = [row for row in LikelihoodRow.read(page.parent / LikelihoodRow.path) if row.kl is not None]
    assert len(rows) == 4 and all(f"{row.kl:.2g}" in text for row in rows)
    (medqa,) = [row for row in rows if row.dataset == "medqa" and row.precision == "w4a16"]
    assert f"{medqa.gold_nll:.3f}" in text and f"{medqa.gold_nll_difference:+.3f}" in text


def test_a_run_without_likelihoods_says_so(page: Path, catalogue: Catalogue) -> None:
    path, shown = page.parent / LikelihoodRow.path, page.read_text()
    rows = LikelihoodRow.read(path)
    try:
        LikelihoodRow.write(path, [])
        make_report(catalogue)
        assert "No cell of this run kept log-probabilities." in visible(page)
        assert '<figure id="reliability">' not in page.read_text()
    finally:
        LikelihoodRow.write(path, rows)
        page.write_text(shown)


def test_every_answer_is_on_the_page_with_its_reasons(page: Path) -> None:
    text = visible(page)
    assert text.count("For question answering on one GPU of") == 5
    assert "Evidence: run narrow, zero-shot prompts." in text


def test_a_missing_table_is_named(page: Path, catalogue: Catalogue) -> None:
    (page.parent / "tables/efficiency.csv").rename(page.parent / "tables/gone.csv")
    try:
        with pytest.raises(DataError, match=r"efficiency.csv: no such file"):
            make_report(catalogue)
    finally:
        (page.parent / "tables/gone.csv").rename(page.parent / "tables/efficiency.csv")
