"""What a maker publishes of a model beside its weights: read from a folder, or from ``config.json`` alone.

What no entry can be written of is refused here, as far as the files say so without the model's class
(:mod:`quantbench.models.describing` has the rest).
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import JsonValue

from ..errors import ModelError, shorten
from ..reading import json_text, yaml_text
from ..reading.text_files import MIB, read_bytes
from .conversion import PICKLED, PICKLED_INDEX, SAFETENSORS_INDEX
from .published_precision import method_of
from .tensor_headers import WHOLE as ONE_FILE
from .weight_headers import WeightFormats, read_formats

_CONFIG, _ADAPTER, _TOKENIZER = "config.json", "adapter_config.json", "tokenizer_config.json"
_CARD = "README.md"
# One of these is what any tokenizer is read from.
TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json")
# What is fetched to describe a model of the hub; a tokenizer's vocabulary may have 30 MB and says nothing of this.
SMALL_FILES = (
    *(_CONFIG, "generation_config.json", _TOKENIZER, "chat_template.jinja", _CARD, _ADAPTER),
    *("LICEN[CS]E*", SAFETENSORS_INDEX),
)
# How weights were quantized, as config.json says it; the second is what compressed-tensors called it before.
_QUANTIZATION = ("quantization_config", "compression_config")
_TEXT = "text_config"  # where several models are one, the facts of that which writes
_FRONT_MATTER = re.compile(r"---\s*\n(.*?)\n---\s*(\n|$)", re.DOTALL)


@dataclass(frozen=True)
class PublishedFacts:
    """What the files of one model say of it.

    Attributes:
        where: its ``config.json``, as messages name it.
        config: the content of that file.
        template: the chat template, all of them where there are several; empty: it has none; None: not at hand.
        licence: as model card or licence file name it; None: they do not.
        weights: numbers of weights by format; None: not at hand, or pickled.
        hub_id, commit: where it is published; None: a local folder.
        gated: whether the hub asks for an account that accepted the licence.
    """

    where: str
    config: dict[str, JsonValue]
    template: str | None = None
    licence: str | None = None
    weights: WeightFormats | None = None
    hub_id: str | None = None
    commit: str | None = None
    gated: bool = False

    @property
    def quantized(self) -> str | None:
        """The method by which the published weights were quantized; None: they are not."""
        found = next((found for _, found in _quantizations(self.config)), None)
        return method_of(found) if isinstance(found, dict) else None

    @property
    def unquantized_config(self) -> dict[str, JsonValue]:
        """The configuration of the model that the weights were quantized from."""
        text = self.config.get(_TEXT)
        plain = _without_quantization(self.config)
        return {**plain, _TEXT: _without_quantization(text)} if isinstance(text, dict) else plain


def facts_of_file(path: Path) -> PublishedFacts:
    """The facts that a ``config.json`` states alone.

    Raises:
        ModelError: not there, not JSON, or of weights that are quantized in no way that it names.
    """
    return PublishedFacts(str(path), _config(path, str(path)))


def facts_of_folder(folder: Path) -> PublishedFacts:
    """The facts that a model's folder states.

    Raises:
        ModelError: names file, field and value of what no entry can be written of.
    """
    refuse_other_formats(str(folder), {path.name for path in folder.iterdir()})
    return replace(described(folder, str(folder)), weights=read_formats(folder, str(folder)))


def described(folder: Path, label: str) -> PublishedFacts:
    """What the small files of a folder say; messages call it ``label``.

    Raises:
        ModelError: one that is no JSON object, or weights that are quantized in no way that it names.
    """
    read_object(folder / "generation_config.json", f"{label}/generation_config.json")
    return PublishedFacts(
        f"{label}/{_CONFIG}",
        _config(folder / _CONFIG, f"{label}/{_CONFIG}"),
        template=chat_template(folder, label),
        licence=_licence(folder),
    )


def refuse_other_formats(label: str, files: Collection[str]) -> None:
    """Refuse what transformers would not load as a model of its own.

    Args:
        label: the folder or repository, as messages name it.
        files: names of what it holds.

    Raises:
        ModelError: an adapter, GGUF alone, no configuration, no weights, or no tokenizer.
    """
    if _ADAPTER in files:
        raise ModelError(
            f"{label}/{_ADAPTER}: this is an adapter, which changes another model's weights; merge it into that model "
            f"(peft: merge_and_unload, save_pretrained) and give the merged folder, without {_ADAPTER}"
        )
    if _CONFIG not in files:
        other = _ggufs(files)
        raise ModelError(
            f"{label}: has no {_CONFIG}{other or '; give a folder or repository that holds a whole model'}"
        )
    loadable = (ONE_FILE, SAFETENSORS_INDEX, PICKLED_INDEX)
    if not any(file in loadable or PICKLED.fullmatch(file) for file in files):
        other = _ggufs(files) or "; fetch the weights, or give --hub-id and the config.json alone"
        raise ModelError(f"{label}: has no weights ({' or '.join(loadable)}){other}")
    if not any(file in TOKENIZERS for file in files):
        raise ModelError(
            f"{label}: has no tokenizer ({' or '.join(TOKENIZERS)}); save that of the model it was trained from beside the weights"
        )


def _ggufs(files: Iterable[str]) -> str:
    """What is said where the weights are in llama.cpp's format."""
    found = sorted(file for file in files if file.casefold().endswith(".gguf"))
    return f", and {found[0]} is GGUF, a format of llama.cpp; give the repository it was made from" if found else ""


def _config(path: Path, where: str) -> dict[str, JsonValue]:
    config = read_object(path, where)
    if config is None:
        raise ModelError(f"{where}: no such file; give a model's folder, its config.json, or its id on the hub")
    for key, quantized in _quantizations(config):
        if not (isinstance(quantized, dict) and method_of(quantized)):
            raise ModelError(
                f"{where}: {key} has the value {shorten(quantized)}, and names no quant_method, by which transformers loads "
                "quantized weights; correct the file, or fetch it again"
            )
    return config


def read_object(path: Path, where: str) -> dict[str, JsonValue] | None:
    """A JSON object; None: no such file.

    Raises:
        ModelError: what stands there is none; names the file as ``where``.
    """
    if not os.path.lexists(path):
        return None
    return json_text.parse_object(
        read_bytes(path, ModelError), where, ModelError, remedy="fetch it again", foreign=True
    )


def chat_template(folder: Path, label: str | None = None) -> str:
    """The chat template of a model's folder, all of them where it has several; empty: it has none.

    Args:
        folder: holds the tokenizer's files.
        label: what messages call it; None: as it is.

    Raises:
        ModelError: ``tokenizer_config.json`` is no JSON object.
    """
    own = folder / "chat_template.jinja"
    if own.is_file():
        return _loosely(own)
    found = (read_object(folder / _TOKENIZER, f"{label or folder}/{_TOKENIZER}") or {}).get("chat_template")
    named = found if isinstance(found, list) else [{"template": found or ""}]
    return "\n".join(str(one.get("template", "")) for one in named if isinstance(one, dict))


def _licence(folder: Path) -> str | None:
    """The licence by the front matter of the model card, else by the first line of a licence file."""
    card = folder / _CARD
    matter = _FRONT_MATTER.match(_loosely(card)) if card.is_file() else None
    try:
        stated = yaml_text.parse(matter[1], str(card), ModelError) if matter else None
    except ModelError:  # of a card that people write by hand; the licence file may still say it
        stated = None
    if isinstance(stated, dict):
        licence = stated.get("license")
        named = stated.get("license_name") if licence in (None, "other") else licence
        if isinstance(named, str) and named.strip():
            return named.strip()
    for path in sorted(path for path in folder.glob("LICEN[CS]E*") if path.is_file()):
        lines = _loosely(path).splitlines()
        title = next((line.strip(" #*\t") for line in lines if line.strip(" #*\t")), None)
        if title:
            return title
    return None


def _loosely(path: Path) -> str:
    """A text that people wrote by hand, whatever bytes are in it: nothing is computed from it."""
    return read_bytes(path, ModelError, 16 * MIB).decode("utf-8", "replace")


def _quantizations(config: Mapping[str, JsonValue]) -> Iterator[tuple[str, JsonValue]]:
    """Every statement of how the weights are quantized, by its key: of the whole, then of the text model."""
    yield from ((key, config[key]) for key in _QUANTIZATION if config.get(key) is not None)
    text = config.get(_TEXT)
    if isinstance(text, dict):
        yield from ((f"{_TEXT}.{key}", found) for key, found in _quantizations(text))


def _without_quantization(config: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    return {key: value for key, value in config.items() if key not in _QUANTIZATION}
