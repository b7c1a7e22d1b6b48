"""Time and energy of the quality pass, kept batch by batch: a kill loses no more than the batch in flight."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ..contracts.kept_progress import PassWindow
from ..contracts.machine import DeviceFacts
from ..contracts.measurements import Energy, GpuConditions, Process, QualityPass
from ..contracts.records import Prediction
from ..measure.energy import EnergyWindow
from .progress import Progress


class PassMeter:
    """Notes what each kept batch took while the ``with`` block runs; its sums are over all starts of the cell.

    What is read beside the answers while the window pauses is in neither seconds nor joules.

    Args:
        progress: where it is noted.
        energy: the window of this start, not opened yet.
        device: where this start runs. Joules of another kind of device are not added to its own.
    """

    def __init__(self, progress: Progress, energy: EnergyWindow, device: DeviceFacts) -> None:
        self._progress, self._energy, self._device = progress, energy, device
        self._at = 0.0
        self._joules: float | None = 0.0

    def __enter__(self) -> PassMeter:
        self._energy.__enter__()
        self._at = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self._energy.__exit__()

    def kept(self, answers: Sequence[Prediction]) -> None:
        """Note what these answers took, once they are on disk."""
        now, joules = time.perf_counter() - self._energy.paused_s, self._energy.so_far_j()
        self._progress.note_window(
            PassWindow(
                seconds=now - self._at,
                samples=len(answers),
                new_tokens=sum(sum(one.new_tokens) for one in answers),
                energy_j=None if joules is None or self._joules is None else joules - self._joules,
                reason=self._energy.reason,
                source=self._energy.source,
                device=self._device.names,
            )
        )
        self._at, self._joules = now, joules

    def energy(self, contended_by: Sequence[Process]) -> Energy:
        """Joules of all starts on this kind of device, with the answers that they paid for; or why there are none."""
        windows = self._progress.history().windows
        counted = [one for one in windows if one.energy_j is not None and one.device == self._device.names]
        joules, seconds = sum(one.energy_j or 0.0 for one in counted), sum(one.seconds for one in counted)
        reason = ""
        if not counted:
            reason = self._energy.reason or next((one.reason for one in reversed(windows) if one.reason), "")
            reason = reason or "no energy was noted with any answer"
        elif joules <= 0:
            reason = f"the counter did not move within {seconds:.3g} s"
        return Energy(
            energy_j=None if reason else joules,
            reason=f"unavailable: {reason}" if reason else "",
            source=counted[-1].source if counted else self._energy.source,
            window_s=seconds if counted else None,
            idle_power_w=self._energy.idle_power_w,
            samples=sum(one.samples for one in counted),
            new_tokens=sum(one.new_tokens for one in counted),
            contended_by=list(contended_by),
        )

    def quality_pass(
        self, engine: str, batches: int, gpus: GpuConditions | None = None, attention: str | None = None
    ) -> QualityPass:
        """Seconds of all starts, and the answers that were given in them.

        Args:
            engine: that answered.
            batches: of the whole plan.
            gpus: their conditions around this start's part of the pass.
            attention: transformers' implementation of it, on a GPU.
        """
        windows = self._progress.history().windows
        return QualityPass(
            engine=engine,
            seconds=sum(one.seconds for one in windows),
            samples=sum(one.samples for one in windows),
            batches=batches,
            attention=attention,
            gpus=gpus,
        )
