"""The prompt stage against the pinned transformers: every tensor alive is counted while a small random model reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from quantbench.config import Architecture, ModelEntry, PrecisionEntry, read_entries
from quantbench.devices.processor import multiplies
from quantbench.planner import Setting, Workload, plan_memory

FACTS = Architecture(
    layers=6,
    hidden_size=256,
    attention_heads=8,
    key_value_heads=2,
    intermediate_size=896,
    vocab_size=640,
    context_length=4096,
    tied_head=False,
)
CLASSES = {"llama": "LlamaConfig", "qwen2": "Qwen2Config", "phi3": "Phi3Config"}
# What other architectures have beside these facts, and how far the plan may be from what they hold.
WINDOWS = ["sliding_attention"] * 5 + ["full_attention"]
EXPERTS = {"head_dim": 32, "moe_intermediate_size": 448, "num_experts": 8, "num_experts_per_tok": 2}
OTHERS: dict[str, tuple[dict[str, object], float]] = {
    "qwen3": ({"head_dim": 64}, 0.02),
    "mistral": ({"sliding_window": 100}, 0.02),
    "granite": ({}, 0.02),
    "qwen3_moe": (EXPERTS, 0.02),
    "olmo2": ({}, 0.06),  # it normalizes behind attention and feed-forward part, and holds less before them
    "gemma3_text": ({"head_dim": 64, "sliding_window": 100, "layer_types": WINDOWS}, 0.05),  # two more norms a layer
}


def live_peak(model: Any, inputs: dict[str, Any]) -> int:
    """Bytes of all tensors made and not yet freed at the fullest moment of ``generate``."""
    import torch
    from tests.live_tensors import LiveTensors

    with torch.inference_mode(), LiveTensors() as live:
        model.generate(**inputs, max_new_tokens=3, do_sample=False)
    return live.peak


@pytest.mark.parametrize("family", CLASSES)
@pytest.mark.parametrize(("batch", "tokens"), [(1, 700), (4, 300)])
def test_tensors_alive_while_a_prompt_is_read(family: str, batch: int, tokens: int) -> None:
    """Cache and activations, without weights, are what transformers holds, within 2%."""
    import torch
    import transformers

    facts = FACTS.model_dump(exclude={"layers", "attention_heads", "key_value_heads", "context_length", "tied_head"})
    shape = {"num_hidden_layers": 6, "num_attention_heads": 8, "num_key_value_heads": 2, "tie_word_embeddings": False}
    tokenizing = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    settings = getattr(transformers, CLASSES[family])(**facts, **shape, **tokenizing, max_position_embeddings=4096)
    model = transformers.AutoModelForCausalLM.from_config(settings).eval()
    prompts = torch.full((batch, tokens), 5)
    mask = torch.ones_like(prompts)
    if batch > 1:
        mask[0, :50] = 0  # padding on the left
    entry = ModelEntry(
        title=family,
        family=family,
        domain="general",
        folder="here",
        chat_template="none",
        full_dtype="float32",
        licence="none",
        architecture=FACTS,
    )
    full = PrecisionEntry(title="full", method="none")
    plan = plan_memory(Setting(entry, full, Workload(tokens, 3, batch)))
    planned = plan.terms["kv_cache"] + plan.terms["activations"]
    assert plan.stage == "prompt"
    assert live_peak(model, {"input_ids": prompts, "attention_mask": mask}) == pytest.approx(planned, rel=0.02)


@pytest.mark.parametrize("family", OTHERS)
@pytest.mark.parametrize(("batch", "tokens"), [(1, 700), (4, 300)])
def test_tensors_alive_in_other_architectures(family: str, batch: int, tokens: int) -> None:
    """Heads of their own size, windows that the prompt outgrows, experts: planned by counted facts alone."""
    import torch
    import transformers
    from tests.published_configs import entry_of

    further, tolerance = OTHERS[family]
    shape = {"num_hidden_layers": 6, "num_attention_heads": 8, "num_key_value_heads": 2, "tie_word_embeddings": False}
    sizes = {"hidden_size": 256, "intermediate_size": 896, "vocab_size": 640, "max_position_embeddings": 4096}
    tokenizing = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    config = transformers.AutoConfig.for_model(family, **{**sizes, **shape, **tokenizing, **further})
    model = transformers.AutoModelForCausalLM.from_config(config).eval()
    prompts = torch.full((batch, tokens), 5)
    mask = torch.ones_like(prompts)
    if batch > 1:
        mask[0, :50] = 0
    entry = entry_of(config, family).model_copy(update={"full_dtype": "float32"})
    plan = plan_memory(Setting(entry, PrecisionEntry(title="full", method="none"), Workload(tokens, 3, batch)))
    planned = plan.terms["kv_cache"] + plan.terms["activations"]
    assert plan.stage == "prompt"
    assert live_peak(model, {"input_ids": prompts, "attention_mask": mask}) == pytest.approx(planned, rel=tolerance)


@pytest.mark.parametrize("family", CLASSES)
@pytest.mark.parametrize(("batch", "tokens"), [(1, 700), (1, 60), (4, 300)])
def test_weight_only_int8_multiplies_by_a_copy_of_the_matrix(
    repository: Path, family: str, batch: int, tokens: int
) -> None:
    """The same with torchao's int8: the 16-bit copy of the largest matrix is part of the peak, within 2%."""
    import torch
    from tests.stand_ins import stand_in

    from quantbench.models.loading import load_model

    entry = stand_in(family, **FACTS.model_dump(), full_dtype="bfloat16")
    precision = read_entries(repository / "config/precisions", PrecisionEntry)["int8wo"]
    model = load_model(Path("nowhere"), entry, precision, None, "cpu").model
    prompts = torch.full((batch, tokens), 5)
    mask = torch.ones_like(prompts)
    if batch > 1:
        mask[0, :50] = 0
    setting = Setting(entry, precision, Workload(tokens, 3, batch), in_float32=not multiplies("bfloat16"))
    plan = plan_memory(setting)
    planned = sum(plan.terms[name] for name in ("kv_cache", "activations", "dequantization_buffer"))
    assert plan.stage == "prompt"
    assert live_peak(model, {"input_ids": prompts, "attention_mask": mask}) == pytest.approx(planned, rel=0.02)
