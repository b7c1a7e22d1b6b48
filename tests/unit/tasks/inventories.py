"""Small datasets' entries with the published label inventories, for the tests of parsers."""

from __future__ import annotations

from typing import Any

from quantbench.config import DatasetEntry
from quantbench.contracts.records import Sample

HOC = (
    "sustaining proliferative signaling", "evading growth suppressors", "resisting cell death", "enabling replicative immortality",
    "inducing angiogenesis", "activating invasion and metastasis", "genomic instability and mutation", "tumor promoting inflammation",
    "cellular energetics", "avoiding immune destruction",
)  # fmt: skip
LITCOVID = ("Treatment", "Diagnosis", "Prevention", "Mechanism", "Transmission", "Epidemic Forecasting", "Case Report")
CHEMPROT = {
    "CPR:3": "the chemical upregulates or activates the gene",
    "CPR:4": "the chemical downregulates or inhibits the gene",
    "CPR:5": "the chemical is an agonist",
    "CPR:6": "the chemical is an antagonist",
    "CPR:9": "the chemical is a substrate or product",
    "false": "none of these relations",
}
DDI = ("DDI-effect", "DDI-mechanism", "DDI-advise", "DDI-int", "DDI-false")
OPTIONS = {
    "A": "Disclose the error to the patient",
    "B": "Aspirin",
    "C": "Warfarin",
    "D": "Low-dose aspirin",
    "E": "Vitamin C",
}


def entry(task: str, reader: str, metric: str, labels: Any = (), **more: Any) -> DatasetEntry:
    described = dict(labels) if isinstance(labels, dict) else dict.fromkeys(labels, "")
    return DatasetEntry.model_validate({
        "title": "test", "task": task, "reader": reader, "metric": metric, "labels": described, "citation": "none", "licence": "none",
        "max_new_tokens": {"instruction": 50}, "files": {}, **more,
    })  # fmt: skip


def multi_label(labels: Any) -> DatasetEntry:
    return entry("multi_label_classification", "labelled_text", "macro_f1", labels)


def relations(labels: Any, negative: str) -> DatasetEntry:
    return entry("relation_extraction", "entity_pairs", "macro_f1", labels, negative_label=negative)


def entities(kind: str) -> DatasetEntry:
    return entry("named_entity_recognition", "token_tags", "entity_f1", entity_type=kind)


def lettered() -> DatasetEntry:
    return entry("question_answering", "multiple_choice", "accuracy")


def yes_no_maybe() -> DatasetEntry:
    return entry("question_answering", "yes_no_maybe", "accuracy")


def sample(gold: Any = None, **inputs: Any) -> Sample:
    return Sample("0", inputs, gold, "document")
