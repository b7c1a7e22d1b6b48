"""Fixtures of the three harnesses (README.md)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import pytest

from .fake_nvml import fake_machine

__all__ = ["fake_machine"]

if TYPE_CHECKING:
    from .simulated_tensor import Machine

SimulatedCuda = Callable[[int, float], AbstractContextManager["Machine"]]


@pytest.fixture(scope="session")
def simulated_cuda() -> SimulatedCuda:
    """``with simulated_cuda(devices, gib) as machine:`` simulates CUDA devices; skips where that cannot be done."""
    from .simulated_cuda import simulated_devices
    from .simulated_guard import NoSimulation, load_guard

    try:
        load_guard()
    except NoSimulation as reason:
        pytest.skip(f"no simulated devices: {reason}")
    return simulated_devices
