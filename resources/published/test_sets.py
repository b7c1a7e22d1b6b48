"""The published test sets as the scripts here read them, and how many gold answers they hold."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "workflow"))

from quantbench import tasks  # noqa: E402
from quantbench.config import DatasetEntry, load_datasets  # noqa: E402
from quantbench.contracts.csv_rows import Row  # noqa: E402
from quantbench.contracts.records import Answer, Sample  # noqa: E402
from quantbench.datasets import read_split  # noqa: E402
from quantbench.errors import ConfigError, DataError  # noqa: E402
from quantbench.tasks import PublishedConvention, Task  # noqa: E402

# In the order of the paper's Table 1.
DATASETS = ("hoc", "litcovid", "bc5cdr_chemical", "ncbi_disease", "chemprot", "ddi2013", "medqa", "pubmedqa")


@dataclass(frozen=True)
class TestSet:
    """One published test set, with our reading of answers and the authors'."""

    name: str
    file: str
    entry: DatasetEntry
    task: Task
    convention: PublishedConvention
    samples: list[Sample]

    @property
    def golds(self) -> list[Answer]:
        """The gold answers, in the order of the file."""
        return [sample.gold for sample in self.samples]

    @property
    def written(self) -> list[str]:
        """The gold answers as a worked example would show them."""
        return [self.task.render(sample.gold, sample) for sample in self.samples]


class GoldCounts(Row):
    """What one test set asks for, as the authors' convention sees it."""

    dataset: str
    file: str
    samples: int
    gold_answers: int  # labels, mentions or classes, as often as they stand in the file
    strings_counted: int  # of them, each once a sample
    distinct_strings: int


def read_sets(folder: Path) -> Iterator[TestSet]:
    """Read all eight, one after another.

    Args:
        folder: one sub-folder a dataset, with the published ``test*.tsv``.

    Raises:
        DataError: a file is missing or malformed.
        ConfigError: a dataset has no published convention.
    """
    entries = load_datasets(ROOT)
    for name in DATASETS:
        path = next(iter(sorted((folder / name).glob("test*.tsv"))), None)
        if path is None:
            raise DataError(f"{folder / name}: no test*.tsv there; name the folder that holds the published test sets")
        entry = entries[name]
        convention = tasks.published_convention(entry)
        if convention is None:
            raise ConfigError(f"dataset {name}: key 'task': {entry.task!r} has no published convention")
        yield TestSet(name, path.name, entry, tasks.get(entry), convention, read_split(path, entry, None))


def gold_counts(test: TestSet) -> GoldCounts:
    """Count the gold answers of a test set; classes count as strings of their own, although characters are scored."""
    stated = [gold if isinstance(gold, list) else [gold] for gold in test.golds]
    strings = [[one["text"] if isinstance(one, dict) else str(one) for one in gold] for gold in stated]
    return GoldCounts(
        dataset=test.name,
        file=test.file,
        samples=len(test.samples),
        gold_answers=sum(map(len, strings)),
        strings_counted=sum(len(set(gold)) for gold in strings),
        distinct_strings=len({one for gold in strings for one in gold}),
    )
