"""Samples of lm-evaluation-harness in the forms of all its releases."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from tests.outside_runs import FULL, Record, read_lines, recorded, write_lines

from quantbench.errors import DataError, QuantbenchError
from quantbench.judge import OutsideTask, Wanted, read_run

NAME = "samples_sums_2026-11-27T23-02-01.863790.jsonl"


def of_release_0_4_2(record: Record) -> Record:
    """As lines were before they had filter, metrics and hashes: prompts in lists, likelihoods as numbers."""
    old = {
        name: value
        for name, value in record.items()
        if name not in ("filter", "metrics", "doc_hash", "prompt_hash", "target_hash")
    }
    arguments = record["arguments"]
    assert isinstance(arguments, dict)
    old["arguments"] = [list(request.values()) for request in arguments.values()]
    if isinstance(record["filtered_resps"], list) and isinstance(record["filtered_resps"][0], list):
        old["filtered_resps"] = [[float(value), greedy == "True"] for value, greedy in record["filtered_resps"]]
    return old


def read(path: Path, **wanted: str) -> OutsideTask:
    [task] = read_run(path, Wanted(**wanted))
    return task


def test_an_old_release_is_read_as_a_new_one(tmp_path: Path) -> None:
    old = write_lines(
        tmp_path / "samples_facts_2024-03-01T10-00-00.000000.jsonl", map(of_release_0_4_2, recorded(FULL, "facts"))
    )
    new, read_old = read_run(FULL, Wanted(), ["facts"])[0], read(old)
    assert read_old.filter is None and read_old.metric == "acc"
    assert [(one.key, one.answer, one.gold, one.score) for one in read_old.samples] == [
        (one.key, one.answer, one.gold, one.score) for one in new.samples
    ]
    for one, two in zip(read_old.samples, new.samples, strict=True):
        assert {name: two.prints[name] for name in one.prints} == one.prints and len(one.prints) == 3


def test_the_first_releases_wrote_one_array(tmp_path: Path) -> None:
    path = tmp_path / "model_facts.jsonl"
    path.write_text(json.dumps([of_release_0_4_2(line) for line in recorded(FULL, "facts")], indent=2))
    task = read(path)
    assert (task.name, task.metric, len(task.samples)) == (None, "acc", 48)


def test_packed_marked_and_windows_files_are_read(tmp_path: Path) -> None:
    text = next(FULL.glob("samples_sums*")).read_bytes()
    expected = read(next(FULL.glob("samples_sums*"))).samples
    for name, content in (
        ("a.jsonl.gz", gzip.compress(text)),
        ("b.jsonl", b"\xef\xbb\xbf" + text),
        ("c.jsonl", text.replace(b"\n", b"\r\n")),
        ("d.jsonl", b"\n" + text + b"\n\n"),
    ):
        (tmp_path / name).write_bytes(content)
        found = read(tmp_path / name).samples
        assert [(one.key, one.score, one.prints) for one in found] == [
            (one.key, one.score, one.prints) for one in expected
        ]


def test_the_first_filter_and_metric_are_said_with_the_others() -> None:
    facts, sums = read_run(FULL, Wanted())
    assert (facts.metric, facts.also, sums.filter, sums.also) == (
        *("acc", " Also there: acc_norm (--metric).", "strict", " Also there: flexible (--filter)."),
    )


def test_scores_between_0_and_1_are_read_as_they_are(tmp_path: Path) -> None:
    lines = [
        {**line, "metrics": ["f1"], "f1": 0.25 * (number % 5)} for number, line in enumerate(recorded(FULL, "sums"))
    ]
    task = read(write_lines(tmp_path / NAME, lines))
    assert task.metric == "f1" and {one.score for one in task.samples} <= {0, 0.25, 0.5, 0.75, 1}


def changed(record: Record, **values: object) -> Record:
    return {**record, **values}


@pytest.mark.parametrize(
    ("wanted", "change", "said"),
    [
        ({"metric": "acc"}, {}, "line 1: no metric 'acc'; known: exact_match"),
        ({"filter": "strickt"}, {}, "no sample has the filter 'strickt'; did you mean 'strict'?"),
        (
            {},
            {"exact_match": 3.0},
            "line 1: 'exact_match' has the value 3, outside 0 to 1; name the best possible score with --scale",
        ),
        ({}, {"exact_match": float("nan")}, "'exact_match' has the value nan, which is no score of one answer"),
        ({}, {"exact_match": 10**400}, "which is no score of one answer"),
        (
            {},
            {"exact_match": [1, 2]},
            "no score of this one answer of which more is better (metrics: exact_match = [1, 2])",
        ),
        ({"group": "documnt"}, {}, "line 1: no field 'documnt' to group by; did you mean 'document'?"),
        ({"group": "doc"}, {}, "'doc' has the value {"),
    ],
)
def test_what_cannot_be_read_is_named(
    wanted: dict[str, str], change: dict[str, object], said: str, tmp_path: Path
) -> None:
    path = write_lines(tmp_path / NAME, [changed(line, **change) for line in recorded(FULL, "sums")])
    with pytest.raises(QuantbenchError) as error:
        read(path, **wanted)
    assert said in str(error.value) and str(path) in str(error.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty; give a file with answers"),
        (b"\n\n", "malformed JSON|no samples in it"),
        (b'{"doc_id": 0,', "line 1: malformed JSON"),
        (b"\xff\xfe{\x00", "text in UTF-16; save it as UTF-8"),
        (b'{"doc_id": 0, "resps": [["\xff"]]}', "line 1: not UTF-8"),
        (b"\x1f\x8b\x08\x00broken", "damaged"),
        (b"[" * 100_000, "nested more than 200 deep"),
        (b"[]", "no samples in it"),
        (b"[1, 2]", "item 1: expected a JSON object, found int"),
    ],
)
def test_a_damaged_file_is_named(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(DataError, match=said):
        read(tmp_path / NAME)


def test_a_repeated_sample_is_named_with_both_places(tmp_path: Path) -> None:
    lines = recorded(FULL, "facts")
    path = write_lines(tmp_path / NAME, [*lines, lines[3]])
    with pytest.raises(DataError, match=r"line 49: the id '3' was there before \(.*line 4\)"):
        read(path)


def test_of_a_metric_of_which_less_is_better_nothing_is_judged(tmp_path: Path) -> None:
    lines = [changed(line, metrics=["brier", "exact_match"], brier=0.3) for line in recorded(FULL, "sums")]
    path = write_lines(tmp_path / NAME, lines)
    results = {"higher_is_better": {"sums": {"brier": False, "exact_match": True}}}
    (tmp_path / "results_2026-11-27T23-02-01.863790.json").write_text(json.dumps(results))
    assert read(path).metric == "exact_match"
    with pytest.raises(DataError, match="of 'brier' less is better"):
        read(path, metric="brier")


def test_perplexity_is_known_for_one_without_a_summary(tmp_path: Path) -> None:
    lines = [changed(line, metrics=["perplexity", "exact_match"], perplexity=-3.1) for line in recorded(FULL, "sums")]
    assert read(write_lines(tmp_path / NAME, lines)).metric == "exact_match"


def test_two_files_of_a_task_are_refused(tmp_path: Path) -> None:
    for name in (NAME, "samples_sums_2026-11-28T00-00-00.000000.jsonl"):
        write_lines(tmp_path / name, read_lines(next(FULL.glob("samples_sums*"))))
    with pytest.raises(DataError, match=r"two files of task sums, .* give the file or the folder of one run"):
        read_run(tmp_path, Wanted())
