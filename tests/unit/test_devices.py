"""Leases: a device is held by one process at a time and is free again when that process dies, however it dies."""

import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from quantbench.devices import lease, visible_devices
from quantbench.errors import QuantbenchError

DEVICES = ["GPU-a", "GPU-b", "GPU-c", "GPU-d"]


def _hold(folder: Path, count: int, held) -> None:
    with lease(count, DEVICES, folder, poll_s=0.05) as uuids:
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


def test_no_driver_means_no_devices() -> None:
    if Path("/dev/nvidiactl").exists():
        pytest.skip("a GPU is here")
    assert visible_devices() == []
