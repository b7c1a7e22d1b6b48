"""The files of a run as a bundle has them where something is left out: without texts, and without names of samples."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from ..contracts.files import json_text, read_json
from ..contracts.records import Record, Sample, ScoredAnswer, json_line, read_records
from ..privacy.anonymous import Pseudonyms, answer_without_texts, sample_without_texts

MEASUREMENTS, MANIFEST = "measurements.json", "manifest.json"


def samples_without_texts(path: Path) -> bytes:
    """A ``samples.jsonl`` with empty ``inputs``: ids, gold answers and source documents remain."""
    return _lines(sample_without_texts(sample) for sample in read_records(path, Sample))


def answers_without_texts(path: Path) -> bytes:
    """A ``scored.jsonl`` whose entities keep their places and lose their words; all else is labels."""
    return _lines(answer_without_texts(answer) for answer in read_records(path, ScoredAnswer))


@dataclass(frozen=True)
class Unnamed:
    """The files of one dataset's cells without texts and names; ``samples``: its ``samples.jsonl``."""

    samples: Path

    def made_samples(self, path: Path) -> bytes:
        """As :func:`samples_without_texts`, ids and source documents replaced."""
        renamed = self._pseudonyms.renamed
        return _lines(renamed(sample_without_texts(sample)) for sample in read_records(path, Sample))

    def made_answers(self, path: Path) -> bytes:
        """As :func:`answers_without_texts`, ids replaced."""
        names = self._pseudonyms.samples
        return _lines(
            replace(answer_without_texts(answer), sample_id=names[answer.sample_id])
            for answer in read_records(path, ScoredAnswer)
        )

    def made_measurements(self, path: Path) -> bytes:
        """A ``measurements.json`` whose timed samples have numbers for names."""
        return json_text(self._pseudonyms.within(read_json(path))).encode()

    def made_manifest(self, path: Path) -> bytes:
        """A ``manifest.json`` without names of samples, and with the hash of the measurements that are packed beside it."""
        manifest = self._pseudonyms.within(read_json(path))
        outputs = manifest.get("outputs")
        if isinstance(outputs, dict) and MEASUREMENTS in outputs:
            packed = hashlib.sha256(self.made_measurements(path.with_name(MEASUREMENTS))).hexdigest()
            manifest["outputs"] = {**outputs, MEASUREMENTS: packed}
        return json_text(manifest).encode()

    @cached_property
    def _pseudonyms(self) -> Pseudonyms:
        return Pseudonyms.of(read_records(self.samples, Sample))


def _lines(records: Iterable[Record]) -> bytes:
    return "".join(json_line(record) for record in records).encode()
