"""What the verdict says of memory and time, and what longer answers have to do with the time of a query."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from ..config import Vocabulary
from ..contracts.run_tables import EfficiencyRow
from .answer_remarks import LONGER


def savings_remark(vocabulary: Vocabulary, own: Sequence[EfficiencyRow]) -> str:
    """Medians of one precision's ratios: of memory, and of the time of a token where that was measured, else of a query.

    Args:
        vocabulary: titles.
        own: rows of one precision in ``efficiency.csv``.
    """
    ratios = {
        "memory": [row.memory_ratio for row in own if row.memory_ratio is not None],
        "time of a further token": [row.further_token_ratio for row in own if row.further_token_ratio is not None],
        "time to the first token": [row.first_token_ratio for row in own if row.first_token_ratio is not None],
    }
    if not ratios["time of a further token"]:
        ratios["time of a query"] = [row.latency_ratio for row in own if row.latency_ratio is not None]
    words = [f"{name} {median(values):.2f}" for name, values in ratios.items() if values]
    if not words:
        return ""
    *others, last = words
    said = f"{', '.join(others)} and {last}" if others else last
    return f" In the median, {said} times that of full precision.{_lengths(vocabulary, own)}"


def _lengths(vocabulary: Vocabulary, own: Sequence[EfficiencyRow]) -> str:
    """Where longer answers, and not slower tokens, are why queries take longer; empty where they are not."""
    told = [row for row in own if row.latency_ratio and _longer(row)]
    if not told:
        return ""
    words, length = "", median(map(_longer, told))
    if abs(length - 1) >= LONGER:
        query = median(row.latency_ratio for row in told if row.latency_ratio)
        words += f" A query takes {query:.2f} times as long in the median, its answers having {length:.2f} times as many tokens."
    slowest = max(told, key=lambda row: row.latency_ratio or 0.0)
    if _longer(slowest) >= 1 + LONGER:
        token = (
            f" and a further token taking {slowest.further_token_ratio:.2f} times as long"
            if slowest.further_token_ratio
            else ""
        )
        words += (
            f" The slowest query takes {slowest.latency_ratio:.1f} times as long ({slowest.title} on "
            f"{vocabulary.title('dataset', slowest.dataset)}), its answers having {_longer(slowest):.1f} times as many tokens{token}."
        )
    return words


def _longer(row: EfficiencyRow) -> float:
    """How many times as many tokens the timed answers have; 0 where unknown."""
    return (
        (row.timed_new_tokens_mean or 0.0) / row.full_timed_new_tokens_mean if row.full_timed_new_tokens_mean else 0.0
    )
