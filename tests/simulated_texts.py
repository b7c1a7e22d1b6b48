"""Texts for a simulated run: inputs of a realistic length, raw outputs that say what was scored, manifests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from quantbench import tasks
from quantbench.config import Catalogue
from quantbench.config.entries import DatasetEntry
from quantbench.contracts.cell_name import Cell
from quantbench.contracts.checksums import sha256_of
from quantbench.contracts.files import write_json
from quantbench.contracts.prepared_dataset import PreparedDataset
from quantbench.contracts.records import Prediction, Sample, ScoredAnswer, read_records, write_records
from quantbench.datasets import count_strata

# Words of an input, about the means of the published test sets.
LENGTHS = {"labelled_text": 220, "token_tags": 26, "entity_pairs": 40, "multiple_choice": 120, "yes_no_maybe": 200}
REASONING = 180  # words of a chain of thought


def add_texts(catalogue: Catalogue, folder: Path, cells: Sequence[Cell], samples: Mapping[str, Path]) -> None:
    """Complete what :func:`tests.simulated_run.simulate` wrote: samples with inputs, predictions, manifests."""
    words = Words(7)
    for name, path in samples.items():
        entry = catalogue.datasets[name]
        found = [
            Sample(sample.sample_id, _inputs(entry, words), sample.gold, sample.group)
            for sample in read_records(path, Sample)
        ]
        write_records(path, found)
        write_records(path.with_name("shots.jsonl"), found[:2])
        counts = {"samples": len(found), "label_counts": count_strata(found, catalogue.datasets[name]), "shots": 2}
        hashes = {"samples_sha256": sha256_of(path), "shots_sha256": sha256_of(path.with_name("shots.jsonl"))}
        PreparedDataset(dataset=name, files={}, limit=None, seed=catalogue.run.seed, **counts, **hashes).write(
            path.with_name("dataset.json")
        )
        for cell in cells:
            if cell.dataset == name:
                _write_cell(catalogue, folder / "cells" / cell.folder, cell, found, words)


class Words:
    """Invented words, some far more frequent than others, as in a text."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        letters = np.array(list("aeioubcdfghlmnprstv"))
        # All of five letters: simulated entities stand at multiples of five characters.
        self._pool = ["".join(self._random.choice(letters, 5)) for _ in range(4000)]
        weights = 1 / np.arange(5, 4005)
        self._weights = weights / weights.sum()

    def text(self, count: int) -> str:
        """So many words, half as many more or fewer."""
        size = max(12, int(count * self._random.uniform(0.5, 1.5)))
        return " ".join(self._pool[k] for k in self._random.choice(len(self._pool), size, p=self._weights))


def _inputs(entry: DatasetEntry, words: Words) -> dict[str, Any]:
    text = words.text(LENGTHS[entry.reader])
    if entry.reader == "multiple_choice":
        return {"question": text, "options": {letter: words.text(4) for letter in "ABCDE"}}
    if entry.reader == "yes_no_maybe":
        return {"question": words.text(12), "context": text}
    return {"sentence": text} if entry.task == "relation_extraction" else {"text": text}


def _write_cell(catalogue: Catalogue, where: Path, cell: Cell, samples: list[Sample], words: Words) -> None:
    task = tasks.get(catalogue.datasets[cell.dataset])
    chains = catalogue.run.inference.self_consistency.chains if cell.prompting == "self_consistency" else 1
    predictions = []
    for sample, answer in zip(samples, read_records(where / "scored.jsonl", ScoredAnswer), strict=True):
        said = task.render(answer.parsed, sample) if answer.parsed_ok else "qqqqq"
        if cell.prompting != "instruction":
            said = f"{words.text(REASONING)}\nFinal answer: {said}"
        ends = ["stop"] * chains
        predictions.append(Prediction(sample.sample_id, [said] * chains, 300, [20] * chains, ends))
    write_records(where / "predictions.jsonl", predictions)
    manifest = {"cell": asdict(cell), "configuration": catalogue.run.model_dump(mode="json")}
    write_json(where / "manifest.json", manifest)
