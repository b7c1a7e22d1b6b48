"""Timing of single generations: warm-up first, the device synchronized around each, every value kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Timing:
    """What one timed generation returns: when each step's token was there, and how long prompt and answer were."""

    token_at: Sequence[float]
    prompt_tokens: int
    new_tokens: int


@dataclass(frozen=True, slots=True)
class Latency:
    """One raw latency; seconds. ``token_times_s`` are counted from the start, one for each step, to the microsecond."""

    sample_id: str
    latency_s: float
    first_token_s: float
    prompt_tokens: int
    new_tokens: int
    token_times_s: list[float]


def time_each(
    items: Sequence[tuple[str, Item]],
    generate: Callable[[Item], Timing],
    synchronize: Callable[[], None],
    warmup: int,
) -> list[dict[str, Any]]:
    """Time ``generate`` on each item after ``warmup`` untimed calls (docs/protocol.md#latency).

    Args:
        items: (sample id, what to generate from), in the order they are timed; the first ``warmup`` are not timed.
        generate: one generation; reads :func:`time.perf_counter` when each token is ready.
        synchronize: waits until the device has finished; called before and after each generation.
        warmup: untimed calls.

    Returns:
        One :class:`Latency` a timed item, as a dictionary, in order.
    """
    latencies = []
    for position, (sample_id, item) in enumerate(items):
        synchronize()
        start = time.perf_counter()
        timing = generate(item)
        synchronize()
        end = time.perf_counter()
        if position >= warmup:
            tokens = [round(at - start, 6) for at in timing.token_at]
            first = timing.token_at[0] - start
            latency = Latency(sample_id, end - start, first, timing.prompt_tokens, timing.new_tokens, tokens)
            latencies.append(asdict(latency))
    return latencies
