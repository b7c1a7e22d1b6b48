"""A maker's ``config.json`` as transformers reads it: of a model that continues texts, and with the facts of its entry.

What the file leaves out transformers fills in by its family's defaults, silently; so what counts is what the class is
built by in the end, and that is held against the entry.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..config import ModelEntry
from ..errors import ModelError, shorten
from ..reading import json_text
from ..reading.library_errors import in_one_line
from ..store.tensor_headers import WHOLE
from .describing import differences
from .random_weights import class_settings

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

_NAMED = 3
# Layers, heads, experts, labels: transformers makes a list of each, however long it is said to be.
_MOST_COUNTED = 1_000_000


def text_config(folder: Path) -> PreTrainedConfig:
    """Read ``config.json`` as that of a model that continues texts.

    Raises:
        ModelError: of another kind of model, of one that needs code of its own, or unreadable to transformers.
    """
    from transformers import AutoConfig
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    path = folder / "config.json"
    _refuse_own_code(path)
    _refuse_other_weights(path)
    _refuse_endless_lists(path)
    with in_one_line(path, "transformers cannot read it", "correct it or retrieve it again"):
        config: PreTrainedConfig = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        text = config.get_text_config(decoder=True)
        padding, rows = getattr(text, "pad_token_id", None), getattr(text, "vocab_size", 0)
        # Embeddings with a padding row that they do not have cannot be made; what pads is the tokenizer's affair.
        if padding is not None and not 0 <= padding < rows:
            text.pad_token_id = None
    if config.model_type not in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        raise ModelError(
            f"{path}: model_type is {config.model_type!r}, which transformers has no causal language model of; name a model that "
            "continues texts"
        )
    if config.is_encoder_decoder:
        raise ModelError(
            f"{path}: is_encoder_decoder is true: this model translates one text into another; name one that continues texts"
        )
    _refuse_other_heads(path, config)
    return config


def check_facts(folder: Path, name: str, entry: ModelEntry) -> None:
    """Hold what transformers makes of ``config.json`` against what it makes of the entry's facts.

    :func:`quantbench.store.folder_checks.check_configuration` compares what the file states; this adds what it leaves out.
    An entry without ``config_json`` says nothing of the facts that stand there.

    Raises:
        ModelError: as :func:`text_config`, or names the facts that differ.
    """
    config = text_config(folder)
    if not entry.config_json:
        return
    ours = class_settings(entry)
    found = [
        f"{key} is {shorten(value)} there or by default, and {shorten(getattr(ours, key, None))} by config/models/{name}.yaml"
        for key, value in differences(config, ours, {}).items()
    ]
    if found:
        more = f"; and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        raise ModelError(
            f"{folder / 'config.json'}: {'; '.join(found[:_NAMED])}{more}; fetch the file again, or have quantbench add-model write "
            "the entry anew"
        )


def _refuse_own_code(path: Path) -> None:
    from transformers import CONFIG_MAPPING

    from ..contracts.model_folder import PublishedConfig

    stated = PublishedConfig.read(path)
    if stated.model_type is None:
        raise ModelError(f"{path}: model_type is missing, which says what the model is; retrieve it again")
    if stated.model_type not in CONFIG_MAPPING:
        own = (
            f", and auto_map names code of its own ({shorten(stated.auto_map)}), which is never run"
            if stated.auto_map
            else ""
        )
        raise ModelError(
            f"{path}: model_type is {stated.model_type!r}, which this transformers does not know{own}; a newer transformers may, or "
            "take a version of the model in transformers' own format"
        )


def _refuse_other_weights(path: Path) -> None:
    """Refuse a configuration by which transformers would load another file than the one that is checked."""
    from ..contracts.model_folder import PublishedConfig

    named = PublishedConfig.read(path).further.get("transformers_weights", WHOLE)
    if named != WHOLE:
        raise ModelError(
            f"{path}: transformers_weights has the value {shorten(named)}, a file that transformers would load in place of {WHOLE}; "
            f"rename that file to {WHOLE} and take the key out"
        )


def _refuse_endless_lists(path: Path) -> None:
    parts = [("", json_text.read_object(path, ModelError))]
    for prefix, part in parts:
        parts += [(f"{prefix}{key}.", value) for key, value in part.items() if isinstance(value, dict)]
        for key, value in part.items():
            if key.startswith("num_") and isinstance(value, int | float) and value > _MOST_COUNTED:
                raise ModelError(
                    f"{path}: {prefix}{key} has the value {shorten(value)}, and no model has more than {_MOST_COUNTED:,}; retrieve the "
                    "file again"
                )


def _refuse_other_heads(path: Path, config: PreTrainedConfig) -> None:
    """A classifier, an encoder or a bare body would get an output head made up at random, another family other layers."""
    import transformers
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    stated: object = config.architectures or []
    if not isinstance(stated, list) or not all(isinstance(name, str) for name in stated):
        raise ModelError(
            f"{path}: architectures has the value {shorten(stated)}; a list of names is expected: retrieve it again"
        )
    own = MODEL_FOR_CAUSAL_LM_MAPPING_NAMES[config.model_type]
    ours = {name.casefold() for name in ([own] if isinstance(own, str) else own)}
    if (
        stated
        and not any(name.casefold() in ours for name in stated)
        and all(hasattr(transformers, name) for name in stated)
    ):
        causal = set(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.values())
        if causal.isdisjoint(stated):
            raise ModelError(
                f"{path}: architectures is {stated}, which continues no texts; name a model with a language-modelling head"
            )
        raise ModelError(
            f"{path}: architectures is {stated}, and model_type {config.model_type!r}, whose class is {own}; retrieve the file again"
        )
