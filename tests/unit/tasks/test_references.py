"""Agreement with scikit-learn and seqeval, on invented answers and on the published test files, and the published anchors."""

from __future__ import annotations

import random
import warnings
from pathlib import Path
from typing import Any

import inventories
import pytest
from seqeval.metrics import f1_score as sequence_f1
from seqeval.scheme import IOB2
from sklearn.metrics import accuracy_score, f1_score

from quantbench import tasks
from quantbench.config import load_datasets
from quantbench.contracts.records import Sample
from quantbench.datasets import read_split

FILES = {
    "hoc": "test.tsv",
    "litcovid": "test.tsv",
    "bc5cdr_chemical": "test.tsv",
    "ncbi_disease": "test.tsv",
    "chemprot": "test.reconstructed.tsv",
    "ddi2013": "test.tsv",
    "medqa": "test.tsv",
    "pubmedqa": "test.tsv",
}


def published(name: str, repository: Path, real_data: Path) -> tuple[tasks.Task, list[Sample]]:
    entry = load_datasets(repository)[name]
    return tasks.get(entry), read_split(real_data / name / FILES[name], entry, None)


def disturbed(task: tasks.Task, samples: list[Sample], seed: int) -> list[Any]:
    """Return answers of which about a third are wrong: another sample's gold, or none."""
    generator = random.Random(seed)
    answers = []
    for sample in samples:
        other = generator.choice(samples)
        wrong = task.empty if generator.random() < 0.3 else other.gold
        answers.append(sample.gold if generator.random() < 0.67 else wrong)
    if task.labels[0] in ("chemical", "disease"):
        lengths = [len("".join(sample.inputs["text"].split())) for sample in samples]
        answers = [[e for e in answer if e["end"] <= length] for answer, length in zip(answers, lengths, strict=True)]
    return answers


def reference(task: tasks.Task, answers: list[Any], samples: list[Sample]) -> float:
    """Score with scikit-learn or seqeval."""
    golds, labels = [sample.gold for sample in samples], list(task.labels)
    kind = task.entry.task
    if kind == "question_answering":
        return float(accuracy_score(golds, [str(answer) for answer in answers]))
    if kind == "relation_extraction":
        told = [answer or "no answer" for answer in answers]
        return float(f1_score(golds, told, labels=labels, average="macro", zero_division=0))
    if kind == "multi_label_classification":
        rows = [[[int(label in value) for label in labels] for value in values] for values in (golds, answers)]
        return float(f1_score(rows[0], rows[1], average="macro", zero_division=0))
    lengths = [len("".join(sample.inputs["text"].split())) for sample in samples]
    tags = [[character_tags(value, n) for value, n in zip(values, lengths, strict=True)] for values in (golds, answers)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(sequence_f1(tags[0], tags[1], mode="strict", scheme=IOB2))


def character_tags(entities: list[dict[str, Any]], length: int) -> list[str]:
    """Return one BIO tag for each character of a sentence without whitespace."""
    tags = ["O"] * length
    for entity in entities:
        tags[entity["start"] : entity["end"]] = ["B-X"] + ["I-X"] * (entity["end"] - entity["start"] - 1)
    return tags


def score(task: tasks.Task, answers: list[Any], samples: list[Sample]) -> float:
    return task.metric.value(task.counts(answers, [sample.gold for sample in samples]).sum(axis=0))


@pytest.mark.parametrize("name", FILES)
def test_real_files_agree_with_the_reference_and_gold_scores_one(name: str, repository: Path, real_data: Path) -> None:
    task, samples = published(name, repository, real_data)
    assert all(task.check_gold(sample) is None for sample in samples)
    answers = disturbed(task, samples, seed=7)
    assert score(task, answers, samples) == pytest.approx(reference(task, answers, samples), abs=1e-9)
    rendered = [task.parse(task.render(sample.gold, sample), sample) for sample in samples]
    assert all(answer.ok for answer in rendered)
    assert score(task, [answer.value for answer in rendered], samples) == 1.0
    strict = [task.parse_strict(task.render(sample.gold, sample), sample) for sample in samples]
    assert score(task, [answer.value for answer in strict], samples) == 1.0


@pytest.mark.parametrize(
    ("name", "output", "anchor"),
    [("ddi2013", "DDI-false", 0.181), ("hoc", None, 0.256), ("litcovid", None, 0.317)],
)
def test_published_anchors(name: str, output: str | None, anchor: float, repository: Path, real_data: Path) -> None:
    task, samples = published(name, repository, real_data)
    raw = output or "; ".join(task.labels)
    value = score(task, [task.parse(raw, sample).value for sample in samples], samples)
    assert round(value, 3) == anchor


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", ["multi", "relation", "letter", "entity"])
def test_invented_answers_agree_with_the_reference(kind: str, seed: int) -> None:
    generator = random.Random(seed)
    samples: list[Sample] = []
    for number in range(200):
        if kind == "multi":
            gold: Any = [label for label in inventories.LITCOVID if generator.random() < 0.2]
        elif kind == "relation":
            gold = generator.choice(["CPR:3", "CPR:4", "false", "false", "false"])  # three classes never occur
        elif kind == "letter":
            gold = generator.choice("ABCDE")
        else:
            starts = sorted(generator.sample(range(0, 30, 3), generator.choice([0, 0, 1, 2, 3])))
            gold = [{"start": start, "end": start + generator.choice([1, 2, 3]), "text": ""} for start in starts]
        samples.append(Sample(str(number), {"text": "x" * 33, "options": inventories.OPTIONS}, gold, str(number)))
    entry = {
        "multi": inventories.multi_label(inventories.LITCOVID),
        "relation": inventories.relations(inventories.CHEMPROT, "false"),
        "letter": inventories.lettered(),
        "entity": inventories.entities("chemical"),
    }[kind]
    task = tasks.get(entry)
    answers = disturbed(task, samples, seed)
    assert 0 < score(task, answers, samples) < 1
    assert score(task, answers, samples) == pytest.approx(reference(task, answers, samples), abs=1e-9)


def test_no_entities_at_all_scores_zero() -> None:
    task = tasks.get(inventories.entities("disease"))
    assert task.metric.value(task.counts([[], []], [[], []]).sum(axis=0)) == 0.0
