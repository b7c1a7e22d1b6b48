"""A model of an entry with shapes only, at a precision, its weights made piece by piece on their devices as loading does it."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import torch
from torch import nn

from ..config import AS_PUBLISHED, ModelEntry, PrecisionEntry
from ..errors import ModelError
from ..models.device_map import device_map
from ..models.number_formats import number_formats
from ..models.quantization_settings import quantization_config
from ..models.random_weights import empty_model
from ..planner.placement import Placement
from .counting_mode import CountingMode

if TYPE_CHECKING:
    from transformers import PreTrainedModel
    from transformers.quantizers.base import HfQuantizer
    from transformers.utils.quantization_config import TorchAoConfig

META = torch.device("meta")


def meta_model(
    entry: ModelEntry, precision: PrecisionEntry, placement: Placement | None
) -> tuple[PreTrainedModel, dict[str, int]]:
    """The class of an entry as loading prepares it for a precision on CUDA: linear layers replaced, no weights made.

    Returns:
        the model, and the device of each module that is placed as a whole.

    Raises:
        ModelError: transformers cannot build it or place it, the library refuses the settings, or the weights come quantized by
            their publisher, whose files alone say how.
    """
    if precision.method == AS_PUBLISHED:
        raise ModelError(
            f"{entry.title}: weights that were published quantized cannot be traced: only their files say what is stored; plan them "
            "without --trace"
        )
    model = empty_model(entry)
    places = {"": 0} if placement is None or placement.devices == 1 else device_map(model, placement)
    # Weights and buffers that rotate positions keep their format; from_pretrained casts weights alone.
    dtype = computed_format(entry, precision)
    for module in model.modules():
        for key, weight in module._parameters.items():
            if weight is not None:
                module._parameters[key] = nn.Parameter(weight.to(dtype), requires_grad=False)
    model.tie_weights()
    if precision.method == "bitsandbytes":
        _quantizer(precision).preprocess_model(model, device_map={"": 0})
    return cast("PreTrainedModel", model.eval()), places


def load_weights(
    model: PreTrainedModel,
    entry: ModelEntry,
    precision: PrecisionEntry,
    counting: CountingMode,
    places: Mapping[str, int],
) -> None:
    """Make every weight on the device of its module, quantized there one after another as ``from_pretrained`` does it.

    transformers quantizes while it loads without threads (``core_model_loading.convert_and_load_state_dict_in_model``), so that
    one matrix in 16 bits stands beside what is quantized already.

    Args:
        model: of :func:`meta_model`.
        entry: likewise.
        precision: likewise.
        counting: the mode, which must be active.
        places: device by name of module, as in a device map.
    """
    made: dict[int, nn.Parameter] = {}
    kept = set(_kept(model, precision))
    for name, module in model.named_modules():
        device = place_of(name, places)
        counting.module = name
        with counting.made_on(device, "weights"):
            for key, weight in module._parameters.items():
                if weight is None:
                    continue
                if id(weight) not in made:
                    new = _loaded(module, key, weight, entry, precision, counting, quantized=name not in kept)
                    made[id(weight)] = made[id(new)] = new
                module._parameters[key] = made[id(weight)]
            for key, buffer in module._buffers.items():
                module._buffers[key] = torch.empty_like(buffer) if buffer is not None else None
    counting.module = ""
    gc.collect()


def place_of(name: str, places: Mapping[str, int]) -> int:
    """The device of a module: its own, or that of the nearest one around it which the map names."""
    parts = name.split(".")
    around = [".".join(parts[:end]) for end in range(len(parts), -1, -1)]
    return next((places[outer] for outer in around if outer in places), 0)


def computed_format(entry: ModelEntry, precision: PrecisionEntry) -> torch.dtype:
    """The format of what is not quantized, on CUDA."""
    found: torch.dtype = getattr(torch, number_formats(entry, precision, "cuda").computed)
    return found


def _loaded(
    module: nn.Module,
    key: str,
    weight: nn.Parameter,
    entry: ModelEntry,
    precision: PrecisionEntry,
    counting: CountingMode,
    quantized: bool,
) -> nn.Parameter:
    """One weight as loading leaves it."""
    from bitsandbytes.nn.modules import Int8Params, Linear4bit, Linear8bitLt, Params4bit

    # Layers that will be quantized were made anew, in any format; all weights come in the one that is computed in.
    whole = torch.empty(weight.shape, dtype=computed_format(entry, precision), device=META)
    if key == "weight" and isinstance(module, Linear4bit):
        # `Bnb4bitQuantize.convert` and `Params4bit.to`, which quantizes on any device that holds values.
        with counting.made_on(counting.device_of(whole), "quantization_state"):
            packed = Params4bit(whole, requires_grad=False, **weight.__dict__)._quantize(META)  # type: ignore[no-untyped-call]
        counting.relabel(packed.data, "weights")
        module.quant_state = packed.quant_state
        return cast(nn.Parameter, packed)
    if key == "weight" and isinstance(module, Linear8bitLt):
        # `Bnb8bitQuantize.convert` copies the matrix to the CPU and back, so that two of it are on the device.
        settings = {name: value for name, value in weight.__dict__.items() if name != "SCB"}
        with counting.made_on(counting.device_of(whole), "quantization_state"):
            packed = Int8Params(whole.clone(), requires_grad=False, **settings)._quantize(META)  # type: ignore[no-untyped-call]
        counting.relabel(packed.data, "weights")
        # It would ask for the device of the scales, and on shapes there is none to tell it by.
        module.state.CB, module.state.SCB = packed.CB, packed.SCB
        packed.CB = packed.SCB = None
        return cast(nn.Parameter, packed)
    new = nn.Parameter(whole, requires_grad=False)
    if key == "weight" and precision.method == "torchao" and type(module) is nn.Linear and quantized:
        _quantize_by_torchao(module, new, precision, counting)
        return cast(nn.Parameter, module._parameters["weight"])
    return new


def _quantize_by_torchao(
    module: nn.Linear, weight: nn.Parameter, precision: PrecisionEntry, counting: CountingMode
) -> None:
    """`TorchAoQuantize.convert`: the layer's own weight is replaced by one of two tensors."""
    from torchao.quantization import quantize_

    settings = cast("TorchAoConfig", quantization_config(precision))
    module._parameters["weight"] = weight
    with counting.made_on(counting.device_of(weight), "quantization_state"):
        quantize_(module, settings.get_apply_tensor_subclass(), lambda *_: True)
    packed = module._parameters["weight"]
    counting.relabel(packed.qdata, "weights")  # type: ignore[union-attr]


def _kept(model: PreTrainedModel, precision: PrecisionEntry) -> list[str]:
    """The linear layers that a precision leaves as they are."""
    from ..models.interfaces import CausalModel
    from ..models.quantized_layers import quantizable

    if precision.method != "torchao":
        return []
    replaced = {name for name, _ in quantizable(cast(CausalModel, model))}
    return [name for name, _ in model.named_modules() if name not in replaced]


def _quantizer(precision: PrecisionEntry) -> HfQuantizer:
    from transformers.quantizers.auto import AutoHfQuantizer

    return cast("HfQuantizer", AutoHfQuantizer.from_config(quantization_config(precision)))


@contextmanager
def tables_apart() -> Iterator[None]:
    """Keep bitsandbytes' table of its scales out of a trace, and a trace's out of later loads.

    The library makes the table at its first call, on whatever device that is, and keeps it in the process. Made here on the CPU,
    it is the same for every trace, and no load finds one without values.
    """
    from bitsandbytes import functional

    tables = functional.name2qmap
    kept = dict(tables)
    tables["dynamic"] = functional.create_dynamic_map()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        tables.clear()
        tables.update(kept)
