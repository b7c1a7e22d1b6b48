"""What the names in a run's tables mean to those who read them: entries in display order, and which names stand out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

from .entries import DatasetEntry, PrecisionEntry, Prompting
from .model_entry import ModelEntry

# The precision that every other one is compared with.
REFERENCE = "full"
PROMPTINGS: dict[Prompting, str] = {
    "instruction": "instruction",
    "cot": "chain of thought",
    "self_consistency": "self-consistency",
}
Kind = Literal["model", "precision", "dataset"]
Entry = TypeVar("Entry")


class Prompted(Protocol):
    """A cell, or a row of a table about one."""

    @property
    def prompting(self) -> Prompting: ...  # noqa: D102

    @property
    def shots(self) -> int: ...  # noqa: D102


def is_zero_shot(cell: Prompted) -> bool:
    """Whether this is a cell as the paper's Table 1 has them: an instruction prompt without worked examples."""
    return cell.prompting == "instruction" and cell.shots == 0


def reasons_first(prompting: Prompting) -> bool:
    """Whether a prompt asks for a chain of thought, so that the answer comes last."""
    return prompting != "instruction"


def task_title(task: str) -> str:
    """A task's name for people."""
    return task.replace("_", " ").replace("multi label", "multi-label")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The entries behind the names, in the order in which people see them: the run's own order, then the rest."""

    models: Mapping[str, ModelEntry]
    precisions: Mapping[str, PrecisionEntry]
    datasets: Mapping[str, DatasetEntry]
    reference: str = REFERENCE

    @property
    def noise_floors(self) -> dict[str, str]:
        """Each precision that only repeats another under a further batch plan -> the precision it repeats."""
        return {name: entry.noise_floor_of for name, entry in self.precisions.items() if entry.noise_floor_of}

    def entries(self, kind: Kind) -> Mapping[str, ModelEntry | PrecisionEntry | DatasetEntry]:
        """All entries of one kind by name."""
        kinds: dict[Kind, Mapping[str, ModelEntry | PrecisionEntry | DatasetEntry]] = {
            "model": self.models,
            "precision": self.precisions,
            "dataset": self.datasets,
        }
        return kinds[kind]

    def title(self, kind: Kind, name: str) -> str:
        """How a model, precision or dataset is called in figures and in tables for people."""
        return self.entries(kind)[name].title

    def has_demonstrations(self, models: Iterable[str]) -> bool:
        """Whether one of these is an embedded tiny model, about which results say nothing real."""
        return any(self.models[name].demonstration for name in models)


def in_display_order(entries: Mapping[str, Entry], chosen: list[str] | str) -> dict[str, Entry]:
    """The entries, those that the run lists first, in its order."""
    names = dict.fromkeys([*(chosen if isinstance(chosen, list) else []), *entries])
    return {name: entries[name] for name in names}
