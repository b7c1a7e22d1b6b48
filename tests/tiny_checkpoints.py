"""Checkpoints of a few thousand weights in transformers' own format, and what is done to them before they are loaded."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quantbench.config import Architecture, ModelEntry

if TYPE_CHECKING:
    import torch

SIZES: dict[str, int] = {
    "vocab_size": 100,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
# Architecture -> what it needs beside the sizes.
SHAPES: dict[str, dict[str, Any]] = {
    "llama": {},
    "qwen2": {"tie_word_embeddings": True},
    "phi3": {"pad_token_id": 0, "eos_token_id": 1},
    "gemma3_text": {"head_dim": 16},
    "gpt2": {"n_embd": 64, "n_layer": 2, "n_head": 4},
    "qwen3_moe": {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16},
    "mixtral": {"num_local_experts": 4},
    "gpt_oss": {"num_local_experts": 4, "head_dim": 16},
    "llama4_text": {"num_local_experts": 4, "head_dim": 16, "intermediate_size_mlp": 64},
}
ENTRY = ModelEntry(
    title="tiny",
    family="llama",
    domain="general",
    folder="model",
    chat_template="none",
    full_dtype="bfloat16",
    licence="MIT",
    architecture=Architecture(
        layers=2,
        hidden_size=64,
        attention_heads=4,
        key_value_heads=2,
        intermediate_size=128,
        vocab_size=100,
        context_length=2048,
        tied_head=False,
    ),
)


def save_checkpoint(folder: Path, kind: str = "llama", dtype: str = "bfloat16", **facts: object) -> Path:
    """Save a random model of an architecture; its folder."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(0)
    config = AutoConfig.for_model(kind, **(SIZES | SHAPES[kind] | facts))
    AutoModelForCausalLM.from_config(config).to(getattr(torch, dtype)).save_pretrained(folder)
    return folder


def save_quantized(source: Path, folder: Path, **settings: object) -> Path:
    """Save a checkpoint as bitsandbytes quantizes it: NF4 unless told otherwise."""
    import torch
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    usual: dict[str, Any] = {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True}
    AutoModelForCausalLM.from_pretrained(
        source,
        quantization_config=BitsAndBytesConfig(**(usual | settings)),
        device_map={"": "cpu"},
        dtype=torch.bfloat16,
    ).save_pretrained(folder)
    return folder


def rewrite(folder: Path, change: Callable[[dict[str, torch.Tensor]], Mapping[str, torch.Tensor]]) -> Path:
    """Change the tensors of a saved checkpoint."""
    from safetensors.torch import load_file, save_file

    path = folder / "model.safetensors"
    save_file(dict(change(load_file(path))), path, metadata={"format": "pt"})
    return folder


def edit_config(folder: Path, **facts: object) -> Path:
    """Set keys of a checkpoint's ``config.json``; None takes one out."""
    path = folder / "config.json"
    value = json.loads(path.read_text()) | facts
    path.write_text(json.dumps({key: fact for key, fact in value.items() if fact is not None}))
    return folder
