"""A task is one module, found by its name; nothing else lists it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import inventories
import pytest

from quantbench import tasks
from quantbench.config import DatasetEntry, load_datasets
from quantbench.contracts.files import read_json
from quantbench.contracts.records import Sample, read_records
from quantbench.errors import ConfigError

PLANTED = '''"""The plural of a word."""

import numpy as np

from ..samples import SamplesOf
from ..task import Answer, TaskOf


class Samples(SamplesOf):
    inputs = ("singular",)

    def read_gold(self, stated, inputs):
        if not isinstance(stated, str):
            raise ValueError(f"expected a word, found {stated!r}")
        return stated

    def strata(self, gold):
        return [gold[-1]]


class Task(TaskOf):
    empty = None

    def __init__(self, entry):
        super().__init__(entry, ["correct"])

    def read(self, raw, sample, origin):
        return Answer(raw.strip().lower(), True) if raw.strip() else self.no_answer()

    def read_strict(self, raw, sample):
        return Answer(raw, True)

    def render(self, gold, sample):
        return gold

    def counts(self, answers, golds):
        right = np.array([a == g for a, g in zip(answers, golds, strict=True)], dtype=np.int64)
        return np.stack([right, 0 * right, 1 - right], axis=-1).reshape(-1, 1, 3)

    def check_gold(self, sample):
        return None if sample.gold else "gold is no word"
'''
ENTRY = """
title: Plurals
task: plural_of_words
reader: records
metric: accuracy
citation: internal
licence: none
max_new_tokens: {instruction: 10, cot: 10, self_consistency: 10}
files: {test: [{name: test.jsonl}]}
"""
PREPARE = """
import sys
from pathlib import Path
from quantbench.config import load_datasets
from quantbench.datasets import prepare

root = Path(sys.argv[1])
prepare(load_datasets(root)["plurals"], "plurals", root / "config/datasets/plurals", None, 1, root / "prepared")
"""
WORDS = {"foot": "feet", "cat": "cats", "ox": "oxen"}


@pytest.mark.parametrize(
    "entry",
    [
        inventories.multi_label(inventories.HOC),
        inventories.relations(inventories.DDI, "DDI-false"),
        inventories.entities("chemical"),
        inventories.lettered(),
    ],
    ids=lambda entry: str(entry.task),
)
def test_every_task_of_the_configuration_is_a_module(entry: DatasetEntry) -> None:
    assert len(DatasetEntry.model_json_schema()["properties"]["task"]["enum"]) == 4
    for found in (tasks.get(entry), tasks.samples_of(entry)):
        assert type(found).__module__ == f"quantbench.tasks.kinds.{entry.task}"


def test_an_unknown_task_is_refused_with_the_nearest(repository: Path, tmp_path: Path) -> None:
    shutil.copytree(repository / "config/datasets/hoc", tmp_path / "config/datasets/hoc")
    path = tmp_path / "config/datasets/hoc/dataset.yaml"
    path.write_text(path.read_text().replace("task: multi_label_class", "task: multilabel_class"))
    with pytest.raises(ConfigError) as error:
        load_datasets(tmp_path)
    assert str(error.value).endswith(
        "hoc/dataset.yaml: key 'task' has the value 'multilabel_classification'; did you mean 'multi_label_classification'?"
    )


def test_to_add_a_task_is_to_add_its_module(repository: Path, tmp_path: Path) -> None:
    package = tmp_path / "quantbench"
    shutil.copytree(repository / "workflow/quantbench", package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "tasks/kinds/plural_of_words.py").write_text(PLANTED)
    folder = tmp_path / "config/datasets/plurals"
    folder.mkdir(parents=True)
    (folder / "dataset.yaml").write_text(ENTRY)
    records = [{"sample_id": word, "inputs": {"singular": word}, "gold": gold} for word, gold in WORDS.items()]
    outputs = [{"sample_id": word, "outputs": [f"{word}s"]} for word in WORDS]
    for path, lines in ((folder / "test.jsonl", records), (tmp_path / "outputs.jsonl", outputs)):
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "QUANTBENCH_CATALOGUE": str(repository)}

    def run(*words: str) -> None:
        command = [sys.executable, *words]
        result = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr

    run("-c", PREPARE, str(tmp_path))
    assert [sample.gold for sample in read_records(tmp_path / "prepared/samples.jsonl", Sample)] == [*WORDS.values()]
    assert read_json(tmp_path / "prepared/dataset.json")["label_counts"] == {"n": 1, "s": 1, "t": 1}
    gold = "prepared/samples.jsonl"
    words = ["--dataset", "plurals", "--gold", gold, "--predictions", "outputs.jsonl", "--out", "out"]
    run("-m", "quantbench", "score", *words)
    assert read_json(tmp_path / "out/scores.json")["value"] == pytest.approx(1 / 3)
    # The paper has no such task.
    assert read_json(tmp_path / "out/scores.json")["as_published"] is None


def test_options_are_every_answer_as_it_is_written(repository: Path) -> None:
    """Letters, yes/no/maybe and classes; an answer that is a list has none."""
    lists = {"multi_label_classification", "named_entity_recognition"}
    entries = load_datasets(repository)
    assert {entry.task for entry in entries.values()} > lists
    for name, entry in entries.items():
        task = tasks.get(entry)
        sample = Sample(
            "0", {"question": "?", "options": {"A": "one", "B": "two", "D": "four"}, "sentence": "x"}, "A", "g"
        )
        options = task.options(sample)
        assert (options == ()) == (entry.task in lists), name
        for option in options:
            assert task.parse_strict(option, sample).value == option
            assert task.render(option, sample) == option
        expected = {"medqa": ("A", "B", "D"), "pubmedqa": ("yes", "no", "maybe"), "ddi2013": tuple(entry.labels)}
        assert options == expected.get(name, options)
