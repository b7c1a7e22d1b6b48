"""``quantbench judge`` as a user calls it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from tests.outside_runs import FULL, QUANTIZED, RECORDED, plain, write_lines

from quantbench.cli.main import main
from quantbench.judge import JudgedRow

RUNS = ["judge", str(FULL), str(QUANTIZED), "--resamples", "300"]


def test_two_runs_of_lm_eval(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(RUNS) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("task ") and "facts: inconclusive. Difference -0.0625 [" in shown
    assert "Holm's p is corrected for the 2 tasks judged here" in shown
    assert "Samples are taken as independent." in shown and "Also there: acc_norm (--metric)." in shown


def test_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*RUNS, "--format", "csv", "--task", "sums", "--group-field", "document"]) == 0
    [row] = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (row["task"], row["unit"], row["units"], row["mcnemar_p"]) == ("sums", "document", "15", "")
    assert main([*RUNS, "--format", "json"]) == 0
    assert [row["task"] for row in json.loads(capsys.readouterr().out)] == ["facts", "sums"]


def test_what_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*RUNS, "--out", str(tmp_path / "new/judged")]) == 0
    folder = tmp_path / "new/judged"
    assert {path.name for path in folder.iterdir()} == {"judged.csv", "flips.jsonl", "judged.html"}
    rows = JudgedRow.read(folder / "judged.csv")
    changed = [json.loads(line) for line in (folder / "flips.jsonl").read_text().splitlines()]
    assert len(changed) == sum(row.flips for row in rows) == 18
    assert sum(flip["change"] == "lost" for flip in changed) == sum(row.lost for row in rows)
    assert set(changed[0]) == {
        *("task", "id", "group", "reference_answer", "answer", "gold", "reference_score", "score", "change"),
    }
    assert "written: " in capsys.readouterr().out


def test_a_loss_is_status_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gold = [{"gold": "AB"[number % 2]} for number in range(200)]
    runs = [
        [{"id": number, "answer": answer(number, one["gold"]), **one} for number, one in enumerate(gold)]
        for answer in (lambda _, right: right, lambda number, right: right if number % 2 else "C")
    ]
    paths = [str(write_lines(tmp_path / f"{number}.jsonl", run)) for number, run in enumerate(runs)]
    assert main(["judge", *paths, "--resamples", "300"]) == 1
    said = capsys.readouterr()
    assert "answers: degraded." in said.out and "worse than the reference: answers" in said.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([str(FULL), str(FULL)], "both runs are this one"),
        ([str(FULL), str(RECORDED / "inspect/float32.json")], "the runs have other tasks"),
        ([str(FULL), "nowhere"], "nowhere: no such file or folder"),
        ([str(FULL), str(QUANTIZED), "--margin", "2"], "--margin has the value 2"),
        ([str(FULL), str(QUANTIZED), "--confidence", "1"], "--confidence above 0"),
        ([str(FULL), str(QUANTIZED), "--seed", "-1"], "--seed at least 0"),
        ([str(FULL), str(QUANTIZED), "--scale", "0"], "--scale has the value 0"),
        ([str(FULL), str(QUANTIZED), "--out", __file__], "a file; name a folder"),
        ([str(FULL), str(QUANTIZED), "--metric", "acc_norm"], "no metric 'acc_norm'; known: exact_match"),
        ([str(FULL), str(QUANTIZED), "--id-field", "doc_id"], "--id-field name fields of plain JSON lines"),
    ],
)
def test_what_does_not_pair_is_said_in_one_line(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["judge", *words, "--resamples", "100"]) == 2
    err = capsys.readouterr().err
    assert said in err and err.startswith("quantbench judge: ") and err.count("\n") == 1


def test_half_a_character_is_written_as_a_question_mark(tmp_path: Path) -> None:
    """What JSON can write and UTF-8 cannot: half a surrogate pair."""
    paths = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    for path, right in zip(paths, (True, False), strict=True):
        write_lines(path, [{**line, "answer": f"\ud83d{right}"} for line in plain([right] * 25)])
    assert main(["judge", *map(str, paths), "--resamples", "100", "--out", str(tmp_path / "out")]) in (0, 1)
    changed = (tmp_path / "out/flips.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(changed) == 25 and json.loads(changed[0])["answer"] == "?False"
