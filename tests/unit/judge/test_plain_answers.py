"""JSON lines of no known program, under usual names and under names of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.outside_runs import write_lines

from quantbench.errors import QuantbenchError
from quantbench.judge import OutsideTask, Wanted, read_run


def read(folder: Path, *records: dict[str, object], **wanted: str) -> OutsideTask:
    [task] = read_run(write_lines(folder / "answers.jsonl", records), Wanted(**wanted))
    return task


def test_an_answer_is_right_where_it_is_the_gold_answer(tmp_path: Path) -> None:
    task = read(
        tmp_path,
        {"id": 1, "answer": " yes", "gold": "yes"},
        {"id": 2, "answer": "no", "gold": ["yes", "no"]},
        {"id": 3, "answer": 3, "gold": "3"},
        {"id": 4, "answer": "Yes", "gold": "yes"},
        {"id": 5, "answer": ["a"], "gold": ["a"]},
        {"id": 6, "answer": None, "gold": "yes"},
    )
    assert (task.metric, task.unit) == ("exact_match", "sample")
    assert [sample.score for sample in task.samples] == [1, 1, 1, 0, 1, 0]


def test_a_score_that_is_there_is_taken(tmp_path: Path) -> None:
    record = {"sample_id": "7", "parsed": "B", "parsed_ok": True, "gold": "A", "correct": True, "group": "pmid-1"}
    task = read(tmp_path, record)
    assert (task.metric, task.unit, task.samples[0].score, task.samples[0].group) == ("correct", "group", 1, "pmid-1")
    assert read(tmp_path, record, metric="exact_match").samples[0].score == 0


def test_fields_can_be_named(tmp_path: Path) -> None:
    record = {"q": 7, "said": "B", "right": "B", "f1": 0.5, "pmid": 12}
    task = read(tmp_path, record, identity="q", answer="said", gold="right", metric="f1", group="pmid")
    [sample] = task.samples
    assert (sample.key, sample.answer, sample.gold, sample.score, sample.group) == ("7", "B", "B", 0.5, "12")


@pytest.mark.parametrize(
    ("record", "wanted", "said"),
    [
        ({"id": 1, "answer": "A"}, {}, "none of the usual fields for --gold-field (gold, target, label"),
        ({"id": 1, "gold": "A"}, {}, "none of the usual fields for --answer-field"),
        ({"answer": "A", "gold": "A"}, {}, "none of the usual fields for --id-field"),
        (
            {"id": 1, "answer": "A", "prediction": "B", "gold": "A"},
            {},
            "'prediction' and 'answer' could both be meant; name one with --answer-field",
        ),
        (
            {"id": 1, "answer": "A", "gold": "A"},
            {"gold": "glod"},
            "no field 'glod', which --gold-field names; did you mean 'gold'?",
        ),
        ({"id": [1], "answer": "A", "gold": "A"}, {}, "'id' has the value [1]; an id is a text or a number"),
        ({"id": "", "answer": "A", "gold": "A"}, {}, "an id is a text or a number"),
        ({"id": 1, "answer": "A", "gold": "A", "score": "high"}, {}, "'score' has the value 'high', which is no score"),
        (
            {"id": 1, "answer": "A", "gold": "A", "score": 40},
            {},
            "outside 0 to 1; name the best possible score with --scale",
        ),
        (
            {"id": 1, "answer": "A", "gold": "A"},
            {"filter": "strict"},
            "--filter 'strict' is for samples of lm-evaluation-harness",
        ),
        (
            {"id": 1, "answer": "A", "gold": "A", "group": None},
            {},
            "'group' has the value None, which names no document",
        ),
    ],
)
def test_what_is_not_clear_is_asked_for(
    record: dict[str, object], wanted: dict[str, str], said: str, tmp_path: Path
) -> None:
    with pytest.raises(QuantbenchError) as error:
        read(tmp_path, record, **wanted)
    assert f"{tmp_path / 'answers.jsonl'}" in str(error.value) and said in str(error.value)


def test_every_line_has_what_the_first_has(tmp_path: Path) -> None:
    with pytest.raises(QuantbenchError, match="line 2: the field 'gold' is missing; the lines before have it"):
        read(tmp_path, {"id": 1, "answer": "A", "gold": "A"}, {"id": 2, "answer": "A"})


def test_percent_are_scores_too(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "a.jsonl", [{"id": 1, "answer": "A", "gold": "A", "score": 40}])
    assert read_run(path, Wanted(scale=100))[0].samples[0].score == pytest.approx(0.4)
    for scale in (0, -1, float("inf"), float("nan")):
        with pytest.raises(QuantbenchError, match="--scale has the value"):
            Wanted(scale=scale)
