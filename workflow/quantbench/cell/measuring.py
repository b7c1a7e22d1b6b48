"""The measurement pass: latency and memory at batch 1, before the quality pass, in the same process (docs/protocol.md#latency)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..config.run import MeasurementSettings
from ..engine.batches import Request
from ..measure import memory
from ..measure.latency import time_each

if TYPE_CHECKING:
    from ..engine.generation import Generator


def measure(
    settings: MeasurementSettings, seed: int, requests: Sequence[Request], generator: Generator, held: dict[str, Any]
) -> dict[str, Any]:
    """Time some samples one at a time and read the peak of memory.

    Args:
        settings: how many samples and warm-ups.
        seed: of the choice of samples.
        requests: all of the cell.
        generator: the loaded model.
        held: memory after loading.

    Returns:
        ``memory`` and ``latency`` of ``measurements.json``, raw values in seconds and bytes.
    """
    chosen = latency_requests(requests, settings.latency_samples + settings.warmup, seed)
    memory.start_peak()
    items = [(request.sample_id, request) for request in chosen]
    latencies = time_each(items, generator.time_one, generator.synchronize, min(settings.warmup, len(items) - 1))
    return {
        "memory": {"after_load": held, "inference": memory.peak()},
        "latency": {"warmup": settings.warmup, "samples": latencies},
    }


def latency_requests(requests: Sequence[Request], count: int, seed: int) -> list[Request]:
    """A seeded choice, the same at every precision."""
    return random.Random(seed).sample(list(requests), min(count, len(requests)))
