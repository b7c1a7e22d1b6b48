"""Tasks: reading answers and judging them. Start at :func:`get`. Needs numpy and rapidfuzz, no torch."""

from .kinds import get, samples_of
from .metrics import Metric, f1_from_counts, metric, published_metric
from .published_conventions import PublishedConvention, published_answer, published_convention
from .samples import Samples
from .task import Answer, Task

__all__ = [
    "Answer",
    "Metric",
    "PublishedConvention",
    "Samples",
    "Task",
    "f1_from_counts",
    "get",
    "metric",
    "published_answer",
    "published_convention",
    "published_metric",
    "samples_of",
]
