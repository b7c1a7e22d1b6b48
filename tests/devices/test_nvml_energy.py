"""Energy of GPUs: NVML's counters, moved by hand, and why there is none."""

from __future__ import annotations

import pytest

from quantbench.measure.energy import energy_window
from tests.devices.fake_nvml import FakeMachine

A, B = "GPU-aaaaaaaa-0000-0000-0000-000000000000", "GPU-bbbbbbbb-0000-0000-0000-000000000001"
SLICE = "MIG-11111111-0000-0000-0000-000000000001"


@pytest.fixture
def two(fake_machine: FakeMachine) -> FakeMachine:
    fake_machine.add(f'gpu {A} name="NVIDIA A100" power_w=35 energy_mj=10000000')
    fake_machine.add(f'gpu {B} name="NVIDIA A100" power_w=26 energy_mj=20000000')
    return fake_machine


def test_joules_of_all_gpus_are_added_and_idle_power_is_that_before(two: FakeMachine) -> None:
    window = energy_window([A, B])
    two.change(A, "energy_mj=10000000", "energy_mj=12000000")  # before it opens: not counted
    with window:
        two.change(A, "energy_mj=12000000", "energy_mj=14000000")
        two.change(B, "power_w=26 energy_mj=20000000", "power_w=300 energy_mj=20000500")
    record = window.record()
    assert (record.energy_j, record.idle_power_w) == (pytest.approx(2000.5), 61)
    assert (record.source, record.reason) == ("nvml", "")


def test_a_counter_that_grows_by_itself_is_followed(fake_machine: FakeMachine) -> None:
    fake_machine.add(f'gpu {A} name="NVIDIA A100" power_w=100000')
    window = energy_window([A])
    joules = [0.0]
    with window:
        while len(joules) < 4:
            now = window.so_far_j()
            assert now is not None and now >= joules[-1]
            joules += [now] if now > joules[-1] else []
    assert window.record().energy_j >= joules[-1]


def test_energy_is_known_without_power_and_power_does_not_stand_for_energy(two: FakeMachine) -> None:
    two.add("refuse nvmlDeviceGetPowerUsage 3")
    window = energy_window([A])
    with window:
        two.change(A, "energy_mj=10000000", "energy_mj=10007000")
    assert (window.record().energy_j, window.record().idle_power_w) == (7, None)
    two.add("refuse nvmlDeviceGetTotalEnergyConsumption 3")
    with energy_window([A]) as window:
        pass
    record = window.record()
    assert (record.energy_j, record.reason) == (
        None,
        f"unavailable: NVML does not tell the energy of {A} (Not Supported)",
    )


def test_the_energy_of_a_slice_is_unavailable_with_the_reason(fake_machine: FakeMachine) -> None:
    fake_machine.become("mig_a100")
    with energy_window([SLICE]) as window:
        pass
    record = window.record()
    assert record.energy_j is None
    assert record.reason == f"unavailable: NVML counts the energy of whole GPUs, and {SLICE} is a MIG slice"


def test_a_gpu_without_a_counter_or_unknown_or_lost_is_unavailable_with_nvmls_words(two: FakeMachine) -> None:
    with energy_window(["GPU-of-no-machine"]) as unknown:
        pass
    assert unknown.record().reason == "unavailable: Not Found"
    with energy_window([A, B]) as lost:
        two.remove(f"gpu {B}")
    assert (lost.record().energy_j, lost.record().reason) == (
        None,
        f"unavailable: NVML does not tell the energy of {B} (GPU is lost)",
    )
    two.become("vgpu")
    with energy_window([A]) as virtual:
        pass
    assert virtual.record().reason == f"unavailable: NVML does not tell the energy of {A} (Not Supported)"


def test_without_a_driver_energy_is_unavailable(fake_machine: FakeMachine) -> None:
    with energy_window([A]) as window:
        pass
    assert window.record().energy_j is None
    assert window.record().reason == "unavailable: Driver Not Loaded"
