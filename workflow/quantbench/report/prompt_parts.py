"""Prompts for reading: what all samples of a setting share is kept once, beside what is each sample's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..config import DatasetEntry, ProtocolSettings
from ..contracts.cell_name import Cell
from ..contracts.records import Sample, read_records
from ..datasets import worked_examples
from ..prompts import read_template, render, template_path


@dataclass(frozen=True)
class PromptParts:
    """What all prompts begin and end with, and each sample's ``own`` part; joined they are the prompt, before any chat template."""

    before: str
    after: str
    own: list[str]


@dataclass(frozen=True)
class PromptSource:
    """Makes prompts anew: from templates in ``root/config`` and the samples of ``results/<run>``, under the run's protocol.

    Of the datasets ``hidden`` nothing is to be shown but labels.
    """

    root: Path
    results: Path
    datasets: Mapping[str, DatasetEntry]
    protocol: ProtocolSettings
    hidden: frozenset[str] = frozenset()

    def parts(self, cell: Cell, samples: Sequence[Sample]) -> PromptParts | None:
        """The prompts of some samples of a cell.

        None where texts are not here, in a bundle whose licence keeps them out, or where worked examples are missing; and where the
        dataset is hidden.

        Raises:
            ConfigError: no template, or one that names what the dataset does not have.
        """
        if not samples or not samples[0].inputs or cell.dataset in self.hidden:
            return None
        entry = self.datasets[cell.dataset]
        pool_file = self.results / "datasets" / cell.dataset / "shots.jsonl"
        pool = read_records(pool_file, Sample) if cell.shots and pool_file.exists() else []
        worked = worked_examples(pool, entry, cell.shots, self.protocol.examples)
        if len(worked) < cell.shots:
            return None
        template = read_template(template_path(self.root, cell.dataset, cell.prompting, self.protocol.prompts))
        texts = [render(entry, template, sample, worked, self.protocol.slips) for sample in samples]
        before = _shared(texts)
        rests = [text[len(before) :] for text in texts]
        after = _shared([rest[::-1] for rest in rests])[::-1]
        return PromptParts(before, after, [rest[: len(rest) - len(after)] for rest in rests])


def _shared(texts: Sequence[str]) -> str:
    """What all texts begin with: as far as the first and last in order agree, those between do too."""
    first, last = min(texts), max(texts)
    ends = (place for place, letter in enumerate(first) if letter != last[place : place + 1])
    return first[: next(ends, len(first))]
