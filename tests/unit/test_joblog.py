"""A job's log holds what the job printed; an error a user can mend ends it with a sentence, not a trace."""

import errno
import os
import sys
from pathlib import Path

import pytest

from quantbench.errors import DataError
from quantbench.joblog import job_log


def test_what_is_printed_goes_to_the_terminal_and_the_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with job_log(tmp_path / "logs/a.log"):
        print("one")
        print("two", file=sys.stderr)
    assert capsys.readouterr() == ("one\n", "two\n")
    assert (tmp_path / "logs/a.log").read_text() == "one\ntwo\n"


def test_an_error_for_the_user_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end, job_log(tmp_path / "a.log"):
        raise DataError("x.tsv, line 3: no label")
    assert end.value.code == 1
    assert capsys.readouterr().err == "quantbench: x.tsv, line 3: no label\n"
    assert (tmp_path / "a.log").read_text() == "quantbench: x.tsv, line 3: no label\n"


def test_a_defect_keeps_its_trace_in_the_log_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end, job_log(tmp_path / "a.log"):
        raise KeyError("lost")
    assert end.value.code == 1
    said, kept = capsys.readouterr().err, (tmp_path / "a.log").read_text()
    assert said.count("\n") == 1 and "KeyError" in said and str(tmp_path / "a.log") in said
    assert "Traceback (most recent call last)" in kept and kept.endswith(said)


def test_what_the_file_system_refuses_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), job_log(tmp_path / "a.log"):
        tmp_path.write_text("x")
    assert capsys.readouterr().err == f"quantbench: {tmp_path}: not written (it is a folder); move that folder away\n"
    with pytest.raises(SystemExit), job_log(tmp_path / "a.log"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert "no space left on the disk); make room and run again" in capsys.readouterr().err
    with pytest.raises(SystemExit), job_log(tmp_path / "a.log"):
        (tmp_path / "gone").read_text()
    assert "a defect of quantbench" in capsys.readouterr().err


@pytest.mark.parametrize("log", ["folder", "pipe", "file/a.log", "x" * 300, "zero\0byte"])
def test_a_log_that_cannot_be_written_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], log: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SystemExit) as end, job_log(f"{tmp_path}/{log}"):
        pytest.fail("the job ran")
    assert end.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("quantbench: ") and "not written" in line


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is Linux's")
def test_a_full_disk_does_not_end_a_job_for_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    with job_log("/dev/full"):
        print("said")
    assert capsys.readouterr().out == "said\n"
