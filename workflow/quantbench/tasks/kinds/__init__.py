"""The tasks, one module each, named as a dataset's ``task`` names it: a module put here is a task.

Each has two classes: ``Samples``, what a dataset of it holds (:class:`quantbench.tasks.samples.SamplesOf`), and ``Task``,
how answers are read and judged (:class:`quantbench.tasks.task.TaskOf`).
"""

from __future__ import annotations

from importlib import import_module
from typing import cast

from ...config import DatasetEntry
from ..samples import Samples
from ..task import Task


def get(entry: DatasetEntry) -> Task:
    """Return the task of a dataset, bound to its labels, reader and metric.

    Raises:
        ConfigError: the dataset names a metric that does not exist, or has labels that its task cannot have.
    """
    samples_of(entry)
    return cast(Task, import_module(f"{__name__}.{entry.task}").Task(entry))


def samples_of(entry: DatasetEntry) -> Samples:
    """Return what the samples of a dataset hold.

    Raises:
        ConfigError: the dataset has labels that its task cannot have.
    """
    return cast(Samples, import_module(f"{__name__}.{entry.task}").Samples(entry))
