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

from ..config import AS_PUBLISHED, ModelEntry, PrecisionEntry
from ..contracts.manifest import AppliedPrecision, share_quantized
from ..devices import processor
from ..errors import ModelError
from ..planner import Placement
from ..store.published_precision import check_published_precision, published_method
from .applied_settings import wrong_settings
from .counting import model_class
from .device_map import device_map, refuse_misplaced
from .four_bit_on_cpu import leave_unpacked, refuse_row_lengths
from .interfaces import CausalModel, Tokenizer
from .loading_failures import or_say_why
from .number_formats import NumberFormats, named_format, number_formats
from .published_config import text_config
from .quantization_settings import Setting, check_published_method, published_settings, quantization_config
from .quantized_layers import counted, four_bit_layers, matrices, of_text, quantizable, wrong_layers
from .random_weights import empty_model, random_model
from .rehearsal import check_loaded, rehearse
from .weight_sizes import is_plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from transformers import PreTrainedModel

    from .rehearsal import LoadingInfo


@dataclass(frozen=True)
class LoadedModel:
    """A model ready to generate, with its tokenizer and the precision as it was applied; ``device`` takes its inputs."""

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
    placement: Placement | None = None,
) -> LoadedModel:
    """Load a model at a precision, all of it on the devices it is to run on: nothing is offloaded.

    Args:
        folder: a checked model folder (:func:`quantbench.store.folder_checks.check_folder`); of a stand-in, nothing is read.
        entry: the model.
        precision: its settings go to transformers' ``BitsAndBytesConfig``.
        tokenizer: from :func:`quantbench.models.tokenizing.load_tokenizer`.
        device: ``cuda`` or ``cpu``.
        quantized: the weights in ``folder`` are quantized at this precision already; its settings stand beside them.
        formats: None: those of :func:`.number_formats.number_formats`.
        placement: on CUDA, which of the visible devices holds what; None: the first one holds everything.

    Raises:
        ModelError: the files do not hold what the entry promises, the library refuses the settings or the weights, a layer is
            not quantized that should be, memory runs out, or a tensor is elsewhere than it was placed; names files, tensors,
            layers or devices.
    """
    what = f"{entry.title} with random weights" if entry.has_random_weights else str(folder)

    def load() -> LoadedModel:
        chosen = formats or number_formats(entry, precision, device)
        options = _options(precision, chosen, quantized)
        empty = _checked_files(folder, entry, precision, device, quantized)
        places = _places(empty, folder, placement) if device == "cuda" else {}
        options["device_map"] = places or {"": "cpu"}
        model, applied = _loaded(folder, entry, precision, chosen, device, quantized, options)
        _check_applied(model, applied, precision, what)
        if places:
            refuse_misplaced(model, places, what, own_tables=precision.method == AS_PUBLISHED)
        inputs = torch.device("cuda", next(iter(places.values()))) if places else torch.device("cpu")
        return LoadedModel(model, tokenizer, inputs, applied)

    return or_say_why(load, what, precision.title)


def _options(precision: PrecisionEntry, formats: NumberFormats, quantized: bool) -> dict[str, object]:
    """What ``from_pretrained`` is told of number formats and quantizing.

    Raises:
        ModelError: the library refuses a setting.
    """
    # bitsandbytes logs a cast on every 8-bit product, torchao every kernel it lacks; a job's log must stay readable.
    for library in ("bitsandbytes", "torchao"):
        logging.getLogger(library).setLevel(logging.ERROR)
    options: dict[str, object] = {"dtype": getattr(torch, formats.computed)}
    if precision.method not in ("none", AS_PUBLISHED) and not quantized:
        options["quantization_config"] = quantization_config(precision)
    return options


def _check_applied(model: CausalModel, applied: AppliedPrecision, precision: PrecisionEntry, what: str) -> None:
    """Refuse a model whose layers are not as the precision says.

    Raises:
        ModelError: names layers, what they are and what was asked for.
    """
    wrong = wrong_layers(model, precision.method, precision.settings) or wrong_settings(
        model, applied.method, applied.settings, precision.method == AS_PUBLISHED
    )
    if wrong:
        raise ModelError(
            f"{what}: loaded, and not at precision {precision.title!r}: {wrong}; nothing was computed with it"
        )


def _loaded(
    folder: Path,
    entry: ModelEntry,
    precision: PrecisionEntry,
    formats: NumberFormats,
    device: str,
    quantized: bool,
    options: dict[str, object],
) -> tuple[CausalModel, AppliedPrecision]:
    """The model with its weights where they belong, and what it is then."""
    model = random_model(entry, options) if entry.has_random_weights else _published_model(folder, options)
    model.eval()
    return model, _applied(model, folder, precision, formats, device, quantized)


def _checked_files(
    folder: Path, entry: ModelEntry, precision: PrecisionEntry, device: str, quantized: bool
) -> CausalModel | None:
    """Compare files with what they should hold; of a checkpoint that was quantized here, the manifest has proved it.

    Returns:
        the model's class without weights, where they are to be quantized; else None.
    """
    if precision.method == AS_PUBLISHED:
        text_config(folder)
        check_published_method(folder)
        return None
    if quantized:
        return None
    if entry.has_random_weights:
        what, empty = f"{entry.title} with random weights", cast(CausalModel, empty_model(entry))
    else:
        text_config(folder)
        check_published_precision(folder, entry.title, entry)
        what, empty = str(folder), cast(CausalModel, rehearse(folder))
    _check_counts(empty, entry, what)
    if device == "cpu" and precision.settings.get("load_in_4bit"):
        refuse_row_lengths(of_text(empty, quantizable(empty)), what)
    return empty


def _check_counts(empty: CausalModel, entry: ModelEntry, what: str) -> None:
    """Refuse an entry whose counts, by which memory and time were planned, are another model's."""
    weights = sum(cast(torch.Tensor, layer.weight).numel() for _, layer in quantizable(empty))
    if entry.counts is not None and entry.counts.linear != weights:
        raise ModelError(
            f"{what}: its linear layers have {weights} weights, and counts.linear of its entry says {entry.counts.linear}: memory and "
            "time were planned for another model; have quantbench add-model write the entry anew"
        )


def _applied(
    model: CausalModel, folder: Path, precision: PrecisionEntry, formats: NumberFormats, device: str, quantized: bool
) -> AppliedPrecision:
    """Bring a model that came quantized to its formats, and say what it is now."""
    method: str = precision.method
    settings: dict[str, Setting] = dict(precision.settings)
    if precision.method == AS_PUBLISHED:
        method, settings = published_method(folder), published_settings(model.config)
    if method == "bitsandbytes" and (quantized or precision.method == AS_PUBLISHED):
        _convert(model, getattr(torch, formats.computed))
    if device == "cpu" and settings.get("load_in_4bit"):
        refuse_row_lengths(of_text(model, four_bit_layers(model)), str(folder))
        leave_unpacked(model, getattr(torch, formats.computed))
        settings |= _multiply_as_processor_does(model, settings, formats.computed)
    weights = counted(matrices(model))
    # Some kernels hold published quantized weights as no parameter of the model; then nothing is said of their share.
    unseen = precision.method == AS_PUBLISHED and not any(one.quantized for one in weights)
    return AppliedPrecision(
        method=method,
        settings=settings,
        dtype=formats.computed,
        checkpoint_dtype=None if formats.stored == formats.computed else formats.stored,
        quantized_share=None if unseen else share_quantized(weights),
        weights=None if unseen else weights,
    )


def _published_model(folder: Path, options: dict[str, object]) -> CausalModel:
    """The model of a folder, once nothing in it was made up or left over.

    Raises:
        ModelError: see :func:`quantbench.models.rehearsal.check_loaded`.
    """
    from transformers import AutoModelForCausalLM

    load = cast("Callable[..., tuple[PreTrainedModel, LoadingInfo]]", AutoModelForCausalLM.from_pretrained)
    model, found = load(
        folder,
        local_files_only=True,
        trust_remote_code=False,
        # Mismatches are then named by us, and not only counted.
        ignore_mismatched_sizes=True,
        output_loading_info=True,
        config=text_config(folder),
        **options,
    )
    check_loaded(folder, model, found)
    return cast(CausalModel, model)


def _convert(model: CausalModel, computed: torch.dtype) -> None:
    """Bring what is not quantized to a format: of a quantized checkpoint transformers leaves it as it is in the files."""
    for weight in model.parameters():
        state = getattr(weight, "quant_state", None)
        if is_plain(weight):
            weight.data = weight.data.to(computed)
        elif state is not None:  # NF4: the format to dequantize to
            state.dtype = computed


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

    told = named_format(settings.get("bnb_4bit_compute_dtype", "float32"))
    own_kernel = processor.this_processor().x86 and processor.multiplies("bfloat16")
    if own_kernel or processor.multiplies(told):
        return {}
    for layer in model.modules():
        if isinstance(layer, Linear4bit):
            layer.compute_dtype = getattr(torch, computed)
    return {"bnb_4bit_compute_dtype": computed}


def _places(empty: CausalModel | None, folder: Path, placement: Placement | None) -> dict[str, int]:
    """Which GPU each module goes to; one that holds everything takes no names."""
    if placement is None or placement.devices == 1:
        return {"": placement.embedding if placement else 0}
    return device_map(cast("PreTrainedModel", empty or model_class(text_config(folder))), placement)
