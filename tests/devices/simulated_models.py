"""A demo model on the CPU and on simulated devices, and what both are asked."""

from __future__ import annotations

from pathlib import Path

from quantbench.config import ModelEntry, PrecisionEntry, read_entries
from quantbench.engine.batches import Request
from quantbench.models.loading import LoadedModel, load_model
from quantbench.models.tokenizing import load_tokenizer
from quantbench.planner import Placement

SHARED = "Question: which gene causes the disease? " * 6


def demo_model(root: Path, device: str, devices: int = 1) -> LoadedModel:
    """The model, in float32: in 16 bits the CPU itself rounds otherwise by the shape of a batch.

    On several devices each has its share of the blocks; the head's weight is the embedding's.
    """
    folder = root / "resources/demo/models/tiny-m"
    entry = read_entries(root / "config/models", ModelEntry)["tiny-m"].model_copy(update={"full_dtype": "float32"})
    full = read_entries(root / "config/precisions", PrecisionEntry)["full"]
    layers = entry.architecture.layers
    placement = Placement(embedding=0, blocks=tuple(block * devices // layers for block in range(layers)), head=0)
    return load_model(folder, entry, full, load_tokenizer(folder), device, placement=placement)


def prompts(loaded: LoadedModel, count: int = 5) -> list[Request]:
    """Prompts of several lengths that begin alike."""
    texts = [SHARED + f"number {number} " * (number + 1) + "\nAnswer:" for number in range(count)]
    return [Request(str(number), text, loaded.tokenizer(text)["input_ids"]) for number, text in enumerate(texts)]
