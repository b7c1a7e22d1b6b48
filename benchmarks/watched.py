"""Named steps run in worker processes, each within its own time limit; one that fails or hangs does not end the others.

A worker takes the steps one after another in one process, since starting torch takes seconds, and appends one JSON
record a line to a file. After a step that failed the next one begins in a fresh process: an error of CUDA spoils all
that follows in the same one.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
# What a worker may take to start, libraries and device included, before its first step.
START_S = 120.0
OUT_OF_TIME = "out of time"
_FAILED = 9  # exit status of a worker whose last step failed, as its records say
_POLL_S = 0.1
Record = dict[str, object]
Say = Callable[[str], None]


class NotTried(Exception):
    """A step cannot be tried here; its text says why, which is no failure."""


@dataclass(frozen=True)
class Step:
    """A step by its name and the seconds it may take."""

    name: str
    limit_s: float


@dataclass(frozen=True)
class Worker:
    """How a worker process is started: ``python -m module TASK RECORDS STEP...``.

    Attributes:
        module: calls :func:`take_steps` with what the command line gave it.
        task: file that says what every step is to know.
        records: file that steps append to.
        log: takes what the process says.
        environment: set in the process beside what it inherits.
    """

    module: str
    task: Path
    records: Path
    log: Path
    environment: dict[str, str]

    def start(self, names: Sequence[str]) -> subprocess.Popen[bytes]:
        """Start a process that takes the named steps."""
        paths = [str(REPOSITORY), str(REPOSITORY / "workflow"), os.environ.get("PYTHONPATH", "")]
        environment = {**os.environ, **self.environment, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
        command = [sys.executable, "-m", self.module, str(self.task), str(self.records), *names]
        with self.log.open("ab") as log:
            # A session of its own, so that what it started ends with it.
            return subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)


def run_steps(worker: Worker, steps: Iterable[Step], deadline: float, say: Say, alone: bool = False) -> list[Record]:
    """Run steps until the deadline and return every record they left.

    Args:
        worker: how to start a process for them.
        steps: in the order in which they run.
        deadline: by :func:`time.monotonic`; the step it ends is ``failed``, those it leaves are ``not tried``, and both say
            :data:`OUT_OF_TIME`.
        say: takes one line a step, with the time left.
        alone: every step in a process of its own, not only those after a failure.

    Returns:
        The steps' own records, and one of kind ``end`` for each step: ``step``, ``status`` (passed, failed, not tried),
        ``words`` and ``seconds``.
    """
    left = {step.name: step for step in steps}
    watch = _Watch(worker, len(left), deadline, say)
    while left:
        if time.monotonic() >= deadline:
            for name in left:
                watch.end(name, "not tried", OUT_OF_TIME, 0.0)
            break
        begun = dict(list(left.items())[:1]) if alone else left
        ended = watch.follow(worker.start(list(begun)), begun)
        left = {name: step for name, step in left.items() if name not in ended}
    return read_records(worker.records)


def take_steps(records: Path, names: Sequence[str], run: Callable[[str], tuple[str, Sequence[Record]]]) -> None:
    """In the worker: run steps one after another.

    Args:
        records: file to append to.
        names: of the steps.
        run: runs the step of a name; returns what to say of it in words, and its records.

    Raises:
        SystemExit: a step failed; the others are for another process.
    """
    from quantbench.errors import QuantbenchError

    for name in names:
        append_record(records, {"kind": "begin", "step": name})
        print(f"== {name}", flush=True)
        begin, found, status = time.perf_counter(), (), "passed"
        try:
            words, found = run(name)
        except NotTried as error:
            status, words = "not tried", str(error)
        except (Exception, SystemExit) as error:
            traceback.print_exc()
            kind = "" if isinstance(error, QuantbenchError) else f"{type(error).__name__}: "
            status, words = "failed", kind + (str(error) or "no message").splitlines()[0]
        for record in found:
            append_record(records, record)
        append_record(records, _ended(name, status, words, time.perf_counter() - begin))
        if status == "failed":
            sys.stdout.flush()
            # Without the interpreter's end, which waits for threads and devices that may hang.
            os._exit(_FAILED)


class _Watch:
    """Follows workers by what they append, says how steps ended, and ends what takes too long."""

    def __init__(self, worker: Worker, steps: int, deadline: float, say: Say) -> None:
        self._worker, self._steps, self._deadline, self._say = worker, steps, deadline, say
        self._read, self._ended = 0, 0

    def follow(self, process: subprocess.Popen[bytes], left: dict[str, Step]) -> set[str]:
        """Wait for a worker; returns the steps that have ended, be it by its death. A worker does not outlive the waiting."""
        try:
            return self._follow(process, left)
        finally:  # also where the user interrupts: in its session of its own it would go on, and hold the device
            if process.poll() is None:
                _kill(process)

    def _follow(self, process: subprocess.Popen[bytes], left: dict[str, Step]) -> set[str]:
        ended: set[str] = set()
        current, since = "", time.monotonic()
        while True:
            over = process.poll() is not None  # before reading, so that nothing is missed
            for record in self._new():
                name = str(record.get("step", ""))
                if record["kind"] == "begin":
                    current, since = name, time.monotonic()
                elif record["kind"] == "end":
                    ended.add(name)
                    current, since = "", time.monotonic()
            lost = current or next(name for name in [*left, ""] if name not in ended)
            if over:
                if lost and (current or process.returncode != _FAILED):
                    ended.add(lost)
                    words = f"its process ended with status {process.returncode}; {self._worker.log} says more"
                    self.end(lost, "failed", words, time.monotonic() - since)
                return ended
            limit = left[current].limit_s if current else START_S
            if time.monotonic() > min(since + limit, self._deadline):
                _kill(process)
                ended.add(lost)
                out_of_all = time.monotonic() > self._deadline
                words = OUT_OF_TIME if out_of_all else f"stopped after its limit of {limit:.0f} s"
                self.end(lost, "failed", words, time.monotonic() - since)
                return ended
            time.sleep(_POLL_S)

    def end(self, name: str, status: str, words: str, seconds: float) -> None:
        """Note the end of a step that could not note it itself."""
        append_record(self._worker.records, _ended(name, status, words, seconds))
        self._new()

    def _new(self) -> list[Record]:
        """Records since the last time; ends are said."""
        found = read_records(self._worker.records)[self._read :]
        self._read += len(found)
        for record in found:
            if record["kind"] == "end":
                self._ended += 1
                minutes, seconds = divmod(max(0, round(self._deadline - time.monotonic())), 60)
                self._say(
                    f"[{self._ended}/{self._steps}] {record['step']}: {record['status']}, {record['words']} "
                    f"({record['seconds']:.1f} s; at most {minutes}:{seconds:02d} left)"
                )
        return found


def append_record(path: Path, record: Record) -> None:
    """Append one record as a line; a line of its own also behind half a line that a stopped worker left."""
    with path.open("a", encoding="utf-8") as handle:
        handle.write(f"\n{json.dumps(record)}\n")


def read_records(path: Path) -> list[Record]:
    """The whole records so far."""
    if not path.exists():
        return []
    found = []
    for line in path.read_bytes().decode("utf-8", errors="replace").splitlines():
        with suppress(ValueError):  # empty, or half a line
            found.append(json.loads(line))
    return found


def _ended(name: str, status: str, words: str, seconds: float) -> Record:
    return {"kind": "end", "step": name, "status": status, "words": words, "seconds": round(seconds, 3)}


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a worker and what it started."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
