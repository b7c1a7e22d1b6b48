"""What in a run differs from the way the paper's authors ran their study, as far as that is known."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..config import DatasetEntry, RunConfig, located
from ..config.settings import read_yaml
from ..contracts.prepared_dataset import SourceFile
from ..contracts.run_tables import PEAK, CellRow
from ..tables import PublishedRow

AS_AUTHORS = "config/published.yaml"
# What a run is called, and how often it answers for the sake of knowing the spread, is no part of how it answers.
_NO_PART = {"run", "protocol.repeats"}


@dataclass(frozen=True, slots=True)
class Departure:
    """One point, with what holds in the paper's run and in this one, in words. A setting is named by its key.

    ``sureness`` says whether the paper states it, or whether it is probable, from a public copy of the authors' code.
    """

    point: str
    paper: str
    run: str
    sureness: Literal["stated", "probable"] = "stated"


def departures(
    root: Path,
    run: RunConfig,
    rows: Sequence[CellRow],
    published: Sequence[PublishedRow],
    test_items: Mapping[str, int],
    other_texts: Collection[str],
) -> list[Departure]:
    """Every point in which the run differs: its settings, its samples, what it ran on.

    Args:
        root: where ``config/published.yaml`` is looked for, which has each setting as the authors probably had it.
        run: the run's settings.
        rows: the run's zero-shot cells.
        published: Table 1.
        test_items: dataset -> size of the paper's test set.
        other_texts: datasets whose samples are not of the published files (:func:`other_texts`).

    Raises:
        ConfigError: ``config/published.yaml`` is missing or malformed.
    """
    return [
        *_settings(root, run),
        *_samples(rows, test_items, other_texts),
        *_models(rows),
        *_hardware(rows, published),
    ]


def other_texts(prepared: Mapping[str, SourceFile], published: Mapping[str, DatasetEntry]) -> list[str]:
    """The datasets of a run whose test file is none that the shipped entry of that name pins.

    A file is known by its hash, or by its number of records where only its git blob is pinned.

    Args:
        prepared: dataset -> the test file that the run's samples were read from.
        published: the shipped entries by name.
    """
    return [
        name
        for name, file in prepared.items()
        if name not in published
        or not any(
            pinned.sha256 == file.sha256 if pinned.sha256 else pinned.rows == file.rows
            for pinned in published[name].files.get("test", [])
        )
    ]


def _settings(root: Path, run: RunConfig) -> Iterator[Departure]:
    own = dict(_leaves(run.model_dump(mode="json")))
    for key, value in _leaves(read_yaml(located(root, AS_AUTHORS))):
        if key not in _NO_PART and own.get(key) != value:
            yield Departure(key, _word(value), _word(own.get(key)), "probable")


def _samples(rows: Sequence[CellRow], test_items: Mapping[str, int], others: Collection[str]) -> Iterator[Departure]:
    titles = dict.fromkeys(row.dataset_title for row in rows if row.dataset in others)
    if titles:
        yield Departure("texts", "the published files", f"other files ({', '.join(titles)})")
    fewer = {
        row.dataset: f"{row.n:,} of {test_items[row.dataset]:,} of {row.dataset_title}"
        for row in rows
        if row.dataset in test_items and row.dataset not in others and row.n != test_items[row.dataset]
    }
    if fewer:
        yield Departure("samples", "whole test sets", "; ".join(fewer.values()))


def _models(rows: Sequence[CellRow]) -> Iterator[Departure]:
    demonstrations = dict.fromkeys(row.title for row in rows if row.demonstration)
    if demonstrations:
        yield Departure("models", "trained models", f"tiny demonstration models ({', '.join(demonstrations)})")
    random = dict.fromkeys(row.title for row in rows if row.weights == "random")
    if random:
        yield Departure("weights", "trained", f"random, so that scores mean nothing ({', '.join(random)})")


def _hardware(rows: Sequence[CellRow], published: Sequence[PublishedRow]) -> Iterator[Departure]:
    here, there = (list(dict.fromkeys(row.device for row in table)) for table in (rows, published))
    if here and set(here) != set(there):
        yield Departure("hardware", ", ".join(there), ", ".join(here))
    if any(row.memory_kind != PEAK for row in rows):
        yield Departure("memory", "peak on GPUs", "bytes of the weights: the run was on a CPU")
    contended = sum(row.contended_by is not None for row in rows)
    if contended:
        yield Departure("other processes", "unknown: a shared server", f"beside {contended} of {len(rows)} cells")


def _leaves(settings: Mapping[str, object], before: str = "") -> Iterator[tuple[str, object]]:
    """Every setting that is no section, under its dotted key."""
    for key, value in settings.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _word(value: object) -> str:
    """A setting's value as a configuration has it."""
    return value if isinstance(value, str) else json.dumps(value)
