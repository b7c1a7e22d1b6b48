"""Requests and the batch plan: which samples share a batch, frozen once and identical at every precision.

Batch composition changes answers in half precision, and LLM.int8's most of all (its outlier columns are found over
all rows of a batch), so precisions are only comparable under one plan (docs/protocol.md#batch-plan). How much composition alone
changes is the noise floor: full precision run once more under a second plan, and a third, which are as frozen as the first.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

Plan = list[list[int]]


@dataclass(frozen=True, slots=True)
class Request:
    """One prompt as the model reads it."""

    sample_id: str
    text: str
    token_ids: list[int]


def make_plan(
    lengths: Sequence[int], rows: int, new_tokens: int, token_budget: int, max_batch_size: int, number: int = 1
) -> Plan:
    """Assign samples to batches of similar length, the longest first.

    The longest first means that a plan too large for the device fails at once, and that time left is overestimated
    rather than underestimated.

    A further plan, ``number`` 2 or more, has batches of another composition under the same limits: so many neighbouring
    batches of the first plan are pooled and dealt out again, every second, third ... sample to each, so that most of the
    samples beside each one change while padding stays small. Where that would change nothing (one batch in all, for
    example), each batch is cut into so many. Batches of one sample cannot change.

    Args:
        lengths: prompt tokens of each sample, in dataset order.
        rows: rows each sample takes in a batch (1; k for self-consistency).
        new_tokens: most new tokens of one row.
        token_budget: most tokens of a batch, padding and new tokens included; a single sample may exceed it.
        max_batch_size: most samples of a batch; 1 is the engine ``single``.
        number: which plan, from 1.

    Returns:
        Batches of positions into ``lengths``; every position once.
    """
    limits = (lengths, rows, new_tokens, token_budget, max_batch_size)
    first = _fill(sorted(range(len(lengths)), key=lambda position: (-lengths[position], position)), *limits)
    if number == 1:
        return first
    order: list[int] = []
    for start in range(0, len(first), number):
        pool = [position for batch in first[start : start + number] for position in batch]
        order += [position for dealt in range(number) for position in pool[dealt::number]]
    plan = _fill(order, *limits)
    if {frozenset(batch) for batch in plan} != {frozenset(batch) for batch in first}:
        return plan
    return [part for batch in first for dealt in range(number) if (part := batch[dealt::number])]


def _fill(
    order: Sequence[int], lengths: Sequence[int], rows: int, new_tokens: int, token_budget: int, max_batch_size: int
) -> Plan:
    """Put positions into batches in the given order, starting a new one where the next would exceed a limit."""
    plan: Plan = []
    width = 0
    for position in order:
        own = lengths[position] + new_tokens
        wider = max(width, own)
        if plan and len(plan[-1]) < max_batch_size and (len(plan[-1]) + 1) * rows * wider <= token_budget:
            plan[-1].append(position)
            width = wider
        else:
            plan.append([position])
            width = own
    return plan


def plan_hash(plan: Plan, sample_ids: Sequence[str]) -> str:
    """SHA-256 of a plan in terms of sample ids."""
    batches = [[sample_ids[position] for position in batch] for batch in plan]
    return hashlib.sha256(json.dumps(batches).encode()).hexdigest()
