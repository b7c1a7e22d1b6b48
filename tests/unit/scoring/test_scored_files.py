"""From predictions files to scores: agreement of the two files, bad input, votes, strict beside lenient."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from quantbench.config import FAMILIES, DatasetEntry, Reasoning
from quantbench.contracts.checksums import sha256_of
from quantbench.contracts.records import Sample, ScoredAnswer, read_records, write_records
from quantbench.contracts.scores import LabelScore, Scores
from quantbench.errors import DataError
from quantbench.scoring import Outputs, is_cut, match_gold, score_cell, score_file, score_predictions
from quantbench.statistics import Bootstrap, wilson_interval
from quantbench.tasks.origin import Origin

FAST = Bootstrap(resamples=200)
GOLDS = ["false", "false", "CPR:3", "CPR:4", "false", "CPR:4"]


@pytest.fixture
def entry() -> DatasetEntry:
    labels = dict.fromkeys(["CPR:3", "CPR:4", "false"], "")
    return DatasetEntry.model_validate({
        "title": "Relations", "task": "relation_extraction", "reader": "entity_pairs", "metric": "macro_f1", "labels": labels,
        "negative_label": "false", "citation": "none", "licence": "none", "max_new_tokens": {"instruction": 5}, "files": {},
    })  # fmt: skip


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    samples = [Sample(str(n), {"sentence": f"s {n}"}, label, f"document {n // 2}") for n, label in enumerate(GOLDS)]
    write_records(tmp_path / "samples.jsonl", samples)
    return tmp_path / "samples.jsonl"


def write_lines(path: Path, lines: list[Any]) -> Path:
    path.write_text(
        "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines), encoding="utf-8"
    )
    return path


def predictions(path: Path, outputs: list[Any], **more: Any) -> Path:
    lines = [{"sample_id": str(n), "outputs": o if isinstance(o, list) else [o], **more} for n, o in enumerate(outputs)]
    return write_lines(path, lines)


def test_scores_and_answers_of_a_small_file(entry: DatasetEntry, gold: Path, tmp_path: Path) -> None:
    source = predictions(tmp_path / "p.jsonl", ["false", "False.", "CPR:3", "CPR:3", "?", "The class is CPR:4."])
    scores = score_file(source, gold, entry, tmp_path / "out", FAST)
    # CPR:3: 1 hit, 1 false; CPR:4: 1 hit, 1 missed; false: 2 hits, 1 missed (no answer).
    f1 = {"CPR:3": 2 / 3, "CPR:4": 2 / 3, "false": 4 / 5}
    assert scores.value == pytest.approx(sum(f1.values()) / 3)
    assert scores.positive_macro_f1 == pytest.approx(2 / 3)
    assert {label: figures.f1 for label, figures in scores.per_label.items()} == pytest.approx(f1)
    assert scores.per_label["CPR:4"] == LabelScore(f1=2 / 3, support=2, predicted=1)
    assert scores.unparseable_rate == pytest.approx(1 / 6)
    assert scores.strict_unparseable_rate == pytest.approx(3 / 6)
    assert scores.strict_value < scores.value
    assert scores.interval[0] <= scores.value <= scores.interval[1]
    assert (scores.metric, scores.n, scores.truncated_rate) == ("macro_f1", 6, None)
    assert scores.mean_new_tokens is None
    assert Scores.read(tmp_path / "out/scores.json") == scores
    answers = read_records(tmp_path / "out/scored.jsonl", ScoredAnswer)
    assert answers[4] == ScoredAnswer("4", None, False, "false", False)
    assert [answer.correct for answer in answers] == [True, True, True, False, False, True]


def test_an_unreadable_answer_is_never_right_not_even_where_there_is_nothing_to_find(tmp_path: Path) -> None:
    entry = DatasetEntry.model_validate({
        "title": "Entities", "task": "named_entity_recognition", "reader": "token_tags", "metric": "entity_f1", "entity_type": "chemical",
        "citation": "none", "licence": "none", "max_new_tokens": {"instruction": 5}, "files": {},
    })  # fmt: skip
    samples = [Sample(str(number), {"text": "The patients slept well ."}, [], "document") for number in range(3)]
    said = ["The patients slept well .", "I cannot help with that.", ""]
    outputs = [Outputs(sample.sample_id, [output]) for sample, output in zip(samples, said, strict=True)]
    scored, scores = score_predictions(outputs, samples, entry, FAST)
    assert [(answer.parsed, answer.parsed_ok, answer.correct) for answer in scored] == [
        ([], True, True),
        ([], False, False),
        ([], False, False),
    ]
    assert scores.unparseable_rate == pytest.approx(2 / 3)


def test_the_chance_level_is_the_best_constant_answers_score(entry: DatasetEntry, gold: Path, tmp_path: Path) -> None:
    scores = score_file(predictions(tmp_path / "p.jsonl", GOLDS), gold, entry, tmp_path / "out", FAST)
    # "false" for all: 3 hits, 3 false positives; the other two classes are never named.
    assert scores.constant_value == pytest.approx(2 / 3 / 3)


def test_several_outputs_are_answered_by_majority(entry: DatasetEntry, gold: Path, tmp_path: Path) -> None:
    source = predictions(
        tmp_path / "p.jsonl", [["CPR:3", "false", "false"]] * 6, finish_reason=["stop", "stop", "length"]
    )
    scores = score_file(source, gold, entry, tmp_path / "out", FAST)
    assert all(answer.parsed == "false" for answer in read_records(tmp_path / "out/scored.jsonl", ScoredAnswer))
    assert scores.truncated_rate == pytest.approx(1 / 3)


def test_what_was_not_read_of_an_output_is_noted(entry: DatasetEntry, gold: Path, tmp_path: Path) -> None:
    outputs = ["false " * 900, ["CPR:3", "CPR:3 or " * 300, "CPR:3"], *["false"] * 4]
    score_file(predictions(tmp_path / "p.jsonl", outputs), gold, entry, tmp_path / "out", FAST)
    first, second, *others = read_records(tmp_path / "out/scored.jsonl", ScoredAnswer)
    assert first.note == "not read: 5,160 characters that repeat what stands before them"
    assert str(second.note).startswith("in 1 of 3 outputs, the first: not read: ")
    assert {answer.note for answer in others} == {None}
    assert (tmp_path / "out/scored.jsonl").read_text().count('"note"') == 2


def test_lengths_of_outputs_are_averaged_over_chains(entry: DatasetEntry, gold: Path, tmp_path: Path) -> None:
    source = predictions(tmp_path / "p.jsonl", [["CPR:3", "false"]] * 6, new_tokens=[2, 7])
    assert score_file(source, gold, entry, tmp_path / "out", FAST).mean_new_tokens == 4.5


def test_lengths_that_some_predictions_do_not_state_are_unknown(
    entry: DatasetEntry, gold: Path, tmp_path: Path
) -> None:
    lines = [{"sample_id": str(n), "outputs": ["false"], "new_tokens": [n]} for n in range(6)]
    del lines[3]["new_tokens"]
    source = write_lines(tmp_path / "p.jsonl", lines)
    assert score_file(source, gold, entry, tmp_path / "out", FAST).mean_new_tokens is None


def test_scores_of_before_lengths_were_kept_are_read(entry: DatasetEntry, gold: Path, tmp_path: Path) -> None:
    scores = score_file(predictions(tmp_path / "p.jsonl", GOLDS, new_tokens=[3]), gold, entry, tmp_path / "out", FAST)
    written = json.loads((tmp_path / "out/scores.json").read_text())
    assert written.pop("mean_new_tokens") == 3.0
    (tmp_path / "out/scores.json").write_text(json.dumps(written))
    assert Scores.read(tmp_path / "out/scores.json") == scores.model_copy(update={"mean_new_tokens": None})


def test_the_same_predictions_are_scored_as_published_too(entry: DatasetEntry, gold: Path, tmp_path: Path) -> None:
    outputs = ["false", "false\nCPR:3", "CPR:3", "The class is CPR:4.", "???", " CPR:3 # or 4"]
    scores = score_file(predictions(tmp_path / "p.jsonl", outputs), gold, entry, tmp_path / "out", FAST)
    found = scores.as_published
    assert found is not None
    assert (found.metric, found.repeats) == ("macro_f1_over_characters", [])
    # The sentence also has four letters of "false", though no f. F1 of C, P, R and the colon; of 3; of 4; of f; of a, l, s and e:
    expected = [*[1.0] * 4, 2 / 3, 2 / 3, 4 / 5, *[4 / 6] * 4]
    assert found.value == pytest.approx(sum(expected) / 11)
    assert found.unknown_rate == pytest.approx(1 / 6)
    assert found.interval[0] <= found.value <= found.interval[1]
    assert 0 < found.constant_value < found.value
    assert (scores.metric, Scores.read(tmp_path / "out/scores.json")) == ("macro_f1", scores)


def test_a_chain_of_thought_is_read_in_brackets_as_published(entry: DatasetEntry, gold: Path, tmp_path: Path) -> None:
    chains = [[f"Some words first. [{label}] More.\nFinal answer: CPR:3", f"[{label}]", "[false]"] for label in GOLDS]
    source = predictions(tmp_path / "p.jsonl", chains)
    read = score_file(source, gold, entry, tmp_path / "out", FAST, origin=Origin(reasoned=True)).as_published
    assert read is not None and read.value == 1.0
    unread = score_file(source, gold, entry, tmp_path / "out", FAST).as_published
    assert unread is not None and unread.value < 1.0


def test_scores_of_before_those_as_published_are_read(entry: DatasetEntry, gold: Path, tmp_path: Path) -> None:
    scores = score_file(predictions(tmp_path / "p.jsonl", GOLDS), gold, entry, tmp_path / "out", FAST)
    written = json.loads((tmp_path / "out/scores.json").read_text())
    assert written.pop("as_published")["value"] == 1.0
    (tmp_path / "out/scores.json").write_text(json.dumps(written))
    assert Scores.read(tmp_path / "out/scores.json") == scores.model_copy(update={"as_published": None})


def test_a_cell_is_scored_in_its_folder(entry: DatasetEntry, gold: Path, tmp_path: Path) -> None:
    (tmp_path / "cell").mkdir()
    predictions(tmp_path / "cell/predictions.jsonl", GOLDS)
    assert score_cell(tmp_path / "cell", gold, entry, FAST).value == 1.0
    assert (tmp_path / "cell/scores.json").exists()
    assert (tmp_path / "cell/scored.jsonl").exists()


def test_answers_that_were_changed_since_the_cell_wrote_them_are_scored_and_named(
    entry: DatasetEntry, gold: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = predictions(tmp_path / "predictions.jsonl", GOLDS)
    stated = {"outputs": {answers.name: sha256_of(answers)}}
    (tmp_path / "manifest.json").write_text(json.dumps(stated))
    assert score_cell(tmp_path, gold, entry, FAST).changed_answers is None
    assert "changed_answers" not in (tmp_path / "scores.json").read_text()
    predictions(answers, ["CPR:4", *GOLDS[1:]])
    assert score_cell(tmp_path, gold, entry, FAST).changed_answers == ["predictions.jsonl"]
    assert "predictions.jsonl is not what the cell wrote" in capsys.readouterr().err
    assert Scores.read(tmp_path / "scores.json").changed_answers == ["predictions.jsonl"]


@pytest.mark.parametrize(
    "manifest", ["", "[]", "{}", '{"outputs": ["predictions.jsonl"]}', '{"outputs": {"other": "0"}}']
)
def test_predictions_that_no_manifest_knows_are_not_called_changed(
    manifest: str, entry: DatasetEntry, gold: Path, tmp_path: Path
) -> None:
    (tmp_path / "manifest.json").write_text(manifest)
    answers = predictions(tmp_path / "predictions.jsonl", GOLDS)
    assert score_file(answers, gold, entry, tmp_path / "out", FAST).changed_answers is None


def test_same_input_gives_the_same_bytes(entry: DatasetEntry, gold: Path, tmp_path: Path) -> None:
    source = predictions(tmp_path / "p.jsonl", ["false"] * 6)
    for out in ("one", "two"):
        score_file(source, gold, entry, tmp_path / out, FAST)
    for name in ("scores.json", "scored.jsonl"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_subset_is_scored_only_when_allowed(entry: DatasetEntry, gold: Path, tmp_path: Path) -> None:
    source = predictions(tmp_path / "p.jsonl", GOLDS[:4])
    with pytest.raises(DataError, match=r"2 of 6 samples .* \(first: 4, 5\).*--subset"):
        score_file(source, gold, entry, tmp_path / "out", FAST)
    assert score_file(source, gold, entry, tmp_path / "out", FAST, subset=True).n == 4


def test_answers_follow_the_order_of_the_predictions(entry: DatasetEntry, gold: Path, tmp_path: Path) -> None:
    source = write_lines(
        tmp_path / "p.jsonl", [{"sample_id": str(n), "outputs": [GOLDS[n]]} for n in (5, 3, 0, 1, 2, 4)]
    )
    assert score_file(source, gold, entry, tmp_path / "out", FAST).value == 1.0
    assert [a.sample_id for a in read_records(tmp_path / "out/scored.jsonl", ScoredAnswer)] == list("530124")


GOOD = {"sample_id": "0", "outputs": ["false"]}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([GOOD, '{"sample_id": "1", "outp'], "p.jsonl, line 2: malformed JSON"),
        ([GOOD, "[]"], "p.jsonl, line 2: expected a JSON object"),
        ([GOOD, GOOD], "p.jsonl, line 2: sample_id '0' occurs twice"),
        ([GOOD, {"sample_id": "77", "outputs": ["false"]}], "p.jsonl, line 2: sample_id '77' is not in"),
        ([{"outputs": ["false"]}], "p.jsonl, line 1: field 'sample_id' is missing"),
        ([{"sample_id": "0"}], "p.jsonl, line 1: field 'outputs' is missing"),
        ([{"sample_id": 0, "outputs": ["false"]}], "p.jsonl, line 1: sample_id 0 is not text"),
        ([{"sample_id": "0", "outputs": "false"}], "p.jsonl, line 1: outputs 'false' is not a list"),
        ([{"sample_id": "0", "outputs": []}], "p.jsonl, line 1: outputs"),
        ([{"sample_id": "0", "outputs": [None]}], "p.jsonl, line 1: outputs"),
        ([GOOD | {"finish_reason": "stop"}], "p.jsonl, line 1: finish_reason"),
        (
            [GOOD | {"new_tokens": 3}],
            "p.jsonl, line 1: new_tokens 3 is not a list of 1 whole number(s), one for each output",
        ),
        ([GOOD | {"new_tokens": [3, 4]}], "p.jsonl, line 1: new_tokens"),
        ([GOOD | {"new_tokens": [-1]}], "p.jsonl, line 1: new_tokens"),
        ([], "p.jsonl: no predictions"),
    ],
)
def test_bad_predictions_are_named_and_nothing_is_written(
    lines: list[Any], message: str, entry: DatasetEntry, gold: Path, tmp_path: Path
) -> None:
    source = write_lines(tmp_path / "p.jsonl", lines)
    with pytest.raises(DataError) as error:
        score_file(source, gold, entry, tmp_path / "out", FAST, subset=True)
    assert message in str(error.value)
    assert not (tmp_path / "out").exists()


def test_gold_of_another_dataset_is_refused(entry: DatasetEntry, gold: Path, tmp_path: Path) -> None:
    write_records(gold, [Sample("0", {"sentence": "s"}, "DDI-false", "d")])
    with pytest.raises(DataError, match=r"samples.jsonl, line 1: gold 'DDI-false' is none of .* Relations"):
        score_file(predictions(tmp_path / "p.jsonl", ["false"]), gold, entry, tmp_path / "out", FAST)


@pytest.mark.parametrize("name", ["absent.jsonl", "absent.tsv"])
def test_missing_gold_is_named(name: str, entry: DatasetEntry, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"{name}: no such file"):
        score_file(predictions(tmp_path / "p.jsonl", ["false"]), tmp_path / name, entry, tmp_path / "out", FAST)


def test_a_file_in_published_format_is_gold_too(entry: DatasetEntry, tmp_path: Path) -> None:
    (tmp_path / "any.tsv").write_text(
        "index\tsentence\tlabel\r\n1.T1.T2\t@CHEMICAL$ @GENE$\tCPR:3\r\n1.T1.T3\t@CHEMICAL$\tfalse\r\n"
    )
    source = predictions(tmp_path / "p.jsonl", ["CPR:3", "false"])
    assert score_file(source, tmp_path / "any.tsv", entry, tmp_path / "out", FAST).per_label["CPR:3"].f1 == 1.0


def test_the_defaults_are_the_protocols() -> None:
    assert (Bootstrap().resamples, Bootstrap().confidence) == (10000, 0.95)


def test_predictions_in_memory_are_scored_like_a_file(entry: DatasetEntry) -> None:
    samples = [Sample(str(n), {"sentence": "s"}, label, str(n)) for n, label in enumerate(GOLDS)]
    answers, scores = score_predictions(
        [Outputs(s.sample_id, [s.gold], ["stop"]) for s in samples], samples, entry, FAST
    )
    assert all(answer.correct for answer in answers)
    assert (scores.value, scores.truncated_rate, scores.strict_value) == (1.0, 0.0, 1.0)


MUSING = Reasoning(open="<musing>", close="</musing>")


def test_each_output_is_read_by_how_it_came_about() -> None:
    asked = Origin(reasoned=True, reasoning=MUSING)
    known = Outputs("0", ["a", "b"], ["length", "stop"]).from_origin(asked)
    assert known == [("a", Origin(True, True, MUSING)), ("b", Origin(False, True, MUSING))]
    assert Outputs("0", ["a"]).from_origin(asked) == [("a", asked)], "what does not say so was not cut"


@pytest.mark.parametrize(
    ("output", "origin", "right"),
    [
        # A line that opens a new example ends an answer at once, and is part of a chain of thought.
        ("CPR:3\n\nSentence: let me see.\nFinal answer: CPR:4", Origin(), False),
        ("CPR:3\n\nSentence: let me see.\nFinal answer: CPR:4", Origin(reasoned=True), True),
        ("<musing>CPR:3?\nNo.</musing>\nCPR:4", Origin(), False),
        ("<musing>CPR:3?\nNo.</musing>\nCPR:4", Origin(reasoning=MUSING), True),
        ("<think>CPR:3?\nNo.</think>\nCPR:4", Origin(reasoning=MUSING), True),
    ],
)
def test_prompting_and_thought_markers_decide_what_is_read(
    output: str, origin: Origin, right: bool, entry: DatasetEntry, tmp_path: Path
) -> None:
    gold = tmp_path / "samples.jsonl"
    write_records(gold, [Sample("0", {"sentence": "s"}, "CPR:4", "d")])
    (tmp_path / "cell").mkdir()
    predictions(tmp_path / "cell/predictions.jsonl", [output])
    scores = score_cell(tmp_path / "cell", gold, entry, FAST, origin)
    assert (scores.strict_value > 0) == right


def test_of_a_thought_that_was_cut_nothing_is_read(entry: DatasetEntry, gold: Path, tmp_path: Path) -> None:
    cut = "## Thinking\n\nThe answer could be CPR:4.\n\nFinal answer: CPR:4"
    source = predictions(tmp_path / "p.jsonl", [cut] * 6, finish_reason=["length"])
    huatuo = Origin(reasoning=FAMILIES["huatuo"])
    scores = score_file(source, gold, entry, tmp_path / "out", FAST, origin=huatuo)
    assert (scores.unparseable_rate, scores.strict_unparseable_rate, scores.truncated_rate) == (1, 1, 1)
    done = predictions(tmp_path / "q.jsonl", [f"{cut}\n\n## Final Response\n\nfalse"] * 6)
    scores = score_file(done, gold, entry, tmp_path / "done", FAST, origin=huatuo)
    assert (scores.unparseable_rate, scores.strict_unparseable_rate) == (0, 0)
    assert {answer.parsed for answer in read_records(tmp_path / "done/scored.jsonl", ScoredAnswer)} == {"false"}


def test_gold_without_samples_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"samples\.jsonl: holds no sample"):
        match_gold([], [], False, tmp_path / "predictions.jsonl", tmp_path / "samples.jsonl")


@pytest.mark.parametrize(("reason", "cut"), [("length", True), ("MAX_TOKENS", True), ("stop", False), ("", False)])
def test_other_names_of_the_token_limit_count(reason: str, cut: bool) -> None:
    assert is_cut(reason) is cut


def test_a_users_own_test_file_is_gold_with_or_without_groups(tmp_path: Path) -> None:
    entry = DatasetEntry.model_validate({
        "title": "Ward notes", "task": "named_entity_recognition", "reader": "records", "metric": "entity_f1", "entity_type": "drug",
        "citation": "none", "licence": "none", "max_new_tokens": {"instruction": 50}, "files": {"test": [{"name": "test.jsonl"}]},
    })  # fmt: skip
    record = {
        "sample_id": "1",
        "inputs": {"text": "She took aspirin ."},
        "gold": [{"start": 9, "end": 16, "text": "aspirin"}],
    }
    source = predictions(tmp_path / "p.jsonl", ["She took <span>aspirin</span> ."])
    source.write_text(source.read_text().replace('"0"', '"1"'))
    for name, more in (("test.jsonl", {"group": "note 1"}), ("test.jsonl", {}), ("elsewhere.jsonl", {})):
        (tmp_path / name).write_text(json.dumps(record | more) + "\n")
        assert score_file(source, tmp_path / name, entry, tmp_path / "out", FAST).value == 1.0
    write_records(
        tmp_path / "samples.jsonl",
        [Sample("1", record["inputs"], [{"start": 7, "end": 14, "text": "aspirin"}], "note 1")],
    )
    assert score_file(source, tmp_path / "samples.jsonl", entry, tmp_path / "out", FAST).value == 1.0


def test_repeats_are_scored_beside_the_first_answers(entry: DatasetEntry, gold: Path, tmp_path: Path) -> None:
    """A repeat's scores are what it would have as predictions of its own; an empty one, of a greedy model, is none."""
    answers = [["false"] * 6, ["false", "False.", "CPR:3", "CPR:3", "?", "The class is CPR:4."], GOLDS[::-1]]
    cell = tmp_path / "cell"
    cell.mkdir()
    for name, given in zip(("predictions", "repeat_2", "repeat_10"), answers, strict=True):
        predictions(cell / f"{name}.jsonl", given)
    (cell / "repeat_3.jsonl").touch()
    for set_aside in ("repeat_x.jsonl", "repeat_2 (copy).jsonl", "repeat_02.jsonl", "repeat_1.jsonl"):
        (cell / set_aside).write_text("no answers")
    scores = score_cell(cell, gold, entry, FAST)
    alone = [
        score_file(predictions(tmp_path / "p.jsonl", given), gold, entry, tmp_path / "out", FAST) for given in answers
    ]
    assert scores.repeats == [one.value for one in alone]
    assert scores.as_published is not None
    assert scores.as_published.repeats == [one.as_published.value for one in alone if one.as_published]
    assert Scores.read(cell / "scores.json") == scores
    assert alone[0].repeats == []
    assert scores.value == alone[0].value and scores.interval == alone[0].interval


def test_a_repeat_that_lacks_a_sample_is_named(entry: DatasetEntry, gold: Path, tmp_path: Path) -> None:
    predictions(tmp_path / "predictions.jsonl", GOLDS)
    predictions(tmp_path / "repeat_2.jsonl", GOLDS[:4])
    with pytest.raises(DataError, match=r"repeat_2.jsonl: 2 of 6 samples have no answer there \(first: '4'\)"):
        score_cell(tmp_path, gold, entry, FAST)


def test_what_was_taken_as_independent_is_said(entry: DatasetEntry, gold: Path, tmp_path: Path) -> None:
    """Of prepared samples by what stands beside them; of a published file by its reader."""
    file = predictions(tmp_path / "p.jsonl", GOLDS)
    assert (score_file(file, gold, entry, tmp_path / "out", FAST).unit, read_scores(tmp_path).units) == (None, 3)
    assert "unit" not in json.loads((tmp_path / "out/scores.json").read_text())
    description = {"dataset": "r", "files": {}, "limit": None, "seed": 1, "samples": 6, "label_counts": {}, "shots": 0}
    (tmp_path / "dataset.json").write_text(json.dumps({**description, "unit": "document", "units": 3}))
    assert score_file(file, gold, entry, tmp_path / "out", FAST).unit == "document"
    rows = "".join(f"{1 + n // 4}.T1.T{n}\tsentence {n}\t{label}\n" for n, label in enumerate(GOLDS))
    (tmp_path / "test.tsv").write_text(f"index\tsentence\tlabel\n{rows}")
    score_file(file, tmp_path / "test.tsv", entry, tmp_path / "out", FAST)
    assert (read_scores(tmp_path).unit, read_scores(tmp_path).units) == ("document", 2)


def read_scores(folder: Path) -> Scores:
    return Scores.read(folder / "out/scores.json")


def test_questions_on_one_case_make_an_accuracy_less_certain(tmp_path: Path) -> None:
    entry = DatasetEntry.model_validate({
        "title": "Exam", "task": "question_answering", "reader": "records", "metric": "accuracy", "citation": "none",
        "licence": "none", "max_new_tokens": {"instruction": 5}, "files": {},
    })  # fmt: skip
    options = {"A": "one", "B": "two"}
    questions = [Sample(str(n), {"question": f"q {n}", "options": options}, "A", f"case {n // 10}") for n in range(200)]
    answers = [Outputs(str(n), ["A" if n // 10 % 2 else "B"]) for n in range(200)]
    alone = [Sample(one.sample_id, one.inputs, one.gold, one.sample_id) for one in questions]
    low, high = score_predictions(answers, questions, entry, FAST)[1].interval
    assert score_predictions(answers, alone, entry, FAST)[1].interval == wilson_interval(100, 200, 0.95)
    assert low < 0.3 and high > 0.7  # ten cases of twenty
