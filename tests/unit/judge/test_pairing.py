"""Runs that do not pair are refused by name: the file, the field, both values, the next step."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.outside_runs import FULL, QUANTIZED, Record, plain, recorded, write_lines

from quantbench.errors import QuantbenchError
from quantbench.judge import PairedTask, Wanted, pair_runs, read_run

NAME = "samples_sums_2026-11-27T23-07-20.396210.jsonl"


def paired(one: Path, two: Path, *tasks: str, **wanted: str) -> list[PairedTask]:
    asked = Wanted(**wanted)
    return pair_runs(read_run(one, asked, tasks), read_run(two, asked, tasks), (one, two))


def test_the_order_of_samples_does_not_matter(tmp_path: Path) -> None:
    path = write_lines(tmp_path / NAME, reversed(recorded(QUANTIZED, "sums")))
    [pair] = paired(FULL, path, "sums", filter="strict")
    assert all(before.key == after.key for before, after in pair.samples)


def other(**values: object) -> Callable[[list[Record]], list[Record]]:
    """Every filter's line of document 4, changed."""
    return lambda lines: [{**line, **values} if line["doc_id"] == 4 else line for line in lines]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (other(prompt_hash="0" * 64), "line 5: another prompt for id '4' (prompt_hash "),
        (other(arguments={"gen_args_0": {"arg_0": "3 + 3 =", "arg_1": {}}}), "another prompt for id '4' (prompt "),
        (other(doc_hash="0" * 64), "another document for id '4' (doc_hash "),
        (other(doc={"question": "?", "answer": "15"}), "another document for id '4' (doc "),
        (other(target="99"), "the gold answer of id '4' is"),
        (
            lambda lines: [line for line in lines if line["doc_id"] not in (4, 9)],
            "the first alone has '4', '9'; run both on the same samples",
        ),
        (lambda lines: [{**line, "doc_id": line["doc_id"] + 100} for line in lines], "the second alone has '100'"),
        (
            lambda lines: [{**line, "filter": "loose"} for line in lines if line["filter"] == "strict"],
            "filter is 'strict' in ",
        ),
        (lambda lines: [{**line, "metrics": ["f1"], "f1": 0.5} for line in lines], "metric is 'exact_match' in "),
    ],
)
def test_other_answers_are_refused(change: Callable[[list[Record]], list[Record]], said: str, tmp_path: Path) -> None:
    path = write_lines(tmp_path / NAME, change(recorded(QUANTIZED, "sums")))
    with pytest.raises(QuantbenchError) as error:
        paired(FULL, path, "sums")
    assert said in str(error.value) and str(path) in str(error.value) and str(FULL) in str(error.value)


@pytest.mark.parametrize(
    ("table", "value", "said"),
    [
        ("n-shot", {"sums": 5}, "sums: n-shot is '0' in "),
        ("versions", {"sums": 2.0}, "sums: version is 'Yaml' in "),
        ("configs", {"sums": {"generation_kwargs": {"temperature": 1}}}, "sums: generation_kwargs is "),
    ],
)
def test_other_settings_are_refused(table: str, value: object, said: str, tmp_path: Path) -> None:
    shutil.copytree(QUANTIZED, tmp_path / "run")
    [path] = (tmp_path / "run").glob("results_*.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), table: value}))
    with pytest.raises(QuantbenchError) as error:
        paired(FULL, tmp_path / "run", "sums")
    assert said in str(error.value) and "run both with the same settings" in str(error.value)


def test_a_damaged_summary_is_named(tmp_path: Path) -> None:
    shutil.copytree(QUANTIZED, tmp_path / "run")
    [path] = (tmp_path / "run").glob("results_*.json")
    path.write_text("{")
    with pytest.raises(QuantbenchError, match=r"results_.*json: malformed JSON .*copy it again, or move it away"):
        paired(FULL, tmp_path / "run")


def test_other_tasks_are_refused_unless_some_are_chosen(tmp_path: Path) -> None:
    write_lines(tmp_path / "run" / NAME, recorded(QUANTIZED, "sums"))
    with pytest.raises(
        QuantbenchError, match=rf"other tasks: {FULL} alone has facts; --task names those to judge, such as sums"
    ):
        paired(FULL, tmp_path / "run")
    assert [pair.name for pair in paired(FULL, tmp_path / "run", "sums")] == ["sums"]
    with pytest.raises(QuantbenchError, match=r"--task 'suns' is not in .*did you mean 'sums'"):
        paired(FULL, tmp_path / "run", "suns")


def test_a_run_is_not_compared_with_itself() -> None:
    with pytest.raises(QuantbenchError, match="both runs are this one"):
        paired(FULL, FULL)


def test_nothing_to_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(QuantbenchError, match=r"no samples_\*\.jsonl of lm-evaluation-harness"):
        paired(tmp_path, FULL)
    with pytest.raises(QuantbenchError, match="no such file or folder"):
        paired(tmp_path / "none", FULL)
    summary = next(FULL.glob("results_*.json"))
    with pytest.raises(QuantbenchError, match="no log of inspect_ai; it has the fields configs, versions"):
        paired(summary, FULL)


def test_plain_lines_pair_by_id_and_group(tmp_path: Path) -> None:
    one = write_lines(tmp_path / "one.jsonl", plain([True] * 5, group="a"))
    two = write_lines(tmp_path / "two.jsonl", plain([False] * 5, group="b"))
    with pytest.raises(QuantbenchError, match="id '0' belongs to 'a' and 'b'; group both alike"):
        paired(one, two)
    two = write_lines(tmp_path / "two.jsonl", plain([False] * 5))
    with pytest.raises(QuantbenchError, match=r"answers: unit is 'group' in .*one\.jsonl and 'sample' in"):
        paired(one, two)
