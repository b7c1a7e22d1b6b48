"""Clocks, power limit and temperature of GPUs around a pass: a GPU that was clocked down makes a precision look slow."""

from __future__ import annotations

from collections.abc import Sequence

from ..contracts.measurements import GpuCondition, GpuConditions
from .nvml import handle, nvml, told

# Bits of nvmlClocksEventReasons in nvml.h, which older drivers call throttle reasons.
CLOCK_REASONS = {
    0x1: "idle",
    0x2: "application clocks",
    0x4: "power cap",
    0x8: "hardware slowdown",
    0x10: "sync boost",
    0x20: "software thermal slowdown",
    0x40: "hardware thermal slowdown",
    0x80: "hardware power brake",
    0x100: "display clocks",
}
# The power cap is not among them: many GPUs reach it under any full load, at every precision.
CLOCKED_DOWN = frozenset(
    {"hardware slowdown", "software thermal slowdown", "hardware thermal slowdown", "hardware power brake"}
)


class ConditionWatch:
    """The conditions of some GPUs before and after what happens in between. Make it just before a pass."""

    def __init__(self, uuids: Sequence[str]) -> None:
        self._uuids = list(uuids)
        self._before = gpu_conditions(self._uuids)

    def record(self) -> GpuConditions | None:
        """Then and now; None without GPUs, or where NVML does not answer."""
        after = gpu_conditions(self._uuids)
        return GpuConditions(before=self._before, after=after) if self._before or after else None


def gpu_conditions(uuids: Sequence[str]) -> list[GpuCondition]:
    """Each GPU now. What NVML refuses is None; without NVML there is none."""
    try:
        return [_condition(uuid) for uuid in uuids]
    except Exception:  # no driver, or a GPU that NVML does not know: unknown, which is no reason to stop
        return []


def clocked_down(conditions: GpuConditions | None) -> list[str]:
    """Why GPUs ran below their clocks before or after a pass, each reason once; a full power budget is none."""
    seen = [*conditions.before, *conditions.after] if conditions else []
    return sorted({reason for one in seen for reason in one.clock_reasons or []} & CLOCKED_DOWN)


def _condition(uuid: str) -> GpuCondition:
    library, device = nvml(), handle(uuid)
    power_mw = told(lambda: library.nvmlDeviceGetEnforcedPowerLimit(device))
    reasons = told(lambda: int(library.nvmlDeviceGetCurrentClocksEventReasons(device)))
    if reasons is None:  # drivers of before 535 know it by its old name
        reasons = told(lambda: int(library.nvmlDeviceGetCurrentClocksThrottleReasons(device)))
    return GpuCondition(
        uuid=uuid,
        sm_clock_mhz=told(lambda: int(library.nvmlDeviceGetClockInfo(device, library.NVML_CLOCK_SM))),
        memory_clock_mhz=told(lambda: int(library.nvmlDeviceGetClockInfo(device, library.NVML_CLOCK_MEM))),
        power_limit_w=None if power_mw is None else power_mw / 1000,
        temperature_c=told(lambda: int(library.nvmlDeviceGetTemperature(device, library.NVML_TEMPERATURE_GPU))),
        clock_reasons=None if reasons is None else [name for bit, name in CLOCK_REASONS.items() if reasons & bit],
    )
