"""Contracts on disk: what is written is read back, and damage is named by file and line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from quantbench.contracts.files import read_json, write_json, write_text
from quantbench.contracts.records import Prediction, Sample, read_records, write_records
from quantbench.contracts.run_tables import CellRow
from quantbench.errors import DataError

SAMPLES = [Sample("0", {"text": "β-blocker\t<x>"}, ["a"], "d1"), Sample("1", {"text": ""}, [], "d1")]


def test_round_trip(tmp_path: Path) -> None:
    write_records(tmp_path / "s.jsonl", SAMPLES)
    assert read_records(tmp_path / "s.jsonl", Sample) == SAMPLES


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"sample_id": "1", "inputs"', "line 2: malformed JSON"),
        ("[]", "line 2: expected a JSON object"),
        ('{"sample_id": "1", "inputs": {}, "gold": 1}', "line 2: fields missing or unknown for Sample: group"),
        ('{"sample_id": "0", "inputs": {}, "gold": "a", "group": "g"}', "line 2: sample_id '0' occurs twice"),
        (
            '{"sample_id": 1, "inputs": {}, "gold": "a", "group": "g"}',
            "line 2: field 'sample_id' has the value 1: .*string",
        ),
    ],
)
def test_damaged_lines_are_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "s.jsonl"
    write_records(path, SAMPLES[:1])
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(DataError, match=message):
        read_records(path, Sample)


def test_missing_and_broken_json(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_records(tmp_path / "none.jsonl", Prediction)
    (tmp_path / "m.json").write_text("{")
    with pytest.raises(DataError, match=r"m\.json: malformed JSON"):
        read_json(tmp_path / "m.json")


def test_a_failed_write_leaves_the_old_file_and_nothing_beside(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    write_json(path, {"a": 1})
    with pytest.raises(ValueError, match="Out of range float"):
        write_json(path, {"a": float("nan")})
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "\ud800")
    assert read_json(path) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("read", [read_json, lambda path: read_records(path, Sample), CellRow.read])
def test_a_folder_in_the_place_of_a_file_is_named(read: Callable[[Path], object], tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a folder, and a file is expected"):
        read(tmp_path)


def test_a_line_in_another_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    path.write_bytes('{"sample_id": "é"}\n'.encode("latin-1"))
    with pytest.raises(DataError, match=r"line 1: not UTF-8.*; save it as UTF-8"):
        read_records(path, Sample)
