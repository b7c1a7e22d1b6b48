"""The batch plan: which samples share a batch, frozen once and identical at every precision.

Batch composition changes answers in half precision, and LLM.int8's most of all (its outlier columns are found over
all rows of a batch), so precisions are only comparable under one plan (PROTOCOL, section 2).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

Plan = list[list[int]]


def make_plan(lengths: Sequence[int], rows: int, new_tokens: int, token_budget: int, max_batch_size: int) -> Plan:
    """Assign samples to batches of similar length, the longest first.

    The longest first means that a plan too large for the device fails at once, and that time left is overestimated
    rather than underestimated.

    Args:
        lengths: prompt tokens of each sample, in dataset order.
        rows: rows each sample takes in a batch (1; k for self-consistency).
        new_tokens: most new tokens of one row.
        token_budget: most tokens of a batch, padding and new tokens included; a single sample may exceed it.
        max_batch_size: most samples of a batch; 1 is the engine ``single``.

    Returns:
        Batches of positions into ``lengths``; every position once.
    """
    order = sorted(range(len(lengths)), key=lambda position: (-lengths[position], position))
    plan: Plan = []
    width = 0
    for position in order:
        fits = bool(plan) and len(plan[-1]) < max_batch_size and (len(plan[-1]) + 1) * rows * width <= token_budget
        if fits:
            plan[-1].append(position)
        else:
            width = lengths[position] + new_tokens
            plan.append([position])
    return plan


def plan_hash(plan: Plan, sample_ids: Sequence[str]) -> str:
    """SHA-256 of a plan in terms of sample ids."""
    batches = [[sample_ids[position] for position in batch] for batch in plan]
    return hashlib.sha256(json.dumps(batches).encode()).hexdigest()
