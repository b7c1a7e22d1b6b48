"""Lock files are freed when their process dies, and what cannot be locked is one sentence with the next step."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from quantbench.errors import QuantbenchError
from quantbench.recovery import held, try_lock, user_folder

HOLD = """
import os, signal, sys
from pathlib import Path
from quantbench.recovery import try_lock
lock = try_lock(Path(sys.argv[1]), "")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of temporary files of the test's own; returns where the user's folder would stand in it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path / f"quantbench-{os.getuid()}"


def test_a_killed_process_gives_its_lock_back(tmp_path: Path) -> None:
    path = tmp_path / "made/a.lock"
    assert subprocess.run([sys.executable, "-c", HOLD, str(path)], check=False).returncode == -9
    os.utime(path, (0, 0))
    lock = try_lock(path, "")
    assert lock is not None
    assert path.stat().st_mtime > 0, "else it would be removed with what lies untouched among the temporary files"
    lock.release()
    with held(path, "", "waiting") as waited:
        assert not waited
        assert try_lock(path, "") is None


@pytest.mark.parametrize("odd", ["folder", "link", "folder_of_it"])
def test_what_cannot_be_a_lock_file_is_named(tmp_path: Path, odd: str) -> None:
    path = tmp_path / "a.lock"
    if odd == "folder":
        path.mkdir()
    elif odd == "link":
        path.symlink_to(tmp_path / "target")
    else:
        path.touch()
        path = path / "b.lock"
    with pytest.raises(QuantbenchError, match=r"a\.lock.*; "), held(path, "remove it"):
        pytest.fail("it is held")


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EIO, errno.EROFS])
def test_a_file_system_without_locks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(QuantbenchError, match=r"a\.lock: cannot be locked \(.+\); set TMPDIR"):
        try_lock(tmp_path / "a.lock", "set TMPDIR")


def test_the_folder_of_the_user_is_made_and_kept_private(temporary: Path) -> None:
    assert user_folder() == temporary
    assert stat.S_IMODE(temporary.stat().st_mode) == 0o700
    temporary.chmod(0o777)
    assert user_folder() == temporary
    assert stat.S_IMODE(temporary.stat().st_mode) == 0o700


def test_another_thing_in_its_place_is_refused(temporary: Path, tmp_path: Path) -> None:
    temporary.write_text("x")
    with pytest.raises(QuantbenchError, match=r"no folder; remove it, or set TMPDIR"):
        user_folder()
    temporary.unlink()
    (tmp_path / "victim").mkdir()
    temporary.symlink_to(tmp_path / "victim")
    with pytest.raises(QuantbenchError, match="no folder"):
        user_folder()
    temporary.unlink()
    temporary.symlink_to(tmp_path / "nowhere")
    with pytest.raises(QuantbenchError, match="no folder"):
        user_folder()


def test_a_folder_of_another_user_is_refused(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary.mkdir()
    own = os.getuid()
    temporary.rename(temporary.with_name(f"quantbench-{own + 1}"))
    monkeypatch.setattr(os, "getuid", lambda: own + 1)
    with pytest.raises(QuantbenchError, match="belongs to others; remove it, or set TMPDIR"):
        user_folder()


def test_a_temporary_folder_that_is_gone_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(QuantbenchError, match=r"not made .*set TMPDIR"):
        user_folder()
