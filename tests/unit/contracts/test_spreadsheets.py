"""No text of a table is a formula to a spreadsheet, and each is read back as it was."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantbench.contracts.csv_rows import Row
from quantbench.contracts.spreadsheets import guarded, unguarded
from quantbench.errors import DataError

SIGNS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"


class Told(Row):
    title: str
    note: str | None
    score: float


@pytest.mark.parametrize("sign", SIGNS)
def test_a_text_that_begins_like_a_formula_is_text(sign: str) -> None:
    assert guarded(f"{sign}1+1") == f"'{sign}1+1"
    assert guarded(f"1{sign}1") == f"1{sign}1"


@given(st.text(alphabet=st.one_of(st.sampled_from(f"{SIGNS}'\"a,;|"), st.characters()), max_size=12))
@settings(max_examples=200, deadline=None)
def test_every_text_comes_back(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert guarded(text)[:1] not in SIGNS or not text


@pytest.mark.parametrize(
    "title", ['=HYPERLINK("http://x","y")', "+1", "-1+1", "@SUM(1)", "'=1", "''=1", "'plain", "a\nb", 'a "b", c']
)
def test_a_row_comes_back_and_numbers_stay_numbers(title: str, tmp_path: Path) -> None:
    rows = [Told(title=title, note=None, score=-0.25), Told(title="NA", note=title, score=1e-12)]
    Told.write(tmp_path / "told.csv", rows)
    assert Told.read(tmp_path / "told.csv") == rows
    with (tmp_path / "told.csv").open(newline="") as file:
        _, first, second = csv.reader(file)
    assert first[0][0] not in SIGNS and second[1][0] not in SIGNS
    assert first[2] == "-0.25"


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e999"])
def test_a_number_that_is_none_is_refused_by_line_and_column(number: str, tmp_path: Path) -> None:
    (tmp_path / "told.csv").write_text(f"title,note,score\na,,1\nb,,{number}\n")
    with pytest.raises(DataError, match=r"line 3.*score"):
        Told.read(tmp_path / "told.csv")
