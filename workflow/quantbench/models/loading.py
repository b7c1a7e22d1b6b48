"""Loading a model at a precision, through transformers with bitsandbytes or torchao, on CUDA or CPU.

Source of the three precisions: arXiv 2509.04534, Methods (NF4 with double quantization and float16 compute; the
library's default 8-bit loading; 16-bit weights for ``full``).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch
from torch.utils._python_dispatch import is_traceable_wrapper_subclass

from ..config import ModelEntry, PrecisionEntry
from ..contracts.manifest import AppliedPrecision
from ..devices import processor
from ..errors import ModelError
from .interfaces import CausalModel, Tokenizer
from .random_weights import random_model

if TYPE_CHECKING:
    from transformers.utils.quantization_config import QuantizationConfigMixin

# Of a precision, by name of the library's argument.
Setting = bool | int | float | str


@dataclass(frozen=True)
class NumberFormats:
    """The formats of what is not quantized, as torch names them: ``stored`` in files, ``computed`` in products.

    They differ only on a CPU that does not multiply the stored one.
    """

    stored: processor.Format
    computed: processor.Format


@dataclass(frozen=True)
class LoadedModel:
    """A model ready to generate, with its tokenizer and the precision as it was applied."""

    model: CausalModel
    tokenizer: Tokenizer
    device: torch.device
    applied: AppliedPrecision


def load_model(
    folder: Path,
    entry: ModelEntry,
    precision: PrecisionEntry,
    tokenizer: Tokenizer,
    device: str,
    quantized: bool = False,
    formats: NumberFormats | None = None,
) -> LoadedModel:
    """Load a model at a precision.

    Args:
        folder: a checked model folder (:func:`quantbench.store.folder_checks.check_folder`); of a stand-in, nothing is read.
        entry: the model.
        precision: its settings go to transformers' ``BitsAndBytesConfig``.
        tokenizer: from :func:`quantbench.models.tokenizing.load_tokenizer`.
        device: ``cuda`` (spread over the visible devices) or ``cpu``.
        quantized: the weights in ``folder`` are quantized at this precision already; its settings stand beside them.
        formats: None: those of :func:`number_formats`.

    Raises:
        ModelError: the library refuses the settings or the weights.
    """
    # bitsandbytes logs a cast on every 8-bit product, torchao every kernel it lacks; a job's log must stay readable.
    for library in ("bitsandbytes", "torchao"):
        logging.getLogger(library).setLevel(logging.ERROR)
    formats = formats or number_formats(entry, precision, device)
    computed: torch.dtype = getattr(torch, formats.computed)
    options: dict[str, object] = {"dtype": computed, "device_map": _device_map(device)}
    if precision.method != "none" and not quantized:
        options["quantization_config"] = _quantization_config(precision)
    try:
        model = random_model(entry, options) if entry.has_random_weights else _published_model(folder, options)
    except (OSError, ValueError) as error:
        what = f"{entry.title} with random weights" if entry.has_random_weights else folder
        raise ModelError(f"{what}: not loadable at precision {precision.title!r}: {error}") from error
    model.eval()
    if quantized:
        _convert(model, computed)
    settings: dict[str, Setting] = dict(precision.settings)
    if device == "cpu" and settings.get("load_in_4bit"):
        settings |= _multiply_as_processor_does(model, settings, formats.computed)
    applied = AppliedPrecision(
        method=precision.method,
        settings=settings,
        dtype=formats.computed,
        checkpoint_dtype=None if formats.stored == formats.computed else formats.stored,
    )
    return LoadedModel(model, tokenizer, torch.device("cuda:0" if device == "cuda" else "cpu"), applied)


def _published_model(folder: Path, options: dict[str, object]) -> CausalModel:
    from transformers import AutoConfig, AutoModelForCausalLM

    facts = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    text = facts.get_text_config()
    # Embeddings with a padding row that they do not have cannot be made; what pads is the tokenizer's affair.
    if text.pad_token_id is not None and not 0 <= text.pad_token_id < text.vocab_size:
        text.pad_token_id = None
        options = options | {"config": facts}
    model = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True, trust_remote_code=False, **options)
    return cast(CausalModel, model)


def number_formats(entry: ModelEntry, precision: PrecisionEntry, device: str) -> NumberFormats:
    """The formats in which a cell stores and computes what is not quantized.

    Runs quantized by bitsandbytes use float16 on CUDA, as in the paper, or the format they are told to compute in. All
    others, and all on CPU, store the model's own format. A processor that does not multiply it computes in float32,
    which holds each of its numbers exactly; a format that took the place of another 16-bit one would not.
    """
    if device == "cuda" and precision.method == "bitsandbytes":
        stored = _format(precision.settings.get("bnb_4bit_compute_dtype", "float16"))
    else:
        stored = entry.full_dtype
    return NumberFormats(stored, stored if device == "cuda" or processor.multiplies(stored) else "float32")


def _convert(model: CausalModel, computed: torch.dtype) -> None:
    """Bring what is not quantized to a format: of a quantized checkpoint transformers leaves it as it is in the files."""
    for weight in model.parameters():
        state = getattr(weight, "quant_state", None)
        if _is_plain(weight):
            weight.data = weight.data.to(computed)
        elif state is not None:  # NF4: the format to dequantize to
            state.dtype = computed


def _format(name: object) -> processor.Format:
    found = next((known for known in processor.FORMATS if known == name), None)
    if found is None:
        raise ModelError(f"bnb_4bit_compute_dtype has the value {name!r}; choose one of {', '.join(processor.FORMATS)}")
    return found


def _multiply_as_processor_does(
    model: CausalModel, settings: Mapping[str, Setting], computed: processor.Format
) -> dict[str, Setting]:
    """Have NF4 layers multiply in ``computed`` where the format they are told to multiply in would be emulated.

    On x86 with AVX512_BF16 bitsandbytes multiplies by a bfloat16 kernel of its own, whatever it is told. Elsewhere it
    dequantizes, and torch multiplies. Quantizing depends on neither, so checkpoints are the same. LLM.int8 multiplies
    its outliers in the format of what is not quantized, and all else in integers (figures: docs/inference.md).

    Returns:
        what of the settings is applied otherwise than configured.
    """
    from bitsandbytes.nn.modules import Linear4bit

    told = _format(settings.get("bnb_4bit_compute_dtype", "float32"))
    own_kernel = processor.this_processor().x86 and processor.multiplies("bfloat16")
    if own_kernel or processor.multiplies(told):
        return {}
    for layer in model.modules():
        if isinstance(layer, Linear4bit):
            layer.compute_dtype = getattr(torch, computed)
    return {"bnb_4bit_compute_dtype": computed}


def _device_map(device: str) -> str | dict[str, str | int]:
    """Where the layers go: the CPU, the one visible GPU, or spread over several.

    With a single GPU ``auto`` would hold back a tenth of its memory, of what is left another tenth for a quantized
    model, and the largest layer beside; what finds no room then goes to the CPU, where bitsandbytes refuses it.
    """
    if device != "cuda":
        return {"": "cpu"}
    return {"": 0} if torch.cuda.device_count() == 1 else "auto"


def weight_bytes(model: CausalModel, stored: processor.Format | None = None) -> int:
    """Bytes the model's weights take, quantization state included (which ``get_memory_footprint`` leaves out).

    Args:
        model: as loaded.
        stored: count what is not quantized as it stands in the model's files, whatever it is computed in here; None:
            as it is held.
    """
    tensors = [*model.parameters(), *model.buffers()]
    parts = [part for tensor in tensors for part in (*_parts(tensor), *_state(tensor))]
    held = sum(part.numel() * part.element_size() for part in parts)
    if stored is None:
        return held
    width: int = getattr(torch, stored).itemsize
    plain = filter(_is_plain, model.parameters())
    return held - sum(weight.numel() * (weight.element_size() - width) for weight in plain)


def _is_plain(weight: torch.Tensor) -> bool:
    """Whether a weight is not quantized."""
    return weight.is_floating_point() and not is_traceable_wrapper_subclass(weight)


def _parts(tensor: torch.Tensor) -> list[torch.Tensor]:
    """The tensor itself, or those a torchao tensor stands for: integers, scales and zero points."""
    if not is_traceable_wrapper_subclass(tensor):
        return [tensor]
    return [part for name in tensor.__tensor_flatten__()[0] for part in _parts(getattr(tensor, name))]


def _state(parameter: torch.Tensor) -> list[torch.Tensor]:
    """One parameter's quantization state by bitsandbytes: block scales of NF4, row scales of LLM.int8."""
    state = getattr(parameter, "quant_state", None)
    nested = getattr(state, "state2", None)
    tensors = [getattr(parameter, "SCB", None)]
    tensors += [getattr(part, name, None) for part in (state, nested) for name in ("absmax", "code", "offset")]
    return [tensor for tensor in tensors if isinstance(tensor, torch.Tensor)]


def _quantization_config(precision: PrecisionEntry) -> QuantizationConfigMixin:
    """What transformers is told to quantize with."""
    make = {"bitsandbytes": _bitsandbytes_config, "torchao": _torchao_config}[precision.method]
    try:
        return make(dict(precision.settings))
    except (TypeError, ValueError, AttributeError, AssertionError) as error:
        raise ModelError(f"precision {precision.title!r}: {precision.method} refuses its settings: {error}") from error
    except ImportError as error:
        raise ModelError(
            f"precision {precision.title!r} needs {precision.method}, which cannot be imported ({error}); "
            "pip install -r requirements/torchao.txt"
        ) from error


def _bitsandbytes_config(settings: dict[str, Setting]) -> QuantizationConfigMixin:
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(**settings)


def _torchao_config(settings: dict[str, Setting]) -> QuantizationConfigMixin:
    from torchao import quantization
    from transformers import TorchAoConfig

    return TorchAoConfig(getattr(quantization, str(settings.pop("config")))(**settings))
