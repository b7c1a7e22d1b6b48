"""Energy over a whole window, from counters the hardware keeps; never 0 where there is no counter (docs/protocol.md#energy).

On GPUs it is NVML's total-energy counter of each leased device; on CPU the RAPL counters of the kernel's powercap tree.
Neither knows whose work it counts: what other processes do on the same device or processor is in it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from .rapl import POWERCAP, RaplCounter

MICRO = 1e-6
# A package at full power wraps its RAPL counter in about a quarter of an hour; it is read often enough to see each time.
POLL_S = 30.0


class Counter(Protocol):
    """Some energy counters read together, in microjoules."""

    source: str

    @property
    def ranges_uj(self) -> Sequence[int | None]:
        """Beyond which each counter starts again at 0; None: never."""

    def read_uj(self) -> list[int]:
        """The counters now."""

    def idle_power_w(self) -> float | None:
        """Power drawn before the work begins; None where it cannot be told apart from other work."""


class EnergyWindow:
    """Joules between the start and the end of a ``with`` block; :meth:`record` gives them, or None with the reason."""

    def __init__(self, counter: Counter | None, reason: str = "", poll_s: float = POLL_S) -> None:
        self._counter, self._reason, self._poll_s = counter, reason, poll_s
        self._idle_power_w: float | None = None
        self._last: list[int] = []
        self._total_uj = 0
        self._seconds: float | None = None
        self._lock, self._ended = threading.Lock(), threading.Event()
        self._poller: threading.Thread | None = None
        if counter is not None:
            try:
                self._idle_power_w = counter.idle_power_w()
            except Exception as error:  # NVML and the kernel refuse in many ways; each makes energy unavailable
                self._fail(error)

    def __enter__(self) -> EnergyWindow:
        self._begin = time.perf_counter()
        self._advance(first=True)
        if self._counter is not None and not self._reason and any(self._counter.ranges_uj):
            self._poller = threading.Thread(target=self._poll, daemon=True)
            self._poller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._poller is not None:
            self._poller.join()
        self._advance()
        self._seconds = time.perf_counter() - self._begin

    def record(self) -> dict[str, Any]:
        """``energy_j``, ``reason``, ``source``, ``window_s`` and ``idle_power_w``, the latter before the model loaded."""
        reason = self._reason
        if not reason and self._seconds is None:
            reason = "no sample was left to answer"
        elif not reason and self._total_uj <= 0:
            reason = f"the counter did not move within {self._seconds:.3g} s"
        return {
            "energy_j": None if reason else self._total_uj * MICRO,
            "reason": f"unavailable: {reason}" if reason else "",
            "source": self._counter.source if self._counter else None,
            "window_s": self._seconds,
            "idle_power_w": self._idle_power_w,
        }

    def _poll(self) -> None:
        while not self._ended.wait(self._poll_s):
            self._advance()

    def _advance(self, first: bool = False) -> None:
        """Add what the counters moved since they were last read."""
        if self._counter is None or self._reason:
            return
        with self._lock:
            try:
                now = self._counter.read_uj()
            except Exception as error:
                self._fail(error)
                return
            for before, after, limit in zip(self._last or now, now, self._counter.ranges_uj, strict=True):
                self._total_uj += 0 if first else after - before + (limit or 0) * (after < before)
            self._last = now

    def _fail(self, error: Exception) -> None:
        self._reason = str(error) or type(error).__name__


class NvmlCounter:
    """NVML's total-energy counters of some GPUs, by UUID; they never wrap in practice (64 bits of millijoules)."""

    source = "nvml"

    def __init__(self, uuids: Sequence[str]) -> None:
        import pynvml

        pynvml.nvmlInit()
        self._nvml = pynvml
        self._handles = [pynvml.nvmlDeviceGetHandleByUUID(uuid) for uuid in uuids]
        self.ranges_uj: list[int | None] = [None] * len(self._handles)

    def read_uj(self) -> list[int]:
        """See :class:`Counter`."""
        return [1000 * int(self._nvml.nvmlDeviceGetTotalEnergyConsumption(handle)) for handle in self._handles]

    def idle_power_w(self, readings: int = 5, pause_s: float = 0.1) -> float | None:
        """Mean of a few readings, summed over the devices."""
        total = 0.0
        for _ in range(readings):
            total += sum(self._nvml.nvmlDeviceGetPowerUsage(handle) for handle in self._handles) / 1000
            time.sleep(pause_s)
        return total / readings


def energy_window(uuids: Sequence[str], powercap: Path = POWERCAP) -> EnergyWindow:
    """The window for some GPUs, or for the processor where there are none. Reads idle power, so open no model before."""
    try:
        return EnergyWindow(NvmlCounter(uuids) if uuids else RaplCounter(powercap))
    except Exception as error:  # no driver, no such device, no counter: unavailable, in the words of whoever refused
        return EnergyWindow(None, str(error) or type(error).__name__)
