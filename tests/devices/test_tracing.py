"""Traces of small models held against the same models run for real on CPU, every tensor alive counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantbench.config import Architecture, ModelEntry, PrecisionEntry
from quantbench.engine.batches import Request
from quantbench.engine.decoding_settings import GenerationSettings
from quantbench.engine.generation import Generator
from quantbench.models.loading import load_model
from quantbench.models.synthetic_tokenizer import SyntheticTokenizer
from quantbench.tracing import live_bytes
from quantbench.tracing.engine_walk import Use
from quantbench.tracing.peak_trace import trace
from tests.live_tensors import LiveTensors
from tests.stand_ins import stand_in

# As many key-value heads as others: with fewer, float32 on CUDA has no fused attention, and the CPU has one.
FACTS = Architecture(
    layers=6,
    hidden_size=256,
    attention_heads=8,
    key_value_heads=8,
    intermediate_size=896,
    vocab_size=640,
    context_length=4096,
    tied_head=False,
)
FULL = PrecisionEntry(title="full", method="none")


def held_on_cpu(entry: ModelEntry, use: Use) -> tuple[int, int]:
    """Bytes of the weights, and of all else at the fullest moment, of the engine's own run on CPU."""
    loaded = load_model(Path("nowhere"), entry, FULL, SyntheticTokenizer(FACTS.vocab_size), "cpu")
    generator = Generator(loaded, GenerationSettings(use.new_tokens))
    own = use.prompt_tokens - use.prefix_tokens
    prompts = [[3] * use.prefix_tokens + [4 + number] * own for number in range(use.samples)]
    if use.samples > 1:
        prompts[-1] = prompts[-1][:-5]  # one row is padded
    requests = [Request(str(number), "", prompt) for number, prompt in enumerate(prompts)]
    with LiveTensors() as live:
        if use.samples > 1:
            generator.share_prefix(requests)
        generator.answer(requests)
    model = loaded.model
    return sum(tensor.nbytes for tensor in [*model.parameters(), *model.buffers()]), live.peak


@pytest.mark.parametrize("family", ["llama", "qwen2", "phi3"])
@pytest.mark.parametrize("use", [Use(300, 12), Use(300, 12, samples=4), Use(300, 12, samples=4, prefix_tokens=64)])
def test_a_trace_is_what_the_processor_holds(family: str, use: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights, cache, activations and what the engine keeps: to the byte."""
    monkeypatch.setattr(live_bytes, "BLOCK", 1)  # a processor's memory is not handed out in blocks
    entry = stand_in(family, full_dtype="float32", **FACTS.model_dump())
    weights, held = held_on_cpu(entry, use)
    [peak] = trace(entry, FULL, use).peaks
    traced = peak.by_kind()
    assert traced.pop("weights") == weights
    del traced["cublas_workspace"]
    assert sum(traced.values()) == held
