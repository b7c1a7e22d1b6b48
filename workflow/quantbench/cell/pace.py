"""How far a cell is and how long it will take, said often enough to follow and seldom enough to read."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

# A person watches a terminal; a log of a cluster job is read afterwards.
TERMINAL_EVERY_S = 5.0
LOG_EVERY_S = 30.0


class Pace:
    """Says samples done, samples/s and time left; the first and the last word always, others at most every few seconds.

    Args:
        label: the cell in words.
        total: samples of the cell.
        done: samples finished by an earlier start.
        every_s: least seconds between two lines; None: by whether standard error is a terminal.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        label: str,
        total: int,
        done: int,
        every_s: float | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._label, self._total, self._done, self._clock = label, total, done, clock
        self._every_s = (TERMINAL_EVERY_S if _is_terminal() else LOG_EVERY_S) if every_s is None else every_s
        self._begin = self._said = clock()
        self._fresh = 0
        kept = f", {done} of them finished by an earlier start" if done else ""
        self._say(f"{total} samples{kept}")

    def finished(self, samples: int, where: str) -> None:
        """Count samples that have just been finished.

        Args:
            samples: how many.
            where: what is being worked on, such as ``batch 3/40``.
        """
        self._done += samples
        self._fresh += samples
        now = self._clock()
        if now - self._said < self._every_s and self._done < self._total:
            return
        self._said = now
        rate = self._fresh / max(now - self._begin, 1e-9)
        left = f"{duration((self._total - self._done) / rate)} left" if self._done < self._total else "done"
        self._say(f"{where}, {self._done}/{self._total} samples, {rate:.1f} samples/s, {left}")

    def _say(self, text: str) -> None:
        print(f"{self._label}: {text}", file=sys.stderr, flush=True)


def duration(seconds: float) -> str:
    """Write seconds as a person would: ``45 s``, ``12 min``, ``3 h 20 min``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


def _is_terminal() -> bool:
    """Whether a person may be watching. ``sys.stderr`` is a job's log by now, hence the stream behind it."""
    return sys.__stderr__ is not None and sys.__stderr__.isatty()
