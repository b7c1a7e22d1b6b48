"""Stand-ins: a model of a configured architecture with random weights, for measuring memory and speed without its files.

Neither depends on what the weights are, only on their shapes and formats. transformers loads a stand-in exactly as it
loads a published model, placement and quantization included; but each weight is made when it is asked for, on the device
where it belongs, and gone once it is quantized. What the model answers means nothing.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import torch
from pydantic import JsonValue

from ..config import ModelEntry
from ..errors import ModelError
from ..reading.library_errors import said
from .counting import model_class
from .interfaces import CausalModel

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel

SEED = 2509
# The first tokens of a stand-in's vocabulary.
END, PADDING, SPECIAL_TOKENS = 0, 1, 2
_DEVIATION = 0.02  # transformers' own initializer_range of these families
# LLM.int8 multiplies columns apart in which an activation exceeds its threshold of 6, about 0.1% of them (Dettmers et al.
# 2022). Normalized activations of a random model have none; a few large normalization weights make as many.
_OUTLIER_SHARE = 0.001
_OUTLIER_WEIGHT = 20.0


@dataclass(frozen=True)
class RandomWeight:
    """One weight of the stand-in, in place of a slice of a safetensors file: nothing is held until it is asked for.

    transformers indexes such a slice and moves the result to its device and number format.
    """

    name: str
    shape: tuple[int, ...]
    dtype: torch.dtype

    def __getitem__(self, index: object) -> RandomWeight:
        return self

    def to(self, device: torch.device | str | int | None = None, dtype: torch.dtype | None = None) -> torch.Tensor:
        """Make the weight on ``device``: by its name always the same there, whatever precision it ends up at."""
        where = torch.device("cpu" if device is None else device)
        weight = torch.empty(self.shape, dtype=self.dtype, device=where)
        if self.name.endswith("norm.weight"):
            weight.fill_(1.0)
            weight[: max(1, round(_OUTLIER_SHARE * len(weight)))] = _OUTLIER_WEIGHT
        else:
            generator = torch.Generator(where).manual_seed(SEED + zlib.crc32(self.name.encode()))
            weight.normal_(0.0, _DEVIATION, generator=generator)
        if self.name.endswith(("embed_tokens.weight", "lm_head.weight")):
            # The end token's logit is 0, and some other's is above it: every answer runs to its limit.
            weight[:SPECIAL_TOKENS] = 0.0
        return weight.to(dtype)


def random_model(entry: ModelEntry, options: dict[str, object]) -> CausalModel:
    """Make the stand-in of a model.

    Args:
        entry: family, architecture and ``full_dtype`` are read.
        options: keyword arguments of ``from_pretrained``: ``dtype``, ``device_map``, ``quantization_config``.

    Raises:
        ModelError: the architecture is none that transformers can build.
        ValueError: transformers refuses the options.
    """
    empty = empty_model(entry)
    weights = random_weights(empty, getattr(torch, entry.full_dtype))
    load = cast("Callable[..., tuple[CausalModel, dict[str, object]]]", type(empty).from_pretrained)
    model, loading = load(None, config=empty.config, state_dict=weights, output_loading_info=True, **options)
    amiss = {name: found for name, found in loading.items() if found}
    if amiss:
        raise ModelError(f"{entry.title}: transformers did not take every random weight: {amiss}")
    return model


def random_weights(empty: PreTrainedModel, dtype: torch.dtype) -> dict[str, RandomWeight]:
    """Every weight that a published checkpoint of this model holds, by name; tied ones once."""
    tied = empty.all_tied_weights_keys or {}
    shapes = {name: tuple(weight.shape) for name, weight in empty.state_dict().items() if name not in tied}
    return {name: RandomWeight(name, shape, dtype) for name, shape in shapes.items()}


def empty_model(entry: ModelEntry) -> PreTrainedModel:
    """A model of the entry's family and architecture that has shapes only.

    Raises:
        ModelError: transformers cannot build it.
    """
    try:
        return model_class(class_settings(entry), torch.float32)
    except ModelError as error:
        raise ModelError(f"{entry.title}: {error}") from error


def class_settings(entry: ModelEntry) -> PreTrainedConfig:
    """What transformers builds a stand-in's class by: the entry's facts, and what else its ``config_json`` says.

    Raises:
        ModelError: transformers knows no such family, or takes none of these facts.
    """
    from transformers import AutoConfig

    facts = entry.architecture
    sizes: dict[str, object] = {
        "vocab_size": facts.vocab_size,
        "hidden_size": facts.hidden_size,
        "intermediate_size": facts.intermediate_size,
        "num_hidden_layers": facts.layers,
        "num_attention_heads": facts.attention_heads,
        "num_key_value_heads": facts.key_value_heads,
        "max_position_embeddings": facts.context_length,
        "tie_word_embeddings": facts.tied_head,
        **({"head_dim": facts.head_size} if facts.head_size else {}),
    }
    further: dict[str, JsonValue] = {key: fact for key, fact in entry.config_json.items() if key != "model_type"}
    # The text model of several has its facts in a section of its own.
    text = further.get("text_config")
    settings = {**further, "text_config": {**sizes, **text}} if isinstance(text, dict) else {**sizes, **further}
    try:
        return AutoConfig.for_model(
            entry.family, **{**settings, "bos_token_id": None, "eos_token_id": END, "pad_token_id": PADDING}
        )
    except Exception as error:  # each family checks in its own way
        raise ModelError(
            f"{entry.title}: transformers cannot build this architecture ({entry.family}): {said(error)}"
        ) from None
