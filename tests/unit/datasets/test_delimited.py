from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantbench.datasets.readers.delimited import filled_text, read_table
from quantbench.errors import DataError


def table(folder: Path, content: str | bytes) -> Path:
    path = folder / "test.tsv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def refusal(path: Path, columns: list[str]) -> str:
    with pytest.raises(DataError) as caught:
        read_table(path, columns)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_quoted_fields_keep_tabs_quotes_and_line_breaks_and_records_know_their_line(tmp_path):
    path = table(tmp_path, 'a\tb\n1\t"x\t""y""\nz"\n2\tplain\n')
    rows = read_table(path, ["a", "b"])
    assert [row.values for row in rows] == [{"a": "1", "b": 'x\t"y"\nz'}, {"a": "2", "b": "plain"}]
    assert [row.line for row in rows] == [2, 4]


def test_crlf_ends_do_not_enter_the_last_field(tmp_path):
    assert read_table(table(tmp_path, "a\tb\r\n1\tx\r\n"), ["a"])[0].values == {"a": "1", "b": "x"}


def test_a_byte_order_mark_does_not_enter_the_first_column(tmp_path):
    assert read_table(table(tmp_path, "\ufeffa\tb\n1\tx\n"), ["a"])[0].values["a"] == "1"


def test_line_separators_inside_a_text_do_not_move_line_numbers(tmp_path):
    rows = read_table(table(tmp_path, 'a\tb\n1\t"x\u2028y\x85\rz"\n2\tw\n'), ["a", "b"])
    assert rows[0].values["b"] == "x\u2028y\x85\rz"
    assert rows[1].line == 3


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("a\tc\n1\t2\n", ["line 1", "'b'", "missing", "'a', 'c'"]),
        ("a\tb\tb\n1\t2\t3\n", ["line 1", "'b'", "more than once"]),
        ("a\tb\n1\t2\n1\n", ["line 3", "1 fields", "header has 2"]),
        ("a\tb\n1\t2\n1\t2\t3\n", ["line 3", "3 fields", "['1', '2', '3']"]),
        ("a\tb\n1\t2\n\n3\t4\n", ["line 3", "0 fields"]),
        ('a\tb\n1\t"never closed\n2\tx\n', ["line 2", "malformed", "line 3"]),
        ('a\tb\n1\t"closed" too soon\n', ["line 2", "malformed"]),
        ("a\tb\n", ["header and no records"]),
        ("", ["empty"]),
        (" \n\n", ["empty"]),
        ("a\tb\n1\t2\n3\tcut o", ["line 3", "cut off", "cut o"]),
        ("a\tb\n1\tx\0y\n", ["line 2", "zero byte"]),
        (b"a\tb\n1\tfine\n2\tcaf\xe9\n", ["line 3", "UTF-8", "xe9"]),
        ("a\tb\n1\t2\n".encode("utf-16"), ["UTF-16", "save it as UTF-8"]),
    ],
)
def test_what_is_malformed_is_named_by_line_and_value(tmp_path, content, parts):
    message = refusal(table(tmp_path, content), ["a", "b"])
    for part in parts:
        assert part in message


def test_a_missing_file_and_a_folder_are_data_errors(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        filled_text(tmp_path / "none.tsv")
    with pytest.raises(DataError, match="a folder"):
        filled_text(tmp_path)


FIELD = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=20)


@given(st.lists(st.tuples(FIELD, FIELD), min_size=1, max_size=5))
def test_any_text_written_in_the_dialect_is_read_back(tmp_path_factory, records):
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter="\t", lineterminator="\n")
    writer.writerows([("a", "b"), *records])
    path = table(tmp_path_factory.mktemp("any"), buffer.getvalue())
    assert [tuple(row.values.values()) for row in read_table(path, ["a", "b"])] == records
