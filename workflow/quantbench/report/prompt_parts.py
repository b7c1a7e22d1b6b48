"""Prompts for reading: what all samples of a setting share is kept once, beside what is each sample's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .. import tasks
from ..config import Catalogue
from ..contracts.records import Sample, read_records
from ..prompts import read_template, render, template_path
from ..study.grid import Cell


def prompt_parts(catalogue: Catalogue, results: Path, cell: Cell, samples: Sequence[Sample]) -> dict[str, Any] | None:
    """``before``, ``after`` and for each sample its ``own`` part; joined they are the prompt, before any chat template.

    None where texts are not here: in a bundle whose licence keeps them out, or where worked examples are missing.

    Raises:
        ConfigError: no template, or one that names what the dataset does not have.
    """
    if not samples or not samples[0].inputs:
        return None
    entry = catalogue.datasets[cell.dataset]
    pool_file = results / "datasets" / cell.dataset / "shots.jsonl"
    pool = read_records(pool_file, Sample) if cell.shots and pool_file.exists() else []
    if len(pool) < cell.shots:
        return None
    task = tasks.get(entry)
    worked = [(example, task.render(example.gold, example)) for example in pool[: cell.shots]]
    template = read_template(template_path(catalogue.root, cell.dataset, cell.prompting))
    texts = [render(entry, template, sample, worked) for sample in samples]
    before = _shared(texts)
    rests = [text[len(before) :] for text in texts]
    after = _shared([rest[::-1] for rest in rests])[::-1]
    return {"before": before, "after": after, "own": [rest[: len(rest) - len(after)] for rest in rests]}


def _shared(texts: Sequence[str]) -> str:
    """What all texts begin with: as far as the first and last in order agree, those between do too."""
    first, last = min(texts), max(texts)
    ends = (place for place, letter in enumerate(first) if letter != last[place : place + 1])
    return first[: next(ends, len(first))]
