"""Tasks: reading answers and judging them. Start at :func:`get`. Needs numpy and rapidfuzz, no torch."""

from .kinds import get, samples_of
from .metrics import Metric, f1_from_counts, metric
from .samples import Samples
from .task import Answer, Task

__all__ = ["Answer", "Metric", "Samples", "Task", "f1_from_counts", "get", "metric", "samples_of"]
