"""The peak of a setting on each of its devices, and in all."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .device_part import DevicePart
from .placement import Placement, place
from .setting import Setting
from .terms import TERMS, Stage, loading_bytes, needed_on, stage_terms, stages


@dataclass(frozen=True)
class DevicePlan:
    """One device while answers are given.

    Attributes:
        part: what it holds.
        stage: in which it reaches its peak.
        terms: the peak by term, in bytes.
        loading_bytes: what it holds at most while the model loads, which may be more.
        needed_bytes: what must be free on it: the peak, or what loading takes if that is more; of a model without formulas more.
    """

    part: DevicePart
    stage: Stage
    terms: dict[str, float]
    loading_bytes: float
    needed_bytes: float

    @property
    def peak_bytes(self) -> float:
        """What the allocator holds on this device at its peak."""
        return sum(self.terms.values())


@dataclass(frozen=True)
class Plan:
    """What each device holds at its own peak.

    The devices' peaks are reached one after another, and add up as ``torch.cuda.max_memory_allocated`` of all of them does.
    """

    setting: Setting
    placement: Placement
    devices: tuple[DevicePlan, ...]

    @property
    def fullest(self) -> DevicePlan:
        """The device that holds most at its peak; of equals the first."""
        return max(self.devices, key=lambda device: device.peak_bytes)

    @property
    def stage(self) -> Stage:
        """The stage in which the fullest device reaches its peak."""
        return self.fullest.stage

    @property
    def terms(self) -> dict[str, float]:
        """Bytes by term, summed over the devices, each at its own peak."""
        return {name: sum(device.terms[name] for device in self.devices) for name in TERMS}

    @property
    def peak_bytes(self) -> float:
        """The sum of the devices' peaks."""
        return sum(device.peak_bytes for device in self.devices)


def plan_memory(setting: Setting, placement: Placement | None = None) -> Plan:
    """Plan the peak of every device.

    Args:
        setting: what is planned.
        placement: which device holds what; None: as the setting's number of devices would share it if they had any memory.
    """
    count = setting.workload.devices
    placement = placement or place(setting, [math.inf] * count)
    assert placement is not None  # anything fits where memory has no end
    return Plan(setting, placement, tuple(_device_plan(setting, placement.part(index)) for index in range(count)))


def _device_plan(setting: Setting, part: DevicePart) -> DevicePlan:
    """The largest of the stages' sums."""
    loading, needed = loading_bytes(setting, part), needed_on(setting, part)
    sums = [DevicePlan(part, stage, stage_terms(setting, part, stage), loading, needed) for stage in stages(setting)]
    return max(sums, key=lambda plan: plan.peak_bytes)
