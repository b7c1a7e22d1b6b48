"""Leases of a described machine's devices by processes of their own: whole GPUs, MIG slices, neighbours, a device that vanishes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from quantbench.devices import lease, lease_visible, visible_devices
from quantbench.devices.description import device_facts
from quantbench.errors import QuantbenchError
from tests.devices.fake_nvml import FakeMachine

A, B = "GPU-aaaaaaaa-0000-0000-0000-000000000000", "GPU-bbbbbbbb-0000-0000-0000-000000000001"
C = "GPU-cccccccc-0000-0000-0000-000000000002"
SLICES = [
    "MIG-11111111-0000-0000-0000-000000000001",
    "MIG-22222222-0000-0000-0000-000000000002",
    "MIG-33333333-0000-0000-0000-000000000003",
]
HOLD = (
    "import sys; from pathlib import Path; from quantbench.devices import lease_visible\n"
    "with lease_visible(int(sys.argv[1]), Path(sys.argv[2]), 'a cell') as held:\n"
    "    print(','.join(held), flush=True); sys.stdin.read()\n"
)


class Holder:
    """Another process that leases devices of the same machine until it is told to stop."""

    def __init__(self, machine: FakeMachine, count: int, folder: Path, **environment: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(count), str(folder)],
            env=machine.environment(**environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.held = self._process.stdout.readline().strip().split(",")

    def stop(self) -> None:
        """Let go, and wait until the process has ended."""
        self._process.communicate(timeout=60)

    def __enter__(self) -> Holder:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def test_two_processes_hold_different_devices(fake_machine: FakeMachine, tmp_path: Path) -> None:
    fake_machine.become("four_a100")
    four = visible_devices()
    with (
        Holder(fake_machine, 2, tmp_path) as one,
        Holder(fake_machine, 1, tmp_path) as other,
        lease_visible(1, tmp_path, "this") as mine,
    ):
        assert sorted([*one.held, *other.held, *mine]) == four


def test_processes_hold_slices_one_each_and_never_their_gpu(fake_machine: FakeMachine, tmp_path: Path) -> None:
    fake_machine.become("mig_a100")
    with (
        Holder(fake_machine, 1, tmp_path) as one,
        Holder(fake_machine, 1, tmp_path) as other,
        lease_visible(1, tmp_path, "this") as mine,
    ):
        assert sorted([*one.held, *other.held, *mine]) == SLICES


def test_several_slices_are_never_leased_together(fake_machine: FakeMachine, tmp_path: Path) -> None:
    fake_machine.become("mig_a100")
    with (
        pytest.raises(QuantbenchError, match="needs 2 GPUs and those visible are MIG slices, of which CUDA gives"),
        lease_visible(2, tmp_path, "this"),
    ):
        pass


def test_a_mixed_machine_leases_whole_gpus_and_a_named_slice(fake_machine: FakeMachine, tmp_path: Path) -> None:
    fake_machine.become("mixed")
    with (
        lease_visible(2, tmp_path, "this") as mine,
        Holder(fake_machine, 1, tmp_path, CUDA_VISIBLE_DEVICES="0") as other,
    ):
        assert (mine, other.held) == ([B, C], [SLICES[0]])


def test_a_device_on_which_a_neighbour_computes_is_taken_last_and_said(
    fake_machine: FakeMachine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_machine.become("mig_a100")
    fake_machine.add(f"process {SLICES[0]} pid=7 used=3GiB")
    with lease_visible(1, tmp_path, "one") as one, lease_visible(1, tmp_path, "two") as two:
        assert (one, two, capsys.readouterr().err) == ([SLICES[1]], [SLICES[2]], "")
        with lease_visible(1, tmp_path, "three") as three:
            assert three == [SLICES[0]]
        assert f"{SLICES[0]} is also used by process 7 (3.0 GiB)" in capsys.readouterr().err


def test_where_processes_may_not_be_seen_devices_are_leased_in_their_order(
    fake_machine: FakeMachine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_machine.become("four_a100")
    fake_machine.add("refuse nvmlDeviceGetComputeRunningProcesses_v3 4")
    with lease_visible(2, tmp_path, "this") as held:
        assert (held, capsys.readouterr().err) == ([A, B], "")


def test_a_device_that_vanishes_while_it_is_leased_is_given_back(fake_machine: FakeMachine, tmp_path: Path) -> None:
    fake_machine.become("four_a100")
    before = visible_devices()
    with lease(4, before, tmp_path) as held:
        fake_machine.remove(f"gpu {A}")
        assert device_facts("cuda", held).names[0] == "unknown GPU"
    with lease(4, before, tmp_path) as again:
        assert again == before
    assert visible_devices() == before[1:]
    with pytest.raises(QuantbenchError, match="needs 4 GPUs and 3 are visible"), lease_visible(4, tmp_path, "this"):
        pass
