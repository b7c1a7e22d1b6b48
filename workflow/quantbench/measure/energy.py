"""Energy over a whole window, from counters the hardware keeps; never 0 where there is no counter (docs/protocol.md#energy).

On GPUs it is NVML's total-energy counter of each leased device; on CPU the RAPL counters of the kernel's powercap tree.
Neither knows whose work it counts: what other processes do on the same device or processor is in it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from ..contracts.measurements import Energy
from .nvml import handle, is_slice, nvml, told

POWERCAP = Path("/sys/class/powercap")
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
        self._idle_power_w = counter.idle_power_w() if counter is not None else None
        self._last: list[int] = []
        self._total_uj = 0
        self._begin: float | None = None
        self._seconds: float | None = None
        self._is_paused = False
        self.paused_s = 0.0  # by now, of a block that goes on
        self._lock, self._ended = threading.Lock(), threading.Event()
        self._poller: threading.Thread | None = None

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
        assert self._begin is not None
        self._seconds = time.perf_counter() - self._begin - self.paused_s

    def so_far_j(self) -> float | None:
        """Joules since the block began, read now within it; None where they are unknown, see :attr:`reason`."""
        self._advance()
        return None if self._reason else self._total_uj * MICRO

    @property
    def reason(self) -> str:
        """Why the counters cannot be read, as far as is known by now; else empty."""
        return self._reason

    @property
    def source(self) -> str | None:
        """Which counters are read; None: none."""
        return self._counter.source if self._counter else None

    @property
    def idle_power_w(self) -> float | None:
        """Power before the window, where it is known."""
        return self._idle_power_w

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave out what a ``with`` block inside the window takes; outside of one, nothing happens."""
        if self._begin is None or self._seconds is not None:
            yield
            return
        begin = time.perf_counter()
        self._advance()
        with self._lock:
            self._is_paused = True
        try:
            yield
        finally:
            with self._lock:
                self._is_paused = False
            self._advance(first=True)
            self.paused_s += time.perf_counter() - begin

    def record(self) -> Energy:
        """The joules, or why there are none."""
        reason = self._reason
        if not reason and self._seconds is None:
            reason = "no sample was left to answer"
        elif not reason and self._total_uj <= 0:
            reason = f"the counter did not move within {self._seconds:.3g} s"
        return Energy(
            energy_j=None if reason else self._total_uj * MICRO,
            reason=f"unavailable: {reason}" if reason else "",
            source=self.source,
            window_s=self._seconds,
            idle_power_w=self._idle_power_w,
        )

    def _poll(self) -> None:
        while not self._ended.wait(self._poll_s):
            self._advance()

    def _advance(self, first: bool = False) -> None:
        """Add what the counters moved since they were last read."""
        if self._counter is None or self._reason:
            return
        with self._lock:
            if self._is_paused:
                return
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
    """NVML's total-energy counters of some GPUs, by UUID; they never wrap in practice (64 bits of millijoules).

    Raises:
        OSError: a MIG slice, which has no counter of its own: its GPU's counts what the other slices do.
    """

    source = "nvml"

    def __init__(self, uuids: Sequence[str]) -> None:
        parts = [uuid for uuid in uuids if is_slice(uuid)]
        if parts:
            raise OSError(f"NVML counts the energy of whole GPUs, and {', '.join(parts)} is a MIG slice")
        self._nvml, self._handles = nvml(), {uuid: handle(uuid) for uuid in uuids}
        self.ranges_uj: list[int | None] = [None] * len(self._handles)

    def read_uj(self) -> list[int]:
        """See :class:`Counter`.

        Raises:
            OSError: a GPU does not tell its energy; in NVML's words.
        """
        return [1000 * self._energy_mj(uuid) for uuid in self._handles]

    def idle_power_w(self, readings: int = 5, pause_s: float = 0.1) -> float | None:
        """Mean of a few readings, summed over the devices; None where one does not tell its power."""
        total = 0.0
        for _ in range(readings):
            power_mw = told(lambda: sum(map(self._nvml.nvmlDeviceGetPowerUsage, self._handles.values())))
            if power_mw is None:
                return None
            total += power_mw / 1000
            time.sleep(pause_s)
        return total / readings

    def _energy_mj(self, uuid: str) -> int:
        try:
            return int(self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handles[uuid]))
        except self._nvml.NVMLError as error:
            raise OSError(f"NVML does not tell the energy of {uuid} ({error})") from error


class RaplCounter:
    """RAPL: the counters of all Intel or AMD processor packages, and of memory where it has one of its own.

    Source: Linux ``Documentation/power/powercap/powercap.rst``. Each domain is a folder with ``name``, ``energy_uj``
    (microjoules, readable by root alone since 2020) and ``max_energy_range_uj``, beyond which the counter starts again.
    A package's counter includes its cores; a ``psys`` domain includes everything: neither is added twice.

    Raises:
        OSError: no domain, or its counter may not be read; the message says which.
    """

    source = "rapl"

    def __init__(self, powercap: Path = POWERCAP) -> None:
        domains = [folder for folder in sorted(powercap.glob("intel-rapl:*")) if _counted(folder)]
        if not domains:
            raise OSError(f"no processor energy counter ({powercap}/intel-rapl:* is missing)")
        self._files = [folder / "energy_uj" for folder in domains]
        self.ranges_uj: list[int | None] = [int((folder / "max_energy_range_uj").read_text()) for folder in domains]
        self.read_uj()

    def read_uj(self) -> list[int]:
        """See :class:`Counter`."""
        try:
            return [int(path.read_text()) for path in self._files]
        except PermissionError as error:
            raise PermissionError(
                f"{error.filename} may not be read; an administrator can allow it (chmod a+r)"
            ) from None

    def idle_power_w(self) -> float | None:
        """Unknown: a processor is never idle while Snakemake and other jobs run."""
        return None


def energy_window(uuids: Sequence[str], powercap: Path = POWERCAP) -> EnergyWindow:
    """The window for some GPUs, or for the processor where there are none. Reads idle power, so open no model before."""
    try:
        return EnergyWindow(NvmlCounter(uuids) if uuids else RaplCounter(powercap))
    except Exception as error:  # no driver, no such device, no counter: unavailable, in the words of whoever refused
        return EnergyWindow(None, str(error) or type(error).__name__)


def _counted(folder: Path) -> bool:
    try:
        name = (folder / "name").read_text().strip()
    except OSError:
        return False
    return name.startswith("package") or name == "dram"
