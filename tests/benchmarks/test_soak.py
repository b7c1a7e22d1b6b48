"""What the soak counts it can see: processes whoever their parent is, leases held twice, files that differ or stay behind."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.marked_processes import MARK, Tree, held_devices, kind_of
from benchmarks.soak import Counts, Soak, table

HOLD = """
import fcntl, sys, time
handle = open(sys.argv[1], "w")
if sys.argv[2] == "lock": fcntl.flock(handle, fcntl.LOCK_EX)
print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture
def tree() -> Iterator[Tree]:
    found = Tree(uuid.uuid4().hex)
    yield found
    found.end()


def marked(tree: Tree, *words: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, *words], env={**os.environ, MARK: tree.mark}, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout and process.stdout.readline() == "ready\n"
    return process


@pytest.fixture
def series(tree: Tree, tmp_path: Path) -> Soak:
    (tmp_path / "run/results").mkdir(parents=True)
    return Soak(tmp_path / "run", tree, random.Random(1), Counts())


def test_leases_held_twice_are_seen_though_the_first_file_is_gone(tree: Tree, tmp_path: Path) -> None:
    lock = tmp_path / "STAND-IN-0.lock"
    marked(tree, str(lock), "lock")
    marked(tree, str(lock), "open")  # waits, and holds nothing
    assert held_devices(tree) == {"STAND-IN-0": 1}
    lock.unlink()
    marked(tree, str(lock), "lock")
    assert held_devices(tree) == {"STAND-IN-0": 2}


def test_processes_are_known_by_their_mark(tree: Tree, tmp_path: Path) -> None:
    first, second = (marked(tree, str(tmp_path / name), "open") for name in "ab")
    assert {process.pid for process in tree.living()} == {first.pid, second.pid}
    assert [kind_of(process, first.pid) for process in tree.living() if process.pid == first.pid] == ["Snakemake"]
    tree.end()
    deadline = time.monotonic() + 30
    while list(tree.living()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert list(tree.living()) == []


def test_files_that_differ_or_stay_behind_are_named(series: Soak) -> None:
    results = series.folder / "results"
    for name in ("predictions.jsonl", "measurements.json"):
        (results / name).write_text("whole")
    whole = series.files()
    (results / "measurements.json").write_text("another time")
    series.compare(whole)
    assert series.counts.is_sound
    (results / "predictions.jsonl").write_text("other")
    (results / ".measurements.json.7.part").touch()
    (series.folder / ".snakemake/locks").mkdir(parents=True)
    (series.folder / ".snakemake/locks/0.output.lock").touch()
    series.compare(whole)
    assert series.counts.different == ["run 0: predictions.jsonl"]
    assert [line.rpartition("/")[2] for line in series.counts.leftovers] == [
        "run 0: .measurements.json.7.part",
        "0.output.lock",
    ]
    assert not series.counts.is_sound
    assert "predictions.jsonl" in table(series.counts)
