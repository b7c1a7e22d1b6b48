"""Facts of published models (tests/data/published_configs.yaml), whole and shrunk, as entries of stand-ins."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from quantbench.config import ModelEntry

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

# One model of each family and kind of attention; the others differ in sizes alone.
KINDS = (
    *("qwen3-0.6b", "qwen3-30b-a3b", "gemma-3-1b", "gemma-3-4b", "mistral-7b-v0.3", "biomistral-7b", "gpt-oss-20b"),
    *("llama-3.2-1b", "phi-4-mini", "olmo-2-7b", "granite-3.3-8b", "deepseek-r1-distill-qwen-7b"),
)
# Small enough for every engine and precision; 64 is the block that NF4 keeps one scale for.
_SMALL = {
    **{"hidden_size": 128, "intermediate_size": 256, "vocab_size": 600, "max_position_embeddings": 512},
    **{"num_attention_heads": 4, "moe_intermediate_size": 64, "num_experts": 8, "num_local_experts": 8},
    **{"num_experts_per_tok": 2, "head_dim": 64, "pad_token_id": 1, "image_size": 56, "mm_tokens_per_image": 4},
}


@dataclass(frozen=True)
class Published:
    """One model: its ``config.json`` and how many weights its files hold."""

    weights: int
    facts: dict[str, object]

    @property
    def config(self) -> PreTrainedConfig:
        """As transformers reads it."""
        return _config(self.facts)

    @property
    def small(self) -> PreTrainedConfig:
        """The same architecture with few and narrow layers, and windows of 12 tokens."""
        return _config(_shrunk(self.facts))


@cache
def published() -> dict[str, Published]:
    """All of them by name."""
    read = yaml.safe_load((Path(__file__).parent / "data/published_configs.yaml").read_text(encoding="utf-8"))
    return {name: Published(known["weights"], known["config"]) for name, known in read.items()}


def entry_of(config: PreTrainedConfig, name: str = "twin") -> ModelEntry:
    """The entry of a stand-in, with the counts of its class."""
    from quantbench.models.counting import architecture_of, count, model_class

    return ModelEntry(
        title=name,
        family=config.model_type,
        domain="general",
        chat_template="tokenizer",
        full_dtype="bfloat16",
        licence="none",
        weights="random",
        architecture=architecture_of(config),
        counts=count(model_class(config)),
        config_json=config.to_diff_dict(),
    )


def _config(facts: dict[str, object]) -> PreTrainedConfig:
    from transformers import AutoConfig

    settings = {key: value for key, value in facts.items() if key != "model_type"}
    return AutoConfig.for_model(str(facts["model_type"]), **settings)


def _shrunk(facts: dict[str, object]) -> dict[str, object]:
    small: dict[str, object] = {}
    for key, value in facts.items():
        if isinstance(value, dict):
            small[key] = _shrunk(value)
        elif key == "num_hidden_layers":
            small[key] = 6 if facts.get("sliding_window") else 2
        elif key == "num_key_value_heads":
            small[key] = 4 if value == facts["num_attention_heads"] else 2
        elif key == "sliding_window" and value:
            small[key] = 12
        else:
            small[key] = _SMALL.get(key, value)
    return small
