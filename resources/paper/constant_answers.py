"""What the best constant answer scores on each published test set: writes constant_answers.csv to standard output.

    python resources/paper/constant_answers.py <folder with <dataset>/test*.tsv> > resources/paper/constant_answers.csv

Of all answers that can be given to every sample unread, the one that scores most under the convention by which the published
values were probably scored (docs/protocol.md#scores-as-published): all labels; all distinct mentions, each tagged in every
sentence; one class; one option. Beside it, what the best constant answer scores under our metric. Of ChemProt the published test
file could not be had: a reconstruction stands for it, whose name says so.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "workflow"))

from quantbench import tasks  # noqa: E402
from quantbench.config import DatasetEntry, load_datasets  # noqa: E402
from quantbench.contracts.records import Answer  # noqa: E402
from quantbench.datasets import read_split  # noqa: E402
from quantbench.reproduce.constant_answers import ConstantAnswer  # noqa: E402
from quantbench.tables.paper_rows import TestSetSize  # noqa: E402


def candidates(entry: DatasetEntry, golds: Sequence[Answer]) -> Iterator[tuple[str, str]]:
    """The constant answers worth trying: in words, and as a model would write them."""
    if entry.task == "multi_label_classification":
        labels = sorted({label for gold in golds for label in gold})
        yield f"all {len(labels)} labels", "; ".join(labels)
    elif entry.task == "named_entity_recognition":
        mentions = sorted({mention["text"] for gold in golds for mention in gold})
        marked = "".join(f"<span>{mention}</span>" for mention in mentions)
        yield f"all {len(mentions):,} distinct mentions", marked
    else:
        yield from ((answer, answer) for answer in sorted({str(gold) for gold in golds}))


def constant_answer(name: str, entry: DatasetEntry, path: Path) -> ConstantAnswer:
    """The best constant answer of one test file."""
    golds = [sample.gold for sample in read_split(path, entry, None)]
    convention, task = tasks.published_convention(entry), tasks.get(entry)
    assert convention is not None, f"{name}: the paper has no such task"
    value, words = max(
        (convention.value([text] * len(golds), golds), words) for words, text in candidates(entry, golds)
    )
    return ConstantAnswer(
        dataset=name,
        published_metric=convention.metric.name,
        constant_answer=words,
        published_value=value,
        own_metric=entry.metric,
        own_value=task.constant_score(golds),
        items=len(golds),
        source=path.name,
    )


def main(folder: Path) -> None:
    """Write one line a dataset of the paper's Table 2."""
    entries = load_datasets(ROOT)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(ConstantAnswer.model_fields)
    for row in TestSetSize.read(ROOT / "resources/paper/table2.csv"):
        path = next(iter(sorted((folder / row.dataset).glob("test*.tsv"))))
        found = constant_answer(row.dataset, entries[row.dataset], path)
        writer.writerow(f"{value:.6f}" if isinstance(value, float) else value for value in found.values())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
