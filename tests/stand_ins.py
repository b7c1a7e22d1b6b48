"""Entries of small stand-ins with random weights."""

from __future__ import annotations

from quantbench.config import Architecture, ModelEntry

FACTS = Architecture(
    layers=8,
    hidden_size=128,
    attention_heads=4,
    key_value_heads=2,
    intermediate_size=384,
    vocab_size=600,
    context_length=512,
    tied_head=False,
)


def stand_in(family: str = "qwen2", full_dtype: str = "bfloat16", **facts: object) -> ModelEntry:
    """The entry of a stand-in of about two million weights."""
    return ModelEntry.model_validate(
        {
            "title": f"random {family}",
            "family": family,
            "domain": "general",
            "chat_template": "tokenizer",
            "full_dtype": full_dtype,
            "licence": "none",
            "weights": "random",
            "architecture": FACTS.model_dump() | facts,
        }
    )
