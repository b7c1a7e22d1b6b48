"""A guard for inputs that make a careless reader run for minutes or never end.

How fast readers are is a benchmark's matter (``benchmarks/degenerate_answers.py``). A limit that a slow or busy machine may
miss says nothing about the code; one of a hundred times the usual time tells a reader that ends from one that does not.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

Result = TypeVar("Result")

# Of processor time. The longest reading takes 0.1 s.
LIMIT_S = 20.0


def ended(call: Callable[[], Result]) -> Result:
    """The result of a call, which fails the test where it takes :data:`LIMIT_S` of processor time."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise AssertionError(f"still running after {LIMIT_S:g} s of processor time")

    before = signal.signal(signal.SIGPROF, interrupt)
    signal.setitimer(signal.ITIMER_PROF, LIMIT_S)
    try:
        return call()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
