"""Timing of single generations: warm-up first, the device synchronized around each, every value kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ..contracts.measurements import TimedAnswer

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Timing:
    """What one timed generation returns: when each step's token was there, and how long prompt and answer were."""

    token_at: Sequence[float]
    prompt_tokens: int
    new_tokens: int


def time_each(
    items: Sequence[tuple[str, Item]],
    generate: Callable[[Item], Timing],
    synchronize: Callable[[], None],
    warmup: int,
) -> list[TimedAnswer]:
    """Time ``generate`` on each item after ``warmup`` untimed calls (docs/protocol.md#latency).

    Args:
        items: (sample id, what to generate from), in the order they are timed; the first ``warmup`` are not timed.
        generate: one generation; reads :func:`time.perf_counter` when each token is ready.
        synchronize: waits until the device has finished; called before and after each generation.
        warmup: untimed calls.

    Returns:
        One a timed item, in order.
    """
    latencies = []
    for position, (sample_id, item) in enumerate(items):
        synchronize()
        start = time.perf_counter()
        timing = generate(item)
        synchronize()
        end = time.perf_counter()
        if position >= warmup:
            latencies.append(
                TimedAnswer(
                    sample_id=sample_id,
                    latency_s=end - start,
                    first_token_s=timing.token_at[0] - start,
                    prompt_tokens=timing.prompt_tokens,
                    new_tokens=timing.new_tokens,
                    token_times_s=[round(at - start, 6) for at in timing.token_at],
                )
            )
    return latencies
