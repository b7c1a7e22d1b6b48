"""``quantbench plan --power``: what losses the configured run can tell from none, dataset by dataset."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .. import tasks
from ..config import Catalogue, DatasetEntry
from ..contracts.prepared_dataset import PreparedDataset
from ..contracts.records import Sample, read_records
from ..statistics import Power, SampleSize, foresee
from .printing import write_records, write_text

# Shares of changed answers: about what LLM.int8, 4-bit weights and coarse quantization of small models change.
CHANGED = (0.02, 0.1, 0.25)
_COLUMNS = {
    "dataset": None,
    "metric": None,
    "samples": None,
    "units": None,
    "margin": None,
    "changed": None,
    "smallest_loss": 4,
    "preserved_probability": 3,
    "samples_needed": None,
    "counted_from": None,
}


@dataclass(frozen=True, slots=True)
class _Planned:
    """A dataset of the run: how large it is, and where that is known from."""

    name: str
    size: SampleSize
    margin: float
    source: str

    def powers(self, confidence: float) -> list[Power]:
        """For each share of changed answers."""
        return [foresee(self.size, changed, self.margin, confidence) for changed in CHANGED]


def show_power(catalogue: Catalogue, form: str) -> None:
    """Print what each dataset of the run can decide, at the run's limit of samples.

    Args:
        catalogue: the configuration.
        form: ``text``, ``csv`` or ``json``.

    Raises:
        DataError: prepared samples are malformed.
    """
    run = catalogue.run
    planned = [
        _planned(catalogue, name, entry)
        for name, entry in catalogue.datasets.items()
        if run.datasets == "all" or name in run.datasets
    ]
    confidence = run.comparison.confidence
    if form == "text":
        _write_text(planned, confidence)
        return
    rows = [
        (
            *(one.name, one.size.metric, one.size.samples, one.size.units, one.margin),
            *(found.changed, found.smallest, found.preserved, found.samples_needed, one.source),
        )
        for one in planned
        for found in one.powers(confidence)
    ]
    write_records(form, _COLUMNS, rows)


def _planned(catalogue: Catalogue, name: str, entry: DatasetEntry) -> _Planned:
    run = catalogue.run
    margin = run.comparison.margin_of(entry)
    folder = Path(run.results_folder) / run.run / "datasets" / name
    if (folder / "dataset.json").exists() and _serves(PreparedDataset.read(folder / "dataset.json"), run.limit):
        counted = _counted(entry, read_records(folder / "samples.jsonl", Sample))
        return _Planned(name, counted.limited(run.limit), margin, "prepared samples")
    size, source = _stated(entry)
    return _Planned(name, size.limited(run.limit), margin, source)


def _serves(prepared: PreparedDataset, limit: int | None) -> bool:
    """Whether prepared samples tell what this limit leaves: they are as many or more, or all that there are."""
    if prepared.limit is None or prepared.samples < prepared.limit:
        return True
    return limit is not None and limit <= prepared.samples


def _counted(entry: DatasetEntry, samples: list[Sample]) -> SampleSize:
    """What prepared samples hold."""
    golds = [sample.gold for sample in samples]
    support = tasks.get(entry).counts(golds, golds)[..., 0].sum(axis=0).tolist()
    return SampleSize(len(samples), len({sample.group for sample in samples}), tuple(support), entry.metric)


def _stated(entry: DatasetEntry) -> tuple[SampleSize, str]:
    """What the entry states of the whole test set, and where that is from."""
    rows = next((file.rows for file in entry.files.get("test", []) if file.rows), None)
    facts = entry.test_set
    if rows is None:
        return SampleSize(0, 0, (), entry.metric), "unknown until it is prepared"
    if facts is not None:
        return SampleSize(rows, facts.units, tuple(facts.support), entry.metric), "entry"
    labels = max(1, len(entry.labels)) if entry.metric == "macro_f1" else 1
    return SampleSize(rows, rows, (max(1, rows // labels),) * labels, entry.metric), "rows alone"


def _write_text(planned: list[_Planned], confidence: float) -> None:
    rows = []
    for one in planned:
        size = one.size
        if not size.samples:
            rows.append([one.name, size.metric, "?", "?", f"{one.margin:g}", "", "", "", ""])
            continue
        for found in one.powers(confidence):
            needed = f"{found.samples_needed:,}"
            decided = [f"{found.changed:.0%}", f"{found.smallest:.3f}", f"{found.preserved:.2f}", needed]
            rows.append([one.name, size.metric, f"{size.samples:,}", f"{size.units:,}", f"{one.margin:g}", *decided])
    heads = ["dataset", "metric", "samples", "units", "margin", "changed", "decides", "P(preserved)", "needed"]
    write_text(heads, rows, names=2)
    print(_explained(planned, confidence))


def _explained(planned: list[_Planned], confidence: float) -> str:
    few = [one.name for one in planned if one.size.samples and one.size.too_few]
    even = [one.name for one in planned if one.source == "rows alone"]
    unknown = [one.name for one in planned if not one.size.samples]
    lines = [
        "units: documents, or what else is taken as independent; changed: answers that became wrong or right, as many lost as gained.",
        f"decides: the smallest loss found with 80% power at {confidence:.0%} confidence, and the smallest margin within which a score",
        "that loses nothing is called preserved, with 80% power too. P(preserved): at the margin that holds, where nothing is lost.",
        "needed: samples for 80% at that margin. docs/protocol.md#power says what is assumed.",
    ]
    if few:
        lines.append(f"Too few documents for a verdict, or too many rare labels: {', '.join(few)}.")
    if even:
        lines.append(
            f"Each sample counts by itself and labels are taken as equally frequent: {', '.join(even)} (no test_set in the entry)."
        )
    if unknown:
        lines.append(f"Unknown until it is prepared, its entry states no rows: {', '.join(unknown)}.")
    return "\n" + "\n".join(lines)
