"""Progress of a cell that survives a killed job: finished batches are appended, flushed and synced as they end.

It stands apart from the cell's declared outputs, which Snakemake removes when a job fails. Each file's name carries the
hash of everything its content depends on, so progress of another configuration is set aside by name and never reused.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from copy import copy
from io import FileIO
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from ..contracts.files import owners_opener
from ..contracts.kept_progress import History, KeptMeasurements, PassWindow
from ..contracts.records import Prediction, json_line, read_record
from ..contracts.sample_scores import SampleScores
from ..errors import DataError
from ..reading.os_errors import unwritable
from ..reading.text_files import read_bytes
from ..recovery import held

Line = TypeVar("Line")
OfSample = TypeVar("OfSample", Prediction, SampleScores)

_SAMPLE_IDS = TypeAdapter(list[str])
_WINDOW = TypeAdapter(PassWindow)
_LARGEST = 1e12


class Progress:
    """Finished predictions and measurements of one cell under one identity."""

    def __init__(self, folder: Path, key: str, asked: Collection[str] | None = None) -> None:
        """The progress under an identity.

        Args:
            folder: where it stands; made when something is kept.
            key: hash of everything it depends on.
            asked: the cell's samples; what is kept of others is passed over. None: of all.
        """
        self._asked = asked
        self._folder, self._key = folder, key[:16]
        self._predictions = folder / f"{key[:16]}.predictions.jsonl"
        self._measurements = folder / f"{key[:16]}.measurements.json"
        self._history = folder / f"{key[:16]}.history"

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

        Raises:
            QuantbenchError: the folder cannot be written or locked.
        """
        lock, waiting = self._folder / f"{self._key}.lock", "another process works on this cell; waiting for it"
        with held(lock, "results must lie where files can be written and locked", waiting) as waited:
            _cut_torn_end(self._history)
            self._note("start")
            yield waited

    def finished(self) -> dict[str, Prediction]:
        """Predictions on disk by sample id; what follows the last complete line is cut off."""
        return self._of_cell(read_lines(self._predictions, _whole))

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
        """What happened over all starts, as far as it can be read.

        A line that a full disk or a torn sector has garbled is passed over: what it told is lost, and no answer with it.
        """
        events = _events(self._history)
        halved = (_checked(_SAMPLE_IDS, said) for kind, said in events if kind == "halved")
        windows = (_checked(_WINDOW, said) for kind, said in events if kind == "window")
        return History(
            resumed=max(0, sum(kind == "start" for kind, _ in events) - 1),
            batches_generated=sum(kind == "batch" for kind, _ in events),
            halved_batches=[ids for ids in halved if ids is not None],
            windows=[window for window in windows if window is not None and _is_possible(window)],
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
        return self._of_cell(read_lines(self._scores(full), SampleScores.read))

    def _of_cell(self, lines: Sequence[OfSample]) -> dict[str, OfSample]:
        return {one.sample_id: one for one in lines if self._asked is None or one.sample_id in self._asked}

    def _scores(self, full: str | None) -> Path:
        return self._folder / f"{self._key}.{full[:16] if full else 'alone'}.likelihoods.jsonl"

    def measurements(self) -> KeptMeasurements | None:
        """The measurements of an earlier start; None where there are none, or none that can be read."""
        if not self._measurements.exists():
            return None
        try:
            return KeptMeasurements.read(self._measurements)
        except DataError as error:
            print(f"{error}; it is measured again", file=sys.stderr, flush=True)
            return None

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
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "ab", buffering=0, opener=owners_opener(path.parent)) as handle:
                _add(handle, text.encode())
        except OSError as error:
            raise DataError(f"{unwritable(path, error)}; earlier batches are kept") from error


def _add(handle: FileIO, content: bytes) -> None:
    """Write at the end of a file and sync it; what cannot be written whole is taken back, so that no line stays torn."""
    end, rest = handle.seek(0, os.SEEK_END), memoryview(content)
    try:
        while rest:
            rest = rest[handle.write(rest) :]
        os.fsync(handle.fileno())
    except OSError:
        with suppress(OSError):
            handle.truncate(end)
        raise


def _cut_torn_end(path: Path) -> None:
    """Cut off a last line that a kill left half.

    Raises:
        DataError: the file cannot be read or cut.
    """
    if not path.exists():
        return
    content = read_bytes(path, remedy="move it away")
    if not content.endswith(b"\n"):
        _truncate(path, content.rfind(b"\n") + 1)


def _truncate(path: Path, end: int) -> None:
    try:
        os.truncate(path, end)
    except OSError as error:
        raise unwritable(path, error) from None


def _events(path: Path) -> list[tuple[str, str]]:
    """Kind and content of each line of a history; no file has none."""
    if not path.exists():
        return []
    lines = read_bytes(path, remedy="move it away").decode(errors="replace").split("\n")
    return [(kind, said) for kind, _, said in (line.partition(" ") for line in lines)]


def _is_possible(window: PassWindow) -> bool:
    """Whether figures of a line that can be read could have been measured; sums over all of them are to stay numbers."""
    seconds_and_joules = (window.seconds, window.energy_j or 0.0)
    return all(0 <= one < _LARGEST for one in (*seconds_and_joules, window.samples, window.new_tokens))


def _checked(check: TypeAdapter[Line], text: str) -> Line | None:
    try:
        return check.validate_json(text)
    except ValidationError:
        return None


def read_lines(path: Path, read: Callable[[bytes], Line | None]) -> list[Line]:
    """Read a file line by line up to the first that ``read`` takes for torn; what follows is cut off. No file has no lines.

    Raises:
        DataError: the file cannot be read or cut.
    """
    if not path.exists():
        return []
    content = read_bytes(path, remedy="move it away")
    lines: list[Line] = []
    end = 0
    for raw in content.splitlines(keepends=True):
        line = read(raw)
        if line is None:
            break
        lines.append(line)
        end += len(raw)
    if end < len(content):
        _truncate(path, end)
    return lines


def _whole(line: bytes) -> Prediction | None:
    """The prediction of a complete line, or None for a torn one."""
    if not line.endswith(b"\n"):
        return None
    try:
        return read_record(line, "progress", Prediction)
    except DataError:
        return None
