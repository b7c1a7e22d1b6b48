"""Leases: a device is held by one process at a time and is free again when that process dies, however it dies."""

import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from quantbench.devices import lease, lease_folder, lease_visible
from quantbench.devices.inventory import STAND_INS, stand_ins
from quantbench.errors import QuantbenchError

DEVICES = ["GPU-a", "GPU-b", "GPU-c", "GPU-d"]


def _hold(folder: Path, count: int, held) -> None:
    with lease(count, DEVICES, folder, f"cell {count}", poll_s=0.05) as uuids:
        held.put((os.getpid(), uuids))
        time.sleep(60)


def test_four_processes_get_four_devices_and_a_fifth_waits_for_a_killed_one(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    held = context.Queue()
    processes = [context.Process(target=_hold, args=(tmp_path, 1, held), daemon=True) for _ in range(5)]
    for process in processes:
        process.start()
    first = [held.get(timeout=60) for _ in range(4)]
    assert sorted(uuid for _, uuids in first for uuid in uuids) == DEVICES
    time.sleep(0.3)
    assert held.empty()  # the fifth waits
    killed_pid, killed_uuids = first[0]
    os.kill(killed_pid, signal.SIGKILL)
    assert held.get(timeout=60)[1] == killed_uuids
    for process in processes:
        process.kill()


def test_several_devices_are_taken_together_and_given_back(tmp_path: Path) -> None:
    with lease(3, DEVICES, tmp_path) as some:
        assert len(set(some)) == 3
    with lease(4, DEVICES, tmp_path) as all_of_them:
        assert all_of_them == DEVICES


def test_asking_for_more_than_there_are_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(QuantbenchError, match="needs 5 GPUs and 4 are visible"), lease(5, DEVICES, tmp_path):
        pass


def test_who_waits_says_for_what_and_whom(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    context = multiprocessing.get_context("fork")
    held = context.Queue()
    holder = context.Process(target=_hold, args=(tmp_path, 3, held), daemon=True)
    holder.start()
    pid, uuids = held.get(timeout=60)
    waiting = context.Process(target=_hold, args=(tmp_path, 2, held), daemon=True)
    waiting.start()
    time.sleep(0.4)
    holder.kill()
    assert len(held.get(timeout=60)[1]) == 2
    waiting.kill()
    said = capfd.readouterr().err.splitlines()
    assert len(said) == 1, "once a minute, not at every try"
    assert said[0].startswith("waiting for 2 of 4 GPUs for 0 s: ")
    assert f"{uuids[0]} process {pid} cell 3" in said[0]


def test_devices_that_others_use_are_taken_last_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    used = {"GPU-a": ["process 7 (3.0 GiB)"], "GPU-b": ["process 8 (1.0 GiB)", "process 9"]}
    with lease(2, DEVICES, tmp_path, foreign=lambda uuid: used.get(uuid, [])) as held:
        assert held == ["GPU-c", "GPU-d"]
        assert capsys.readouterr().err == ""
        with lease(1, DEVICES, tmp_path, foreign=lambda uuid: used.get(uuid, [])) as third:
            assert third == ["GPU-a"]
        assert "GPU-a is also used by process 7 (3.0 GiB), which holds no lease" in capsys.readouterr().err


def test_visible_devices_are_leased_only_where_some_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(STAND_INS, "4")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")
    with lease_visible(0, tmp_path, "none") as none, lease_visible(1, tmp_path, "one") as one:
        assert (none, one) == ([], ["STAND-IN-2"])


def test_leases_stand_in_a_folder_of_this_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    folder = lease_folder()
    assert folder == tmp_path / f"quantbench-{os.getuid()}" / "leases"
    assert folder.parent.stat().st_mode & 0o077 == 0


def test_a_folder_that_takes_no_leases_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(QuantbenchError, match="file"), lease(1, DEVICES, tmp_path / "file"):
        pytest.fail("it is held")
    (tmp_path / "GPU-a.lock").symlink_to("elsewhere")
    with pytest.raises(QuantbenchError, match=r"GPU-a\.lock: cannot be locked .*TMPDIR"), lease(1, DEVICES, tmp_path):
        pytest.fail("it is held")


def test_a_lease_holds_where_its_holder_cannot_be_noted(tmp_path: Path) -> None:
    (tmp_path / "GPU-a.holder").mkdir()
    with lease(1, DEVICES, tmp_path, "cell") as uuids:
        assert uuids == ["GPU-a"]


@pytest.mark.parametrize("value", ["²", "٣", "-1", "1e3", "99999999", "9" * 5000])
def test_a_number_of_stand_ins_that_is_none_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STAND_INS, value)
    with pytest.raises(QuantbenchError, match=f"{STAND_INS} .* up to 1024"):
        stand_ins()
