"""Other processes on leased GPUs are named; this one is told apart, in a container too."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from quantbench.contracts.manifest import ForeignProcesses
from quantbench.contracts.measurements import Process
from quantbench.devices import visible_devices
from quantbench.measure.memory import process_device_bytes
from quantbench.measure.neighbours import Neighbours, running_processes
from tests.devices.fake_nvml import FakeMachine

GIB = 1024**3
A, B = "GPU-aaaaaaaa-0000-0000-0000-000000000000", "GPU-bbbbbbbb-0000-0000-0000-000000000001"
SLICE, OTHER_SLICE = "MIG-11111111-0000-0000-0000-000000000001", "MIG-22222222-0000-0000-0000-000000000002"


@pytest.fixture
def four(fake_machine: FakeMachine) -> FakeMachine:
    fake_machine.become("four_a100")
    return fake_machine


def test_this_process_is_not_foreign_and_others_are_named(four: FakeMachine) -> None:
    four.add(f'process {A} pid=77 used=1GiB name="python train.py"')
    neighbours = Neighbours([A])
    four.add(f"process {A} pid={os.getpid()} used=2GiB", f"process {B} pid=5 used=1GiB")
    neighbours.settle()
    assert neighbours.record().found == [Process(pid=77, name="python train.py", used_bytes=GIB)]


def test_in_a_container_the_one_that_appears_while_loading_is_this_process(four: FakeMachine) -> None:
    four.add(f"process {A} pid=900077")
    neighbours = Neighbours([A])
    four.add(f"process {A} pid=912345 used=2GiB")
    neighbours.settle()
    four.add(f'process {A} pid=999999 used=1GiB name="jupyter"')
    neighbours.look()
    assert neighbours.record().found == [
        Process(pid=900077, name="unknown", used_bytes=None),
        Process(pid=999999, name="jupyter", used_bytes=GIB),
    ]


def test_when_two_appear_at_once_contention_is_said_rather_than_hidden(four: FakeMachine) -> None:
    neighbours = Neighbours([A])
    four.add(f"process {A} pid=1001 used=1GiB", f"process {A} pid=1002 used=1GiB")
    neighbours.settle()
    assert [found.pid for found in neighbours.record().found] == [1001, 1002]


def test_who_has_left_again_was_there_and_the_most_it_held_is_kept(four: FakeMachine) -> None:
    four.add(f'process {A} pid=77 used=3 name="a"')
    neighbours = Neighbours([A])
    for line in (f'process {A} pid=77 used=9 name="a"', f'process {A} pid=77 name="a"'):
        four.remove("process")
        four.add(line)
        neighbours.look()
    four.remove("process")
    neighbours.look()
    assert neighbours.record() == ForeignProcesses(found=[Process(pid=77, name="a", used_bytes=9)])


def test_a_process_on_two_gpus_is_one_with_its_bytes_on_both(four: FakeMachine) -> None:
    four.add(f"process {A} pid=7 used=1GiB", f"process {B} pid=7 used=2GiB", f"process {B} pid=8")
    assert [(one.pid, one.used_bytes) for one in running_processes([A, B])] == [(7, 3 * GIB), (8, None)]


def test_neighbours_in_other_slices_of_a_gpu_are_none(fake_machine: FakeMachine) -> None:
    fake_machine.become("mig_a100")
    fake_machine.add(f"process {OTHER_SLICE} pid=5 used=1GiB", f"process {SLICE} pid={os.getpid()} used=3GiB")
    neighbours = Neighbours([SLICE])
    neighbours.settle()
    assert neighbours.record().found == []
    fake_machine.add(f"process {SLICE} pid=6 used=1GiB")
    neighbours.look()
    assert [one.pid for one in neighbours.record().found] == [6]
    assert process_device_bytes() == 3 * GIB


def test_what_this_process_holds_is_unknown_where_the_driver_does_not_tell(four: FakeMachine) -> None:
    four.add(f"process {A} pid={os.getpid()} used=3GiB")
    assert process_device_bytes() == 3 * GIB
    four.add(f"process {B} pid={os.getpid()}")
    assert process_device_bytes() is None


def test_without_gpus_nobody_is_asked(four: FakeMachine) -> None:
    four.add("refuse nvmlInitWithFlags 999")
    assert Neighbours([]).record() == ForeignProcesses(found=[])


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        ("nvmlDeviceGetComputeRunningProcesses_v3 4", "unavailable: Insufficient Permissions"),
        ("nvmlDeviceGetComputeRunningProcesses_v3 3", "unavailable: Not Supported"),
        ("nvmlInitWithFlags 999", "unavailable: Unknown Error"),
    ],
)
def test_where_nvml_does_not_answer_the_reason_is_kept(four: FakeMachine, refusal: str, words: str) -> None:
    four.add(f"refuse {refusal}")
    assert Neighbours([A]).record() == ForeignProcesses(found=[], reason=words)


def test_a_gpu_that_is_lost_meanwhile_is_a_reason_too(four: FakeMachine) -> None:
    four.add(f"process {A} pid=7 used=1GiB")
    neighbours = Neighbours([A])
    four.remove(f"gpu {A}")
    neighbours.look()
    record = neighbours.record()
    assert ([one.pid for one in record.found], record.reason) == ([7], "unavailable: Not Found")


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
