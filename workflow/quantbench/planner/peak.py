"""The terms put together: a plan of one setting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from .setting import Setting
from .terms import TERMS, Stage


@dataclass(frozen=True)
class Plan:
    """Peak memory by term, in bytes summed over the devices, and the stage in which the peak is reached."""

    setting: Setting
    stage: Stage
    terms: dict[str, float]

    @property
    def peak_bytes(self) -> float:
        """The terms' sum: what the allocator holds at the peak."""
        return sum(self.terms.values())


def plan_memory(setting: Setting) -> Plan:
    """Plan the peak: the larger of the sums while the prompt is read and while the answer is written."""
    stages = [
        Plan(setting, stage, {name: term(setting, stage) for name, term in TERMS.items()}) for stage in get_args(Stage)
    ]
    return max(stages, key=lambda plan: plan.peak_bytes)
