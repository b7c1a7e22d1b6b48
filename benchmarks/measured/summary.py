"""From a result to what is read: errors of the plan, medians, shares of bandwidth, and a text table."""

from __future__ import annotations

from statistics import median
from typing import Any

from quantbench.planner import GIB

Record = dict[str, Any]


def derived(result: Record) -> list[Record]:
    """One line a row of the result, with what follows from its raw values.

    ``peak_error`` is planned over measured peak, minus 1 (None on CPU, where no allocator counts); ``weight_error`` the same
    of the weights; ``token_s`` the median time of each further token; ``bandwidth_share`` the bytes of weights that a token
    reads over that time, as a share of the device's copy.
    """
    quality = {(record["model"], record["precision"]): record for record in result["quality"]}
    lines = []
    for row in result["rows"]:
        gaps = zip(row["latency_s"], row["first_token_s"], strict=True)
        token_s = median((whole - first) / (row["new_tokens"] - 1) for whole, first in gaps)
        answered = quality.get((row["model"], row["precision"]), {})
        copy = result["copy_bytes_per_s"]
        lines.append(
            {
                **{key: row[key] for key in ("model", "precision", "prompt_tokens", "load_s", "peak_resident_bytes")},
                "planned_gib": row["planned_peak_bytes"] / GIB,
                "allocated_gib": _gib(row["peak_allocated_bytes"]),
                "reserved_gib": _gib(row["peak_reserved_bytes"]),
                "process_gib": _gib(row["peak_process_bytes"]),
                "peak_error": _error(row["planned_peak_bytes"], row["peak_allocated_bytes"]),
                "weight_gib": row["weight_bytes"] / GIB,
                "planned_weight_gib": row["planned_weight_bytes"] / GIB,
                "weight_error": _error(row["planned_weight_bytes"], row["weight_bytes"]),
                "first_token_s": median(row["first_token_s"]),
                "token_s": token_s,
                "tokens_per_s": row["new_tokens"] / median(row["latency_s"]),
                "bandwidth_share": row["read_bytes_a_token"] / token_s / copy if copy else None,
                "quality_tokens_per_s": answered.get("tokens_per_s"),
                "energy_j_per_1000_tokens": answered.get("energy_j_per_1000_tokens"),
            }
        )
    return lines


COLUMNS = {
    "model": ("model", "{}"),
    "precision": ("precision", "{}"),
    "prompt_tokens": ("prompt", "{}"),
    "weight_gib": ("weights GiB", "{:.3f}"),
    "weight_error": ("plan %", "{:+.2%}"),
    "planned_gib": ("planned peak", "{:.3f}"),
    "allocated_gib": ("allocated", "{:.3f}"),
    "peak_error": ("plan %", "{:+.2%}"),
    "reserved_gib": ("reserved", "{:.3f}"),
    "process_gib": ("process", "{:.3f}"),
    "peak_resident_gib": ("resident", "{:.2f}"),
    "load_s": ("load s", "{:.1f}"),
    "first_token_ms": ("first ms", "{:.1f}"),
    "token_ms": ("token ms", "{:.2f}"),
    "tokens_per_s": ("tokens/s", "{:.1f}"),
    "bandwidth_share": ("bandwidth", "{:.0%}"),
    "quality_tokens_per_s": ("batch tokens/s", "{:.1f}"),
    "energy_j_per_1000_tokens": ("J/1000 tokens", "{:.0f}"),
}


def text(result: Record) -> str:
    """The result as a table of text, with what was left out and the engines' speeds below; columns without values go."""
    lines = [
        line
        | {
            "first_token_ms": 1000 * line["first_token_s"],
            "token_ms": 1000 * line["token_s"],
            "peak_resident_gib": line["peak_resident_bytes"] / GIB,
        }
        for line in derived(result)
    ]
    shown = {key: column for key, column in COLUMNS.items() if any(line[key] is not None for line in lines)}
    rows = [[name for name, _ in shown.values()]]
    rows += [
        ["" if line[key] is None else style.format(line[key]) for key, (_, style) in shown.items()] for line in lines
    ]
    widths = [max(len(row[place]) for row in rows) for place in range(len(shown))]
    table = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    copy = result["copy_bytes_per_s"]
    notes = [
        f"{', '.join(result['device']['names'])}; copies {(copy or 0) / 1e9:.0f} GB/s; {result['seconds']:.0f} s in all"
    ]
    if result["engines"]:
        found = result["engines"]["tokens_per_s"]
        words = [
            f"{name} {value:.1f}" if isinstance(value, float) else f"{name} {value}" for name, value in found.items()
        ]
        notes.append(
            f"Engines, new tokens/s on {result['engines']['model']} {result['engines']['precision']}: {', '.join(words)}"
        )
    notes += [f"Left out: {item['model']} {item['precision']}: {item['reason']}" for item in result["left_out"]]
    return "\n".join([*table, "", *notes])


def _gib(size: float | None) -> float | None:
    return None if size is None else size / GIB


def _error(planned: float, measured: float | None) -> float | None:
    return planned / measured - 1 if measured else None
