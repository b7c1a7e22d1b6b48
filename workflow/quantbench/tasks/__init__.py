"""Tasks: reading answers and judging them. Start at :func:`get`. Needs numpy and rapidfuzz, no torch."""

from __future__ import annotations

from ..config import DatasetEntry
from .metrics import f1_from_counts, metric_value
from .multi_label import MultiLabelClassification
from .named_entities import NamedEntityRecognition
from .question_answering import QuestionAnswering
from .relations import RelationExtraction
from .task import Answer, Task

TASKS: dict[str, type[MultiLabelClassification | NamedEntityRecognition | RelationExtraction | QuestionAnswering]] = {
    "multi_label_classification": MultiLabelClassification,
    "named_entity_recognition": NamedEntityRecognition,
    "relation_extraction": RelationExtraction,
    "question_answering": QuestionAnswering,
}

__all__ = ["Answer", "Task", "f1_from_counts", "get", "metric_value"]


def get(entry: DatasetEntry) -> Task:
    """Return the task of a dataset, bound to its labels and reader."""
    return TASKS[entry.task](entry)
