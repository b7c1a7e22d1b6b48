"""What is planned for 36 architectures, held against the class that transformers builds of each.

    python benchmarks/architectures.py

The twelve of ``config/models`` and the configurations of ``tests/data/published_configs.yaml``. Prints a table: weights of the class
on torch's meta device, by how many the planned ones differ, bytes a token leaves in the cache, and
the planned peak at the three precisions with a prompt of 2,048 tokens and 512 new ones.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "workflow")]

from tests.published_configs import entry_of, published  # noqa: E402

from quantbench.config import ModelEntry, PrecisionEntry, read_entries  # noqa: E402
from quantbench.models.random_weights import empty_model  # noqa: E402
from quantbench.planner import GIB, Setting, Workload, plan_memory  # noqa: E402
from quantbench.planner.terms import weights  # noqa: E402

ARMS = ("full", "w8a16", "w4a16")


def row(entry: ModelEntry, name: str, precisions: dict[str, PrecisionEntry]) -> list[str]:
    """One model's line."""
    counted = sum(weight.numel() for weight in empty_model(entry).parameters())
    settings = [Setting(entry, precisions[arm], Workload()) for arm in ARMS]
    planned = weights(settings[0], settings[0].whole, "prompt") / settings[0].width
    counts = entry.counted
    cache = f"{2 * (counts.cached + counts.cached_in_window):,}"
    if counts.cached_in_window and counts.window and counts.window < entry.architecture.context_length:
        cache += f", {2 * counts.cached:,} beyond {counts.window:,} tokens"
    peaks = [f"{plan_memory(setting).peak_bytes / GIB:.2f}" for setting in settings]
    difference = planned - counted
    return [name, f"{counted:,}", f"{difference:g}", cache, f"{100 * counts.quantized_share:.0f}%", *peaks]


def main() -> None:
    """Print the table."""
    precisions = read_entries(ROOT / "config/precisions", PrecisionEntry)
    shipped = read_entries(ROOT / "config/models", ModelEntry)
    entries = {name: entry for name, entry in shipped.items() if entry.hub_id}
    entries |= {name: entry_of(known.config, name) for name, known in published().items()}
    print("| model | weights of its class | planned less | KV bytes a token | quantized | full | W8A16 | W4A16 |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, entry in entries.items():
        print("|", " | ".join(row(entry, name, precisions)), "|", flush=True)


if __name__ == "__main__":
    main()
