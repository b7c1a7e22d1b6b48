"""Progress of a cell that survives a killed job: finished batches are appended, flushed and synced as they end.

It stands apart from the cell's declared outputs, which Snakemake removes when a job fails. Each file's name carries the
hash of everything its content depends on, so progress of another configuration is set aside by name and never reused.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import fields
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout

from ..contracts.kept_progress import History, KeptMeasurements, PassWindow
from ..contracts.records import Prediction, json_line
from ..contracts.sample_scores import SampleScores
from ..errors import DataError

Line = TypeVar("Line")

_FIELDS = {field.name for field in fields(Prediction)}
_REQUIRED = _FIELDS - {"latency_s"}


class Progress:
    """Finished predictions and measurements of one cell under one identity."""

    def __init__(self, folder: Path, key: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._key = folder, key[:16]
        self._predictions = folder / f"{key[:16]}.predictions.jsonl"
        self._measurements = folder / f"{key[:16]}.measurements.json"
        self._history = folder / f"{key[:16]}.history"
        self._lock = FileLock(folder / f"{key[:16]}.lock")

    def repeat(self, number: int) -> Progress:
        """The progress of the cell's ``number``-th time, from 2; what is not an answer is shared by all of them."""
        other = copy(self)
        other._predictions = self._folder / f"{self._key}.repeat{number}.predictions.jsonl"
        return other

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Hold the cell against other processes; yields whether another one worked on it until now.

        A second process waits: a SLURM job that outlived its Snakemake may still be working on the cell, and what it
        finishes need not be computed again.
        """
        waited = False
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            print("another process works on this cell; waiting for it", file=sys.stderr, flush=True)
            self._lock.acquire()
            waited = True
        try:
            _cut_torn_end(self._history)
            self._note("start")
            yield waited
        finally:
            self._lock.release()

    def finished(self) -> dict[str, Prediction]:
        """Predictions on disk by sample id; what follows the last complete line is cut off."""
        return {one.sample_id: one for one in read_lines(self._predictions, _whole)}

    def begin_batch(self) -> None:
        """Note that a batch is being generated, which a kill may undo."""
        self._note("batch")

    def note_halved(self, sample_ids: Sequence[str]) -> None:
        """Note a batch that did not fit into memory."""
        self._note(f"halved {json.dumps(list(sample_ids))}")

    def note_window(self, window: PassWindow) -> None:
        """Note what the answers that were just kept took. A kill in between loses these figures, never an answer."""
        self._note(f"window {window.model_dump_json(exclude_defaults=True)}")

    def history(self) -> History:
        """What happened over all starts."""
        events = [line.split(" ", 1) for line in self._history.read_text(encoding="utf-8").splitlines()]
        kinds = [event[0] for event in events]
        return History(
            resumed=kinds.count("start") - 1,
            batches_generated=kinds.count("batch"),
            halved_batches=[json.loads(event[1]) for event in events if event[0] == "halved"],
            windows=[PassWindow.model_validate_json(event[1]) for event in events if event[0] == "window"],
        )

    def append(self, predictions: Sequence[Prediction]) -> None:
        """Add one finished batch; on disk when this returns.

        Raises:
            DataError: the disk is full or refuses; a line it left half is cut off at the next start.
        """
        self._append(self._predictions, "".join(json_line(prediction) for prediction in predictions))

    def keep_scores(self, scores: Sequence[SampleScores], full: str | None) -> None:
        """Add the likelihoods of a batch, before its predictions: whatever a kill leaves of them, that batch runs again.

        Args:
            scores: of the batch.
            full: hash of full precision's answers that were read with it; scores beside other answers are kept apart.

        Raises:
            DataError: as :meth:`append`.
        """
        self._append(self._scores(full), "".join(one.json_line() for one in scores))

    def scores(self, full: str | None) -> dict[str, SampleScores]:
        """Likelihoods on disk by sample id; of a batch that ran twice, the last. Cuts off what a kill left half."""
        return {one.sample_id: one for one in read_lines(self._scores(full), SampleScores.read)}

    def _scores(self, full: str | None) -> Path:
        return self._folder / f"{self._key}.{full[:16] if full else 'alone'}.likelihoods.jsonl"

    def measurements(self) -> KeptMeasurements | None:
        """The measurements of an earlier start, or None."""
        return KeptMeasurements.read(self._measurements) if self._measurements.exists() else None

    def keep_measurements(self, measurements: KeptMeasurements) -> None:
        """Keep measurements for a later start."""
        measurements.write(self._measurements)

    def clear(self) -> None:
        """Forget this progress, once the cell's files stand under their final names."""
        answers = self._folder.glob(f"{self._key}.*predictions.jsonl")
        scores = self._folder.glob(f"{self._key}.*.likelihoods.jsonl")
        for path in (*answers, *scores, self._measurements, self._history):
            path.unlink(missing_ok=True)

    def _note(self, event: str) -> None:
        self._append(self._history, f"{event}\n")

    def _append(self, path: Path, text: str) -> None:
        try:
            with path.open("a", encoding="utf-8") as handle:
                handle.write(text)
                handle.flush()
                os.fsync(handle.fileno())
        except OSError as error:
            raise DataError(
                f"{path}: not written ({error.strerror}); make room and run again: earlier batches are kept"
            ) from error


def _cut_torn_end(path: Path) -> None:
    """Cut off a last line that a kill left half."""
    content = path.read_bytes() if path.exists() else b""
    if not content.endswith(b"\n"):
        path.write_bytes(content[: content.rfind(b"\n") + 1])


def read_lines(path: Path, read: Callable[[bytes], Line | None]) -> list[Line]:
    """Read a file line by line up to the first that ``read`` takes for torn; what follows is cut off. No file has no lines."""
    if not path.exists():
        return []
    content = path.read_bytes()
    lines: list[Line] = []
    end = 0
    for raw in content.splitlines(keepends=True):
        line = read(raw)
        if line is None:
            break
        lines.append(line)
        end += len(raw)
    if end < len(content):
        with path.open("r+b") as handle:
            handle.truncate(end)
    return lines


def _whole(line: bytes) -> Prediction | None:
    """The prediction of a complete line, or None for a torn one."""
    if not line.endswith(b"\n"):
        return None
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return Prediction(**value) if isinstance(value, dict) and _REQUIRED <= value.keys() <= _FIELDS else None
