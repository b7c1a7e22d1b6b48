"""What a killed writer left beside a file is removed by the next one, and nobody else's work is."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from quantbench.contracts.files import write_text
from quantbench.errors import DataError
from quantbench.recovery.partial_files import partial_file, temporary_folder

KILLED = """
import os, signal, sys, time
from pathlib import Path
from quantbench.recovery.partial_files import partial_file
with partial_file(Path(sys.argv[1])) as handle:
    handle.write(b"half")
    handle.flush()
    print("writing", flush=True)
    sys.stdin.readline()
"""


def writer(path: Path) -> subprocess.Popen[str]:
    """A process in the middle of writing ``path``."""
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout and process.stdout.readline() == "writing\n"
    return process


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_a_killed_writer_left_is_removed_by_the_next(tmp_path: Path) -> None:
    killed = writer(tmp_path / "a.json")
    killed.kill()
    killed.communicate()
    assert len(names(tmp_path)) == 1
    write_text(tmp_path / "b.json", "another file")
    assert len(names(tmp_path)) == 2
    write_text(tmp_path / "a.json", "whole")
    assert names(tmp_path) == ["a.json", "b.json"]


def test_a_writer_at_work_is_left_alone(tmp_path: Path) -> None:
    other = writer(tmp_path / "a.json")
    write_text(tmp_path / "a.json", "first")
    other.communicate("go on\n", timeout=30)
    assert other.returncode == 0
    assert (names(tmp_path), (tmp_path / "a.json").read_text()) == (["a.json"], "half")


def test_another_machines_is_left_alone_for_a_day(tmp_path: Path) -> None:
    elsewhere, before = tmp_path / ".a.json.7@node7.part", tmp_path / ".a.json.7.part"
    for path in (elsewhere, before):
        path.touch()
    write_text(tmp_path / "a.json", "first")
    assert len(names(tmp_path)) == 3
    for path in (elsewhere, before):
        os.utime(path, (time.time() - 90000,) * 2)
    write_text(tmp_path / "a.json", "second")
    assert names(tmp_path) == ["a.json"]


def test_files_of_similar_names_are_nobodys_leftovers(tmp_path: Path) -> None:
    kept = [".a.json.part", ".a.json.x.part", "a.json.7.part", ".other.7.part", ".a.json.7.part"]
    for name in kept[:-1]:
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, 0))
    (tmp_path / kept[-1]).mkdir()
    os.utime(tmp_path / kept[-1], (0, 0))
    write_text(tmp_path / "a.json", "whole")
    assert names(tmp_path) == sorted([*kept, "a.json"])


def test_a_file_that_fails_leaves_nothing_and_the_one_before(tmp_path: Path) -> None:
    write_text(tmp_path / "a.json", "before")
    with pytest.raises(ZeroDivisionError), partial_file(tmp_path / "a.json") as handle:
        handle.write(b"half")
        raise ZeroDivisionError
    assert (names(tmp_path), (tmp_path / "a.json").read_text()) == (["a.json"], "before")
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="not written"):
        write_text(tmp_path / "file/a.json", "x")


def test_a_file_taken_for_a_leftover_before_it_is_locked_is_opened_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = []

    def late(descriptor: object, operation: int) -> None:
        if not taken:
            taken.append(operation)
            (part,) = tmp_path.glob(".a.json.*")
            part.unlink()

    monkeypatch.setattr("fcntl.flock", late)
    write_text(tmp_path / "a.json", "whole")
    assert (tmp_path / "a.json").read_text() == "whole"


def test_a_folder_that_a_killed_process_left_is_removed_by_the_next_of_its_kind(tmp_path: Path) -> None:
    code = "import os, signal, sys; from pathlib import Path; from quantbench.recovery.partial_files import temporary_folder\n"
    code += "with temporary_folder(Path(sys.argv[1]), '.download-') as folder:\n (folder / 'half').touch(); os.kill(os.getpid(), 9)"
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode == -9
    (left,) = tmp_path.glob(".download-*/half")
    with temporary_folder(tmp_path, ".opening-"), temporary_folder(tmp_path, ".download-") as first:
        assert not left.parent.exists()
        with temporary_folder(tmp_path, ".download-") as second:
            assert first.is_dir() and second.is_dir() and first != second
    assert names(tmp_path) == []
