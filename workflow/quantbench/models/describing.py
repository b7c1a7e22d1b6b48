"""From a maker's ``config.json`` to what an entry states: family, architecture, counts, and what else a stand-in needs.

Everything is read as transformers reads it, by the configuration and the class of the ``model_type``; what either would
take without a word (a fact that is left out, a number that no model has) is refused first.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import JsonValue

from ..config import Architecture, Counts, ModelEntry
from ..errors import ModelError, nearest, shorten
from ..reading.json_text import as_read
from ..reading.library_errors import in_one_line
from .counting import architecture_of, count, model_class
from .possible_facts import attention_heads, check_complete, check_heads, check_layers, check_numbers
from .random_weights import class_settings

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

# Of a configuration, what says nothing of the class's shape or stands elsewhere in an entry or a stand-in.
_LEFT_OUT = (
    *("architectures", "model_type", "dtype", "torch_dtype", "transformers_version", "_name_or_path", "auto_map"),
    *("bos_token_id", "eos_token_id", "pad_token_id", "sep_token_id", "decoder_start_token_id", "quantization_config"),
    *("id2label", "label2id", "problem_type", "use_cache", "output_attentions", "output_hidden_states", "return_dict"),
    "initializer_range",
)
_SECTION = "text_config"


@dataclass(frozen=True)
class Description:
    """What the class of a ``config.json`` says of a model.

    Attributes:
        family: the ``model_type``.
        architecture, counts: as an entry states them.
        config_json: what else of ``config.json`` makes a stand-in of this architecture.
        dtype: number format of the weights, as ``config.json`` says; None: it does not.
    """

    family: str
    architecture: Architecture
    counts: Counts
    config_json: dict[str, JsonValue]
    dtype: str | None

    @property
    def weights(self) -> int:
        """All weights of the class, tied ones once."""
        return self.counts.parameters + self.counts.rest


def describe(stated: Mapping[str, JsonValue], where: str) -> Description:
    """Describe the model that a ``config.json`` configures.

    Args:
        stated: its content.
        where: the file, as messages name it.

    Raises:
        ModelError: no causal language model of transformers' own, a fact that is missing or cannot be, or layers that are
            not planned for; names file, field and value.
    """
    _quiet()
    family = _family(stated, where)
    default = _default(family, where)
    check_layers(default, where)
    section = stated.get(_SECTION)
    text = section if isinstance(section, dict) else stated
    check_numbers(text, default.attribute_map, where)
    if text is stated:
        attention_heads(
            default.get_text_config(decoder=True), where
        )  # a family without any lacks other facts too, which no other file would state
        check_complete(stated, default, where)
    config = _configuration(family, stated, where)
    check_layers(config, where)
    _check_language_model(config, stated, where)
    check_heads(config.get_text_config(decoder=True), where)
    try:
        model = model_class(config)
        architecture, counts = architecture_of(config), count(model)
        further = _further(family, architecture, config, stated, counts)
    except ModelError as error:
        raise ModelError(f"{where}: {error}") from None
    dtype = stated.get("dtype") or stated.get("torch_dtype") or text.get("dtype") or text.get("torch_dtype")
    return Description(family, architecture, counts, further, None if dtype is None else str(dtype))


def stand_in_entry(family: str, architecture: Architecture, config_json: dict[str, JsonValue]) -> ModelEntry:
    """The entry of a stand-in, of which only what its class is made by says anything."""
    return ModelEntry(
        title=family,
        family=family,
        domain="general",
        chat_template="none",
        full_dtype="bfloat16",
        licence="none",
        weights="random",
        architecture=architecture,
        counts=Counts(linear=0, linear_outputs=0, linear_calls=0, largest_matrix=0, tables=1, cached=0),
        config_json=config_json,
    )


def _quiet() -> None:
    """Keep libraries from remarking on what nothing here depends on, and on what they raise next."""
    from transformers.utils import logging as transformers_logging

    transformers_logging.set_verbosity(logging.CRITICAL)
    transformers_logging.disable_progress_bar()
    for library in ("torchao", "torch.utils._pytree"):
        logging.getLogger(library).setLevel(logging.ERROR)


def _family(stated: Mapping[str, JsonValue], where: str) -> str:
    """The ``model_type``, which transformers must know as a causal language model."""
    from transformers import __version__
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    family = stated.get("model_type")
    if not isinstance(family, str) or not family:
        raise ModelError(
            f"{where}: model_type has the value {shorten(family)}; give the config.json of a transformers model"
        )
    if family not in CONFIG_MAPPING:
        if stated.get("auto_map"):
            raise ModelError(
                f"{where}: model_type {family!r} is code of its own (auto_map), which is never run here; choose a model that "
                f"transformers {__version__} has a class for"
            )
        raise ModelError(
            f"{where}: model_type {family!r} is unknown to transformers {__version__}, which requirements/inference.txt pins: "
            f"a newer model, or a misspelt name{nearest(family, MODEL_FOR_CAUSAL_LM_MAPPING_NAMES) if _close(family) else ''}"
        )
    if family not in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        raise ModelError(
            f"{where}: model_type {family!r} is no causal language model of transformers {__version__} (it encodes, translates, "
            "or reads images or sound); choose a model that continues text"
        )
    return family


def _close(family: str) -> bool:
    """Whether a known family has nearly this name; otherwise hundreds would be listed."""
    from difflib import get_close_matches

    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    return bool(get_close_matches(family, MODEL_FOR_CAUSAL_LM_MAPPING_NAMES, n=1, cutoff=0.5))


def _check_language_model(config: PreTrainedConfig, stated: Mapping[str, JsonValue], where: str) -> None:
    """Refuse encoders, translators and models with another head, whose output layer would be made up."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    if config.is_encoder_decoder:
        raise ModelError(
            f"{where}: is_encoder_decoder is true: this model translates one text into another; choose one that continues text"
        )
    named = stated.get("architectures")
    known = {name.casefold() for name in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.values()}
    if isinstance(named, list) and named and not any(str(name).casefold() in known for name in named):
        raise ModelError(
            f"{where}: architectures has the value {shorten(named)}, and not the causal language model "
            f"{MODEL_FOR_CAUSAL_LM_MAPPING_NAMES[config.model_type]!r}, whose output layer would be made up; choose a model "
            "that continues text"
        )


def _default(family: str, where: str) -> PreTrainedConfig:
    from transformers import AutoConfig

    with in_one_line(where, f"model_type {family!r} is no model of its own for transformers", "choose another"):
        return AutoConfig.for_model(family)


def _configuration(family: str, stated: Mapping[str, JsonValue], where: str) -> PreTrainedConfig:
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    with in_one_line(where, f"transformers refuses it ({family})", "correct it, or choose another model"):
        config = CONFIG_MAPPING[family].from_dict(dict(stated))
        text = config.get_text_config(decoder=True)
        # What pads is the tokenizer's affair, and embeddings with a padding row that they do not have cannot be made.
        if text.pad_token_id is not None and not 0 <= text.pad_token_id < text.vocab_size:
            text.pad_token_id = None
        return config


def _further(
    family: str,
    architecture: Architecture,
    config: PreTrainedConfig,
    stated: Mapping[str, JsonValue],
    counts: Counts,
) -> dict[str, JsonValue]:
    """What of a configuration makes a stand-in that has the same counts, beside what its architecture states.

    Raises:
        ModelError: a stand-in by the whole of the configuration has others.
    """
    composite = config.get_text_config(decoder=True) is not config
    bare: dict[str, JsonValue] = {_SECTION: {}} if composite else {}
    try:
        base = class_settings(stand_in_entry(family, architecture, bare))
    except ModelError:  # a family that these sizes alone make no model of
        base = None
    found = bare | differences(config, base, stated)
    if count(model_class(class_settings(stand_in_entry(family, architecture, found)))) != counts:
        raise ModelError(
            f"model_type {family!r}: a model built by the facts of an entry has other weights than its own; entries cannot "
            "express this architecture"
        )
    return found


def differences(
    config: PreTrainedConfig, base: PreTrainedConfig | None, stated: Mapping[str, JsonValue]
) -> dict[str, JsonValue]:
    """What of a configuration differs from another, by key, beside names and token numbers.

    Args:
        config: the one.
        base: the other; None: everything differs.
        stated: content of its file, whose own way of writing a value is kept.
    """
    from transformers import PreTrainedConfig

    ours, usual = config.to_dict(), base.to_dict() if base is not None else {}
    found: dict[str, JsonValue] = {}
    for key, value in ours.items():
        if key in _LEFT_OUT or value == usual.get(key):
            continue
        part, other, said = getattr(config, key, None), getattr(base, key, None), stated.get(key)
        if isinstance(part, PreTrainedConfig) and isinstance(other, PreTrainedConfig):
            inner = differences(part, other, said if isinstance(said, dict) else {})
            found |= {key: inner} if inner else {}
        else:
            found[key] = said if key in stated else as_read(value)
    return found
