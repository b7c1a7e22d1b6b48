"""Which facts of a ``config.json`` a model can have: what transformers would take without a word is refused here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from pydantic import JsonValue

from ..errors import ModelError, shorten

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

# What a model cannot be without, under the names that most families share, and the most that any published one has,
# with room to grow.
_NEEDED = {
    "num_hidden_layers": 1000,
    "hidden_size": 1 << 18,
    "num_attention_heads": 1 << 12,
    "num_key_value_heads": 1 << 12,
    "intermediate_size": 1 << 22,
    "vocab_size": 1 << 24,
    "max_position_embeddings": 1 << 31,
}
# The same of what not every model has; 0 stands for none of it in some families.
_FURTHER = {
    "head_dim": 1 << 14,
    "sliding_window": 1 << 31,
    "moe_intermediate_size": 1 << 22,
    "num_experts": 1 << 14,
    "num_local_experts": 1 << 14,
    "n_routed_experts": 1 << 14,
    "num_experts_per_tok": 1 << 14,
}
_NONE_OF_IT = ("num_experts", "num_local_experts", "n_routed_experts", "num_experts_per_tok")


def check_numbers(text: Mapping[str, JsonValue], aliases: Mapping[str, str], where: str) -> None:
    """Refuse facts that are no whole numbers, or none that a model has.

    Args:
        text: the section of ``config.json`` that states the text model.
        aliases: common name -> the family's own.
        where: the file, as messages name it.

    Raises:
        ModelError: names the first of them with its value.
    """
    for name, most in {**_NEEDED, **_FURTHER}.items():
        least = 0 if name in _NONE_OF_IT else 1
        for key in dict.fromkeys((name, aliases.get(name, name))):
            value = text.get(key)
            whole = isinstance(value, int) and not isinstance(value, bool)
            if value is not None and not (whole and least <= cast(int, value) <= most):
                raise ModelError(
                    f"{where}: {key} has the value {shorten(value)}; a whole number from {least} to {most} is expected: "
                    "correct the file, or fetch it again"
                )


def check_complete(stated: Mapping[str, JsonValue], default: PreTrainedConfig, where: str) -> None:
    """Refuse a file that lacks a fact: transformers would take its family's default, silently.

    Raises:
        ModelError: names all that are missing.
    """
    missing = []
    for name in _NEEDED:
        key = default.attribute_map.get(name, name)
        lacks = stated.get(name) is None and stated.get(key) is None
        if lacks and isinstance(getattr(default, name, None), int):
            missing.append(key)
    if missing:
        raise ModelError(f"{where}: does not state {', '.join(missing)}; fetch the file again")


def check_layers(config: PreTrainedConfig, where: str) -> None:
    """Refuse layers of different sizes, of which a configuration states no number for the whole model.

    Raises:
        ModelError: it states some of its facts layer by layer.
    """
    if config.is_heterogeneous or config.get_text_config(decoder=True).is_heterogeneous:
        raise ModelError(
            f"{where}: model_type {config.model_type!r} states facts layer by layer (per_layer_config), which is not planned for "
            "here; choose a model whose layers are alike"
        )


def attention_heads(text: PreTrainedConfig, where: str) -> int:
    """The number of attention heads of a text model, or of its family as transformers makes it up.

    Raises:
        ModelError: there are none.
    """
    heads = getattr(text, "num_attention_heads", None)
    if not isinstance(heads, int):
        raise ModelError(
            f"{where}: model_type {text.model_type!r} has no attention heads (num_attention_heads); state-space and "
            "linear-attention models are not planned for here: choose a model with attention in every layer"
        )
    return heads


def check_heads(text: PreTrainedConfig, where: str) -> None:
    """Refuse heads that cannot be grouped or divide no layer, no heads at all, and more experts a token than there are.

    Raises:
        ModelError: names both numbers.
    """
    heads = attention_heads(text, where)
    grouped = getattr(text, "num_key_value_heads", None) or heads
    if heads % grouped:
        raise ModelError(
            f"{where}: num_attention_heads is {heads}, no multiple of num_key_value_heads, {grouped}; correct the file, or "
            "fetch it again"
        )
    if not getattr(text, "head_dim", None) and text.hidden_size % heads:
        raise ModelError(
            f"{where}: hidden_size is {text.hidden_size}, no multiple of num_attention_heads, {heads}; correct the file, or "
            "fetch it again"
        )
    experts = getattr(text, "num_local_experts", None) or getattr(text, "num_experts", None)
    chosen = getattr(text, "num_experts_per_tok", None)
    if isinstance(experts, int) and isinstance(chosen, int) and chosen > experts:
        raise ModelError(
            f"{where}: num_experts_per_tok is {chosen}, and there are {experts} experts; correct the file, or fetch it again"
        )
