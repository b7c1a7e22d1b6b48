"""Energy over a window, from NVML's total-energy counter; never 0 where there is no counter."""

from __future__ import annotations

from typing import Any


class EnergyWindow:
    """Reads the energy counters of some GPUs at the start and end of a window.

    Use as a context manager; afterwards :meth:`record` gives joules, or ``None`` with the reason.
    """

    def __init__(self, uuids: list[str]) -> None:
        self._uuids = uuids
        self._reason = "" if uuids else "no GPU in use"
        self._start: list[int] = []
        self._end: list[int] = []

    def __enter__(self) -> EnergyWindow:
        self._start = self._read()
        return self

    def __exit__(self, *_: object) -> None:
        self._end = self._read()

    def record(self) -> dict[str, Any]:
        """``{"energy_j": float or None, "reason": str}``."""
        if self._reason:
            return {"energy_j": None, "reason": f"unavailable: {self._reason}"}
        # NVML counts millijoules.
        joules = sum(end - start for start, end in zip(self._start, self._end, strict=True)) / 1000
        return {"energy_j": joules, "reason": ""}

    def _read(self) -> list[int]:
        if self._reason:
            return []
        try:
            import pynvml

            pynvml.nvmlInit()
            handles = [pynvml.nvmlDeviceGetHandleByUUID(uuid) for uuid in self._uuids]
            return [int(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)) for handle in handles]
        except Exception as error:  # any NVML failure makes the window unavailable, with NVML's own words
            self._reason = str(error) or type(error).__name__
            return []
