"""A dataset of the user's own: what docs/own-datasets.md says is enough, and mistakes are named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.own_datasets import follow_the_page

from quantbench import tasks
from quantbench.config import load, load_datasets
from quantbench.config.settings import read_yaml
from quantbench.contracts.records import Sample, read_records
from quantbench.datasets import local_sources, prepare, source_folder
from quantbench.datasets.readers.read_records import read
from quantbench.errors import ConfigError, DataError
from quantbench.prompts import read_template, render

# What a model that does as the prompt says would write for the first sample, and how many samples there are.
ANSWERS = {
    "ward_notes": ("fall; pain", 3),
    "ward_drugs": ("<span>Aspirin</span> 100 mg given, <span>heparin</span> stopped.", 2),
    "ward_causes": ("causes", 3),
    "ward_exam": ("A", 2),
}


@pytest.fixture(scope="module")
def root(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    shutil.copytree(repository / "config", folder / "config")
    follow_the_page(repository, folder)
    return folder


@pytest.mark.parametrize("name", ANSWERS)
def test_what_the_page_shows_is_all_it_takes(root: Path, tmp_path: Path, name: str) -> None:
    settings = read_yaml(root / "config/config.yaml") | {"datasets": [name], "studies": ["main"]}
    catalogue = load(root, settings, "test")
    sources = local_sources(root, {name: catalogue.datasets[name]}, None)
    assert f"config/datasets/{name}/test.jsonl" in sources[name][0]
    entry = catalogue.datasets[name]
    folder = source_folder(root, entry, name, None)
    described = prepare(entry, name, folder, None, 1, tmp_path)
    answer, count = ANSWERS[name]
    assert described.samples == count
    samples = read_records(tmp_path / "samples.jsonl", Sample)
    task = tasks.get(entry)
    assert [task.check_gold(sample) for sample in samples] == [None] * count
    template = read_template(root / f"config/datasets/{name}/instruction.txt")
    shots = [(shot, task.render(shot.gold, shot)) for shot in read_records(tmp_path / "shots.jsonl", Sample)]
    prompt = render(entry, template, samples[0], shots)
    assert next(iter(samples[0].inputs.values())) in prompt
    assert task.correct(task.parse(answer, samples[0]).value, samples[0].gold)
    assert task.render(samples[0].gold, samples[0]) == answer
    assert len(shots) == (3 if name == "ward_notes" else 0)


@pytest.mark.parametrize("name", ANSWERS)
def test_the_data_folder_of_a_run_may_hold_other_datasets(root: Path, repository: Path, name: str) -> None:
    local = repository / "tests/data/datasets"
    entry = load_datasets(root, local)[name]
    assert source_folder(root, entry, name, local) == root / "config/datasets" / name


GOOD: dict[str, dict[str, Any]] = {
    "ward_notes": {"sample_id": "1", "inputs": {"text": "Fell."}, "gold": ["fall"]},
    "ward_drugs": {
        "sample_id": "1",
        "inputs": {"text": "Took  aspirin."},
        "gold": [{"start": 6, "end": 13, "text": "aspirin"}],
    },
    "ward_causes": {"sample_id": "1", "inputs": {"sentence": "@DRUG$ and @SYMPTOM$."}, "gold": "none"},
    "ward_exam": {"sample_id": "1", "inputs": {"question": "Which?", "options": {"A": "a", "B": "b"}}, "gold": "B"},
}


def lines(path: Path, *values: Any) -> Path:
    path.write_text("".join(json.dumps(value) + "\n" for value in values))
    return path


def test_entities_count_characters_without_whitespace_like_every_reader(root: Path, tmp_path: Path) -> None:
    entry = load_datasets(root)["ward_drugs"]
    sample = read(lines(tmp_path / "test.jsonl", GOOD["ward_drugs"]), entry).samples[0]
    assert sample.gold == [{"start": 4, "end": 11, "text": "aspirin"}]
    answer = tasks.get(entry).parse("Took <span>aspirin</span>.", sample)
    assert tasks.get(entry).correct(answer.value, sample.gold)


def test_yes_no_maybe_by_labels(root: Path, tmp_path: Path) -> None:
    entry = load_datasets(root)["ward_exam"].model_copy(update={"labels": {"yes": "", "no": ""}})
    value = {"sample_id": "1", "inputs": {"question": "Is it?", "context": "It is."}, "gold": "yes"}
    sample = read(lines(tmp_path / "test.jsonl", value), entry).samples[0]
    assert tasks.get(entry).parse("Yes.", sample).value == "yes"
    with pytest.raises(DataError, match="'maybe' is outside the labels"):
        read(lines(tmp_path / "test.jsonl", value | {"gold": "maybe"}), entry)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("ward_notes", {"sample_id": 7}, "field 'sample_id': expected a text such as \"1\", found 7"),
        ("ward_notes", {"gold": ["fal"]}, "label 'fal' is outside the labels of dataset.yaml; did you mean 'fall'"),
        ("ward_notes", {"gold": "fall"}, "expected a list of labels"),
        ("ward_notes", {"gold": ["fall", "fall"]}, "repeated"),
        ("ward_notes", {"inputs": {"note": "Fell."}}, "field 'inputs.text': is missing"),
        ("ward_notes", {"inputs": {"text": " "}}, "field 'inputs.text': expected a text, found ' '"),
        (
            "ward_notes",
            {"inputs": {"text": "Fell.", "labels": "x"}},
            "field 'inputs.labels': means something else in a prompt",
        ),
        ("ward_notes", {"inputs": "Fell."}, "field 'inputs': expected an object"),
        ("ward_notes", {"golds": []}, "field 'golds': unknown; did you mean 'gold'"),
        ("ward_notes", {"group": 3}, "field 'group': expected the name of a document"),
        ("ward_drugs", {"gold": [{"start": 5, "end": 12, "text": "aspirin"}]}, "does not name its place.*' aspiri'"),
        ("ward_drugs", {"gold": [{"start": 6, "end": 99, "text": "aspirin"}]}, "does not name its place"),
        ("ward_drugs", {"gold": ["aspirin"]}, "expected .*found 'aspirin'"),
        ("ward_drugs", {"gold": [{"start": 5, "end": 13, "text": " aspirin"}]}, "begins or ends with a blank"),
        (
            "ward_drugs",
            {"gold": [{"start": 6, "end": 13, "text": "aspirin"}, {"start": 10, "end": 13, "text": "rin"}]},
            "'aspirin' and 'rin' overlap",
        ),
        ("ward_causes", {"gold": "cause"}, "did you mean 'causes'"),
        ("ward_causes", {"gold": None}, "label None is outside"),
        ("ward_exam", {"gold": "C"}, "label 'C' is outside"),
        ("ward_exam", {"inputs": {"question": "Which?", "options": {"A": "a", "C": "c"}}}, "in order, two or more"),
        ("ward_exam", {"inputs": {"question": "Which?"}}, "field 'inputs.options': is missing"),
    ],
)
def test_a_mistake_is_named_with_file_line_field_and_value(
    root: Path, tmp_path: Path, name: str, change: dict[str, Any], message: str
) -> None:
    entry = load_datasets(root)[name]
    good = GOOD[name]
    path = lines(tmp_path / "test.jsonl", good, good | {"sample_id": "2"} | change)
    with pytest.raises(DataError, match=f"test.jsonl, line 2, .*{message}"):
        read(path, entry)


def test_repeated_ids_and_an_empty_file_are_refused(root: Path, tmp_path: Path) -> None:
    entry = load_datasets(root)["ward_notes"]
    with pytest.raises(DataError, match="line 2: sample_id '1' is that of line 1"):
        read(lines(tmp_path / "test.jsonl", GOOD["ward_notes"], GOOD["ward_notes"]), entry)
    with pytest.raises(DataError, match="holds no samples"):
        read(lines(tmp_path / "test.jsonl"), entry)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("metric: accuracy", "metric: accuracy\nlabels: {A: first}", "some of yes, no, maybe"),
        (
            "reader: records",
            "reader: multiple_choice\nhub: {id: a/b, revision: c, splits: {test: t}, columns: {gold: g}}",
            "reader: records",
        ),
        (
            "metric: accuracy",
            "metric: accuracy\nhub: {id: a/b, revision: c, splits: {train: t}, columns: {gold: g}}",
            "needs 'test'",
        ),
        (
            "metric: accuracy",
            "metric: accuracy\nhub: {id: a/b, revision: c, splits: {test: t}, columns: {text: g}}",
            "needs 'gold'",
        ),
    ],
)
def test_an_impossible_entry_is_refused(root: Path, tmp_path: Path, old: str, new: str, message: str) -> None:
    shutil.copytree(root / "config/datasets/ward_exam", tmp_path / "config/datasets/ward_exam")
    path = tmp_path / "config/datasets/ward_exam/dataset.yaml"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ConfigError, match=message):
        tasks.get(load_datasets(tmp_path)["ward_exam"])


def test_entries_without_labels_are_refused(root: Path) -> None:
    entry = load_datasets(root)["ward_notes"].model_copy(update={"labels": {}})
    with pytest.raises(ConfigError, match=r"Ward notes: key 'labels' .*multi_label_classification needs labels"):
        tasks.get(entry)


@pytest.mark.parametrize(("groups", "unit"), [((None, None), "text"), (("note 1", None), "document")])
def test_documents_are_known_where_a_line_names_one(
    root: Path, tmp_path: Path, groups: tuple[str | None, ...], unit: str
) -> None:
    entry = load_datasets(root)["ward_notes"]
    values = [
        {**GOOD["ward_notes"], "sample_id": str(number)} | ({"group": group} if group else {})
        for number, group in enumerate(groups)
    ]
    split = read(lines(tmp_path / "test.jsonl", *values), entry)
    assert split.unit(entry) == unit
    assert len({sample.group for sample in split.samples}) == 2
