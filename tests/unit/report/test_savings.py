"""What the verdict and the table say of time: that of a token where it is known, and what longer answers have to do with a query's."""

from __future__ import annotations

import pytest
from tests.simulated_run import Run, paper_catalogue, simulate, tables_of

from quantbench.contracts.run_tables import EfficiencyRow
from quantbench.report import columns
from quantbench.report.verdict import verdict_words
from quantbench.study.grid import run_cells
from quantbench.tables import efficiency_table


@pytest.fixture
def run(repository, tmp_path) -> Run:
    catalogue = paper_catalogue(
        repository,
        studies=["grid"],
        models=["phi-4"],
        precisions=["full", "w4a16"],
        datasets=["pubmedqa", "hoc", "ncbi_disease"],
        comparison={"margin": 0.01, "resamples": 300, "confidence": 0.95},
    )
    cells = run_cells(catalogue)
    return Run(catalogue, tmp_path, cells, simulate(catalogue, tmp_path, n=8))


def efficiency(run: Run, **of_hoc: float | None) -> list[EfficiencyRow]:
    """The simulated table, with some values of the quantized cell on HoC put in."""
    vocabulary = run.catalogue.vocabulary
    rows = efficiency_table(vocabulary, run.results, tables_of(run).cells, 0.95)
    return [row.model_copy(update=of_hoc) if (row.dataset, row.precision) == ("hoc", "w4a16") else row for row in rows]


def said(run: Run, rows: list[EfficiencyRow]) -> str:
    tables = tables_of(run)
    lines = verdict_words(run.catalogue.vocabulary, run.catalogue.run, tables.cells, tables.effects, [], rows, {})
    return next(line for line in lines if line.startswith("W4A16, one by one: "))


def test_the_time_of_a_token_is_what_is_said(run: Run) -> None:
    """Simulated steps take 1.4 times as long as at full precision."""
    rows = efficiency(run)
    words = said(run, rows)
    middle = sorted(row.further_token_ratio or 0 for row in rows if row.precision == "w4a16")[1]
    assert 1.3 < middle < 1.5
    assert f"time of a further token {middle:.2f} and time to the first token {middle:.2f} times that" in words
    assert "query" not in words, "answers are as long as at full precision"


def test_a_query_that_is_slow_for_its_length_says_so(run: Run) -> None:
    longer = efficiency(run, latency_ratio=9.4, timed_new_tokens_mean=122.0, further_token_ratio=1.52)
    words = said(run, longer)
    assert (
        "The slowest query takes 9.4 times as long (Phi-4 on HoC), its answers having 6.1 times as many tokens and a further token "
        "taking 1.52 times as long."
    ) in words
    assert "in the median, its" not in words, "it is one cell of three"
    everywhere = [row.model_copy(update={"timed_new_tokens_mean": 40.0}) for row in longer if row.precision != "full"]
    assert "A query takes" in said(run, everywhere)
    assert "times as long in the median, its answers having 2.00 times as many tokens." in said(run, everywhere)


def test_where_no_token_was_timed_the_time_of_a_query_is_said(run: Run) -> None:
    nothing = dict.fromkeys(name for name in EfficiencyRow.model_fields if "token_ratio" in name)
    rows = [row.model_copy(update=nothing) for row in efficiency(run)]
    assert "time of a query" in said(run, rows) and "further" not in said(run, rows)
    older = columns.efficiency(run.catalogue.vocabulary, rows, {row.cell: 0.5 for row in rows})
    assert not {"Further token ratio", "First token ratio", "Note"} & set(older.header)


def test_the_table_shows_intervals_and_notes(run: Run) -> None:
    rows = efficiency(run, ratio_note="no ratios of time: contended", clock_note="clocked down: heat")
    shown = columns.efficiency(run.catalogue.vocabulary, rows, {row.cell: 0.5 for row in rows})
    place, note = shown.header.index("Further token ratio"), shown.header.index("Note")
    texts = {(line[1].text, line[3].text): line for line in shown.rows}
    assert texts["HoC", "W4A16"][note].text == "no ratios of time: contended; clocked down: heat"
    row = next(one for one in rows if (one.dataset, one.precision) == ("hoc", "w4a16"))
    ends = f"[{row.further_token_ratio_low:.2f}, {row.further_token_ratio_high:.2f}]"
    assert texts["HoC", "W4A16"][place].text == f"{row.further_token_ratio:.2f} {ends}"
    assert texts["HoC", run.catalogue.vocabulary.title("precision", "full")][place].text == "1.00"
    assert len({len(line) for line in shown.rows} | {len(shown.header)}) == 1
