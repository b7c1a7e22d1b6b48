"""A models folder for a group: others may use, lock and complete what one user began."""

from __future__ import annotations

import os
import stat
import threading
import time
from pathlib import Path

import pytest

from quantbench.store.sharing import alone, share

GROUP = 12345


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    if os.getuid() == 0:
        os.chown(folder, -1, GROUP)
    folder.chmod(0o2775)
    return folder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_files_of_a_shared_folder_are_the_groups_whatever_the_umask(shared):
    before = os.umask(0o077)
    try:
        (shared / "m").mkdir()
        (shared / "m/weights").write_bytes(b"x")
        share(shared / "m")
    finally:
        os.umask(before)
    assert mode(shared / "m") & 0o2070 == 0o2070
    assert mode(shared / "m/weights") & 0o060 == 0o060
    assert (shared / "m/weights").stat().st_gid == shared.stat().st_gid


def test_a_folder_of_ones_own_stays_ones_own(tmp_path):
    (tmp_path / "models/m").mkdir(parents=True)
    (tmp_path / "models").chmod(0o700)
    (tmp_path / "models/m").chmod(0o700)
    share(tmp_path / "models/m")
    assert mode(tmp_path / "models/m") == 0o700


def test_one_at_a_time_and_the_other_is_told(tmp_path, capsys):
    order = []

    def second() -> None:
        with alone(tmp_path, "m"):
            order.append("second")

    with alone(tmp_path, "m"):
        thread = threading.Thread(target=second)
        thread.start()
        deadline = time.monotonic() + 10
        while "waiting" not in capsys.readouterr().err and time.monotonic() < deadline:
            time.sleep(0.01)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become two users")
def test_a_second_user_of_the_group_takes_the_lock_and_changes_the_files(shared):
    for parent in shared.parents:  # pytest's own folders are closed to others
        if "pytest" in str(parent):
            parent.chmod(0o755)
    for user in (23001, 23002):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                os.setgroups([GROUP])
                os.setgid(user)
                os.setuid(user)
                os.umask(0o077)
                with alone(shared, "m"):
                    (shared / "m").mkdir(exist_ok=True)
                    with (shared / "m/weights").open("a") as handle:
                        handle.write(f"{user}\n")
                    share(shared / "m")
                status = 0
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert (shared / "m/weights").read_text() == "23001\n23002\n"
