"""What the samples of one task hold: which inputs, which gold answer, and what they count as. Nothing here reads outputs.

Apart from how answers are read (:mod:`quantbench.tasks.task`), so that a change there prepares no dataset anew.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import ClassVar, Generic, TypeVar

from pydantic import JsonValue

from ..config import DatasetEntry
from ..contracts.records import Answer, Unit
from ..errors import ConfigError, nearest, shorten

Value = TypeVar("Value")
Inputs = Mapping[str, str | dict[str, str]]


class SamplesOf(ABC, Generic[Value]):
    """The samples of one task in one dataset, whose gold answers are of one kind.

    Attributes:
        inputs: what a record's ``inputs`` must have; the first tells samples apart.
        needs_labels: whether the dataset's entry must list labels.
        echoes_input: whether answers repeat the input, so that they are withheld where it is.
        seldom: a stratum that worked examples show once in five only.
        unit: what a sample is called where nothing says which document it is from.
    """

    inputs: tuple[str, ...]
    needs_labels: ClassVar[bool] = False
    echoes_input: ClassVar[bool] = False
    seldom: ClassVar[str | None] = None
    unit: ClassVar[Unit] = "sample"

    def __init__(self, entry: DatasetEntry) -> None:
        self.labels = list(entry.labels)
        problem = f"{entry.task} needs labels" if self.needs_labels and not self.labels else self.label_problem(entry)
        if problem:
            raise ConfigError(f"dataset {entry.title}: key 'labels' of its dataset.yaml: {problem}")

    def label_problem(self, entry: DatasetEntry) -> str | None:
        """Return what is wrong with an entry's labels for this task, or None."""
        return None

    @abstractmethod
    def read_gold(self, stated: JsonValue, inputs: Inputs) -> Value:
        """Take the gold answer of a user's own record.

        Args:
            stated: its ``gold``.
            inputs: its ``inputs``, checked.

        Raises:
            ValueError: what is wrong with it; the caller says where it stands.
        """

    def strata(self, gold: Value) -> list[str]:
        """Return what a sample of this gold answer counts as when parts of a dataset are drawn: here, the answer."""
        return [str(gold)]


# Samples of a task that is not known where they are used.
Samples = SamplesOf[Answer]


def known_label(label: JsonValue, inventory: Iterable[str]) -> str:
    """Return a label that the inventory has; a ValueError names the nearest one."""
    known = list(inventory)
    if not isinstance(label, str) or label not in known:
        raise ValueError(f"label {shorten(label)} is outside the labels of dataset.yaml{nearest(str(label), known)}")
    return label
