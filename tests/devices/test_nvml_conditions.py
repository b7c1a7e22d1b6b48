"""Clocks, power limit, temperature and reasons of GPUs around a pass: what NVML tells, and what it makes of refusals."""

from __future__ import annotations

import pytest

from quantbench.contracts.measurements import GpuCondition, GpuConditions
from quantbench.measure.gpu_conditions import ConditionWatch, clocked_down, gpu_conditions
from tests.devices.fake_nvml import FakeMachine

A, B = "GPU-aaaaaaaa-0000-0000-0000-000000000000", "GPU-bbbbbbbb-0000-0000-0000-000000000001"
SLICE = "MIG-11111111-0000-0000-0000-000000000001"


@pytest.fixture
def four(fake_machine: FakeMachine) -> FakeMachine:
    fake_machine.become("four_a100")
    return fake_machine


@pytest.mark.parametrize("refusal", ["", "refuse nvmlDeviceGetCurrentClocksEventReasons 13"])
def test_every_condition_is_read_before_and_after(four: FakeMachine, refusal: str) -> None:
    """Of a driver that knows the reasons by their old name too."""
    if refusal:
        four.add(refusal)
    watch = ConditionWatch([A])
    four.change(A, "celsius=34 reasons=0x1", "celsius=61 reasons=0x44")
    found = watch.record()
    calm = GpuCondition(
        uuid=A,
        sm_clock_mhz=1410,
        memory_clock_mhz=1593,
        power_limit_w=400,
        temperature_c=34,
        clock_reasons=["idle"],
    )
    hot = calm.model_copy(
        update={"temperature_c": 61, "clock_reasons": ["power cap", "hardware thermal slowdown"]},
    )
    assert found == GpuConditions(before=[calm], after=[hot])


def test_of_a_slice_nvml_tells_nothing_and_of_other_gpus_what_they_know(fake_machine: FakeMachine) -> None:
    fake_machine.become("mig_a100")
    nothing = dict.fromkeys(GpuCondition.model_fields)
    assert [one.model_dump() for one in gpu_conditions([SLICE])] == [nothing | {"uuid": SLICE}]
    fake_machine.become("dgx_spark")
    known = {"uuid": A, "sm_clock_mhz": 2418, "temperature_c": 41, "clock_reasons": ["idle"]}
    assert [one.model_dump() for one in gpu_conditions([A])] == [nothing | known]


def condition(*reasons: str) -> GpuCondition:
    return GpuCondition(
        uuid="GPU-1",
        sm_clock_mhz=1410,
        memory_clock_mhz=1593,
        power_limit_w=400,
        temperature_c=60,
        clock_reasons=list(reasons),
    )


def test_heat_and_power_brakes_clock_a_gpu_down_and_a_full_power_budget_does_not() -> None:
    calm = GpuConditions(before=[condition("idle")], after=[condition("power cap"), condition()])
    hot = GpuConditions(
        before=[condition("software thermal slowdown")],
        after=[condition("power cap", "hardware power brake"), condition("hardware power brake")],
    )
    assert clocked_down(calm) == clocked_down(None) == []
    assert clocked_down(hot) == ["hardware power brake", "software thermal slowdown"]


def test_without_gpus_or_without_nvml_there_is_nothing_to_tell(fake_machine: FakeMachine) -> None:
    assert ConditionWatch([]).record() is None
    assert gpu_conditions([A]) == []
    assert ConditionWatch([A]).record() is None


def test_what_was_seen_before_a_gpu_was_lost_is_kept(four: FakeMachine) -> None:
    watch = ConditionWatch([A, B])
    four.remove(f"gpu {B}")
    found = watch.record()
    assert found is not None
    assert ([one.uuid for one in found.before], found.after) == ([A, B], [])
