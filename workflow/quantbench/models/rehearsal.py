"""Loading rehearsed: the tensors that a model's files hold go through transformers' own loading, as shapes alone.

It renames, joins and ties as it will with the weights, on the ``meta`` device: for 70 billion weights that takes about a
second and reads nothing but headers. What it then misses it would make up at random, and what it does not know it would
drop, both with a warning that a job's log never shows. So either one refuses the model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, cast

import torch

from ..errors import ModelError
from ..reading.library_errors import said
from ..store.tensor_headers import StoredTensor, stored_tensors
from .counting import model_class
from .pickled_tensors import pickled_tensors
from .published_config import text_config

if TYPE_CHECKING:
    from collections.abc import Callable

    from transformers import PreTrainedConfig, PreTrainedModel

_NAMED = 3
# Formats of weights that are not quantized, as safetensors name them.
_PLAIN_FORMATS = {"F16", "BF16", "F32", "F64"}
# What PEFT calls the tensors of an adapter that is not merged yet, and those it wraps.
_ADAPTER_PARTS = {"lora_A", "lora_B", "base_layer", "lora_embedding_A", "lora_embedding_B", "modules_to_save"}


class LoadingInfo(TypedDict):
    """What transformers says of a loading (``output_loading_info``); shapes of files come first in a mismatch."""

    missing_keys: set[str]
    unexpected_keys: set[str]
    mismatched_keys: set[tuple[str, tuple[int, ...], tuple[int, ...]]]
    error_msgs: list[str]


@dataclass(frozen=True)
class _Shape:
    """A tensor without its numbers, in place of a slice of a safetensors file."""

    shape: tuple[int, ...]

    def __getitem__(self, index: object) -> _Shape:
        return self

    def to(self, device: object = None, dtype: torch.dtype | None = None) -> torch.Tensor:
        """The tensor as transformers wants it, on no device."""
        return torch.empty(self.shape, dtype=dtype, device="meta")


def rehearse(folder: Path) -> PreTrainedModel:
    """Load a model folder's tensors as shapes, and refuse it unless each finds its place and none is left over.

    Returns:
        the class that ``config.json`` describes, without weights.

    Raises:
        ModelError: names tensors that are missing, unexpected or of another shape, a file that is cut short or missing, or
            what ``config.json`` describes and is no language model.
    """
    config, tensors = text_config(folder), stored_tensors(folder) or pickled_tensors(folder)
    empty = _empty(config, folder)
    _refuse_other_formats(tensors, empty)
    load = cast("Callable[..., tuple[PreTrainedModel, LoadingInfo]]", type(empty).from_pretrained)
    try:
        _, found = load(
            None,
            config=config,
            state_dict={name: _Shape(tensor.shape) for name, tensor in tensors.items()},
            dtype=empty.dtype,
            device_map={"": "meta"},
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    except Exception as error:  # parts of one weight, such as experts, that do not go together
        found = _held_against(empty, tensors)
        if not any(found.values()):
            raise ModelError(f"{folder}: transformers cannot put its tensors together: {said(error)}") from None
    check_loaded(folder, empty, found, tensors)
    return empty


def check_loaded(folder: Path, model: PreTrainedModel, found: LoadingInfo, stored: Iterable[str] | None = None) -> None:
    """Refuse what was loaded unless it is what the files hold and all that the model needs.

    Args:
        folder: the model's.
        model: of the class that was loaded.
        found: what transformers says of the loading.
        stored: names of all tensors in the files, where they are known.

    Raises:
        ModelError: names them, and what to do.
    """
    wrong = [
        _listed("missing", sorted(found["missing_keys"])),
        _listed("unexpected", sorted(found["unexpected_keys"])),
        _listed("of another shape", [_mismatch(*one) for one in sorted(found["mismatched_keys"])]),
        *map(str, found["error_msgs"]),
    ]
    said = "; ".join(filter(None, wrong))
    if not said and _head_of_its_own(model):
        raise ModelError(
            f"{folder / 'config.json'}: tie_word_embeddings is true, and the files hold an output head that is not the embedding; set "
            "it to false if the head belongs to the model, or have the head taken out of the files"
        )
    if said:
        names = set(stored) if stored is not None else found["unexpected_keys"]
        raise ModelError(
            f"{folder}: its weights are not those of the {type(model).__name__} that config.json describes: {said}; "
            f"{_advice(model, found, names)}"
        )


def _empty(config: PreTrainedConfig, folder: Path) -> PreTrainedModel:
    try:
        return model_class(config)
    except ModelError as error:
        raise ModelError(f"{folder / 'config.json'}: {said(error)}; correct it or retrieve it again") from None


def _refuse_other_formats(tensors: Mapping[str, StoredTensor], empty: PreTrainedModel) -> None:
    """A matrix of integers, or a vector of them where the model has numbers, would be read as numbers all the same."""
    numbers = {name for name, weight in empty.named_parameters() if weight.is_floating_point()}
    for name, tensor in tensors.items():
        if tensor.dtype not in _PLAIN_FORMATS and (len(tensor.shape) > 1 or name in numbers):
            raise ModelError(
                f"{tensor.path}: {name!r} is stored as {tensor.dtype}, so that the weights are quantized, and config.json has no "
                "quantization_config that says how; name the model they were made from"
            )


def _held_against(empty: PreTrainedModel, tensors: Mapping[str, StoredTensor]) -> LoadingInfo:
    """The files' tensors against those that the model would be saved as."""
    from transformers.core_model_loading import revert_weight_conversion

    tied = empty.all_tied_weights_keys or {}
    state = {name: weight for name, weight in empty.state_dict().items() if name not in tied}
    saved = {name: tuple(weight.shape) for name, weight in revert_weight_conversion(empty, state).items()}
    return LoadingInfo(
        missing_keys=saved.keys() - tensors.keys(),
        unexpected_keys=tensors.keys() - saved.keys() - tied.keys(),
        mismatched_keys={
            (name, tensors[name].shape, shape)
            for name, shape in saved.items()
            if name in tensors and tensors[name].shape != shape
        },
        error_msgs=[],
    )


def _head_of_its_own(model: PreTrainedModel) -> bool:
    """Whether a head that should be the embedding was loaded as another matrix; transformers then keeps both."""
    head, table = model.get_output_embeddings(), model.get_input_embeddings()
    if (
        head is None
        or table is None
        or not getattr(model.config.get_text_config(decoder=True), "tie_word_embeddings", False)
    ):
        return False
    return head.weight is not table.weight and not cast(torch.Tensor, head.weight).is_meta


def _listed(what: str, names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{len(names)} {what} ({', '.join(names[:_NAMED])}{more})" if names else ""


def _mismatch(name: str, theirs: tuple[int, ...], ours: tuple[int, ...]) -> str:
    return f"{name}: {tuple(theirs)} in the files, {tuple(ours)} by config.json"


def _advice(model: PreTrainedModel, found: LoadingInfo, stored: set[str]) -> str:
    """What to do, by what the names have in common."""
    # A tied head is missing only where the embedding is.
    missing = found["missing_keys"] - (model.all_tied_weights_keys or {}).keys() or found["missing_keys"]
    if any(_ADAPTER_PARTS.intersection(name.split(".")) for name in stored):
        return "they hold an adapter that is not merged: merge it (PEFT: merge_and_unload) and save the model again"
    prefix = _common_prefix(missing, stored)
    if prefix:
        return (
            f"the names in the files begin with {prefix!r}, as a wrapper around the model saves them (an adapter merged in place: "
            "save what merge_and_unload returns): save the inner model, or rename the tensors"
        )
    head = model.get_output_embeddings()
    heads = {f"{name}.weight" for name, module in model.named_modules() if module is head}
    if missing and missing <= heads:
        return "where head and embedding are one matrix, config.json says tie_word_embeddings: true; else retrieve the model again"
    if missing:
        return "what is missing would be made up at random: retrieve the model again, or save it whole"
    return "config.json and weights are not of one model: retrieve both again"


def _common_prefix(missing: set[str], stored: set[str]) -> str:
    """What stands before every missing name in the files; empty: nothing does, or not before all of them."""
    found = {name.removesuffix(wanted) for wanted in missing for name in stored if name.endswith(f".{wanted}")}
    prefix = found.pop() if len(found) == 1 else ""
    return prefix if prefix and all(prefix + wanted in stored for wanted in missing) else ""
