"""Other processes on leased GPUs are named; this one is told apart, in a container too."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence

import pytest

from quantbench.contracts.manifest import ForeignProcesses
from quantbench.contracts.measurements import Process
from quantbench.devices import visible_devices
from quantbench.measure.neighbours import Neighbours, running_processes

GIB = 1024**3


class Device:
    """What NVML would list, changed by hand."""

    def __init__(self, *processes: Process) -> None:
        self.processes = list(processes)

    def __call__(self, uuids: Sequence[str]) -> list[Process]:
        assert uuids == ["GPU-a"]
        return list(self.processes)


def test_this_process_is_not_foreign_and_others_are_named() -> None:
    device = Device(Process(pid=77, name="python train.py", used_bytes=GIB))
    neighbours = Neighbours(["GPU-a"], device)
    device.processes.append(Process(pid=os.getpid(), name="python", used_bytes=2 * GIB))
    neighbours.settle()
    assert neighbours.record().found == [Process(pid=77, name="python train.py", used_bytes=GIB)]


def test_in_a_container_the_one_that_appears_while_loading_is_this_process() -> None:
    device = Device(Process(pid=900077, name="unknown", used_bytes=None))
    neighbours = Neighbours(["GPU-a"], device)
    device.processes.append(Process(pid=912345, name="unknown", used_bytes=2 * GIB))
    neighbours.settle()
    device.processes.append(Process(pid=999999, name="jupyter", used_bytes=GIB))
    neighbours.look()
    assert [found.pid for found in neighbours.record().found] == [900077, 999999]


def test_when_two_appear_at_once_contention_is_said_rather_than_hidden() -> None:
    device = Device()
    neighbours = Neighbours(["GPU-a"], device)
    device.processes += [
        Process(pid=1001, name="unknown", used_bytes=GIB),
        Process(pid=1002, name="unknown", used_bytes=GIB),
    ]
    neighbours.settle()
    assert [found.pid for found in neighbours.record().found] == [1001, 1002]


def test_who_has_left_again_was_there_and_the_most_it_held_is_kept() -> None:
    device = Device(Process(pid=77, name="a", used_bytes=3))
    neighbours = Neighbours(["GPU-a"], device)
    device.processes = [Process(pid=77, name="a", used_bytes=9)]
    neighbours.look()
    device.processes = [Process(pid=77, name="a", used_bytes=None)]
    neighbours.look()
    device.processes = []
    neighbours.look()
    assert neighbours.record() == ForeignProcesses(found=[Process(pid=77, name="a", used_bytes=9)])


def test_without_gpus_nobody_is_asked() -> None:
    assert Neighbours([], Device()).record() == ForeignProcesses(found=[])


def test_where_nvml_does_not_answer_the_reason_is_kept() -> None:
    record = Neighbours(["GPU-of-no-machine"]).record()
    assert record.found == []
    assert record.reason.startswith("unavailable: ")


def test_a_real_process_on_a_real_gpu_is_found() -> None:
    uuids = visible_devices()[:1]
    if not uuids:
        pytest.skip("no GPU is here")
    neighbours = Neighbours(uuids)
    code = "import torch, time; block = torch.ones(2**26, device='cuda'); print('ready', flush=True); time.sleep(60)"
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": uuids[0]}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment) as other:
        assert other.stdout is not None and other.stdout.readline().strip() == b"ready"
        deadline = time.monotonic() + 10
        while not running_processes(uuids) and time.monotonic() < deadline:
            time.sleep(0.1)
        neighbours.look()
        other.kill()
    if not neighbours.record().found:
        pytest.skip("the driver here does not list processes (a container without the host's)")
    assert all(found.used_bytes is None or found.used_bytes >= 2**28 for found in neighbours.record().found)
