"""``benchmarks/watched.py``: steps in worker processes, of which none takes the others with it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from benchmarks.watched import Record, Step, Worker, read_records, run_steps

# Steps that pass, fail, cannot be tried, kill their process, hang, and leave half a line.
MODULE = """
import os, sys, time
from pathlib import Path
from benchmarks.watched import NotTried, take_steps

def run(name):
    if name.startswith("fails"):
        raise ValueError("first line\\nsecond line")
    if name == "elsewhere":
        raise NotTried("one GPU only")
    if name == "dies":
        with Path(sys.argv[2]).open("a") as handle:
            handle.write('{"kind": "half a li')
        os._exit(3)
    if name == "hangs":
        time.sleep(600)
    return f"did {name}", [{"kind": "process", "pid": os.getpid()}]

take_steps(Path(sys.argv[2]), sys.argv[3:], run)
"""


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Worker:
    (tmp_path / "steps_of_a_test.py").write_text(MODULE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return Worker("steps_of_a_test", tmp_path / "task.json", tmp_path / "records.jsonl", tmp_path / "log.txt", {})


def ends(records: list[Record]) -> dict[object, tuple[object, object]]:
    return {record["step"]: (record["status"], record["words"]) for record in records if record["kind"] == "end"}


def test_a_step_that_fails_dies_or_hangs_costs_itself_only(worker: Worker) -> None:
    said: list[str] = []
    names = ["a", "b", "fails", "c", "dies", "hangs", "elsewhere", "d"]
    steps = [Step(name, 1.0 if name == "hangs" else 60.0) for name in names]
    records = run_steps(worker, steps, time.monotonic() + 120, said.append)
    found = ends(records)
    assert list(found) == names
    assert {name for name, (status, _) in found.items() if status == "passed"} == {"a", "b", "c", "d"}
    assert found["fails"] == ("failed", "ValueError: first line")
    assert found["dies"] == ("failed", f"its process ended with status 3; {worker.log} says more")
    assert found["hangs"] == ("failed", "stopped after its limit of 1 s")
    assert found["elsewhere"] == ("not tried", "one GPU only")
    assert "second line" in worker.log.read_text()
    assert [line.split("]")[0] for line in said] == [f"[{number}/8" for number in range(1, 9)]
    # Steps share a process until one fails; the next has a fresh one.
    pids = [record["pid"] for record in records if record["kind"] == "process"]
    assert pids[0] == pids[1] and len(set(pids)) == 3


def test_steps_alone_have_a_process_each(worker: Worker) -> None:
    said: list[str] = []
    records = run_steps(worker, [Step(name, 60.0) for name in "abc"], time.monotonic() + 120, said.append, alone=True)
    assert [status for status, _ in ends(records).values()] == ["passed"] * 3
    assert len({record["pid"] for record in records if record["kind"] == "process"}) == 3
    assert [line[:5] for line in said] == ["[1/3]", "[2/3]", "[3/3]"]


def test_time_that_is_over_is_said_of_every_step_left(worker: Worker) -> None:
    steps = [Step("hangs", 600.0), Step("a", 600.0)]
    found = ends(run_steps(worker, steps, time.monotonic() + 3, lambda line: None))
    assert found == {"hangs": ("failed", "out of time"), "a": ("not tried", "out of time")}


def test_a_worker_that_cannot_start_ends_every_step(worker: Worker) -> None:
    broken = Worker("no_such_module_of_a_test", worker.task, worker.records, worker.log, {})
    found = ends(run_steps(broken, [Step("a", 5.0), Step("b", 5.0)], time.monotonic() + 60, lambda line: None))
    assert {status for status, _ in found.values()} == {"failed"}
    assert len(ends(read_records(worker.records))) == 2


def test_a_worker_ends_with_who_watches_it(worker: Worker) -> None:
    """In a session of its own it hears nothing of the user's interrupt, and would hold a GPU for minutes more."""

    def interrupt(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_steps(worker, [Step("a", 600.0), Step("hangs", 600.0)], time.monotonic() + 600, interrupt)
    [pid] = [int(str(record["pid"])) for record in read_records(worker.records) if record["kind"] == "process"]
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
