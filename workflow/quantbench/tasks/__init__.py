"""Tasks: reading answers and judging them. Start at :func:`get`. Needs numpy and rapidfuzz, no torch."""

from __future__ import annotations

from typing import cast

from ..config import DatasetEntry
from .kinds.multi_label_classification import MultiLabelClassification
from .kinds.named_entity_recognition import NamedEntityRecognition
from .kinds.question_answering import QuestionAnswering
from .kinds.relation_extraction import RelationExtraction
from .metrics import Metric, f1_from_counts, metric
from .task import Answer, Task

TASKS: dict[str, type[MultiLabelClassification | NamedEntityRecognition | RelationExtraction | QuestionAnswering]] = {
    "multi_label_classification": MultiLabelClassification,
    "named_entity_recognition": NamedEntityRecognition,
    "relation_extraction": RelationExtraction,
    "question_answering": QuestionAnswering,
}

__all__ = ["Answer", "Metric", "Task", "f1_from_counts", "get", "metric"]


def get(entry: DatasetEntry) -> Task:
    """Return the task of a dataset, bound to its labels, reader and metric.

    Raises:
        ConfigError: the dataset names a metric that does not exist.
    """
    return cast(Task, TASKS[entry.task](entry))
