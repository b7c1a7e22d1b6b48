"""What transformers is told to quantize with, and what a checkpoint says of how it was quantized."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..config import PrecisionEntry
from ..errors import ModelError, nearest
from ..store.published_precision import published_method

if TYPE_CHECKING:
    from transformers import PreTrainedConfig
    from transformers.utils.quantization_config import QuantizationConfigMixin

# Of a precision, by name of the library's argument.
Setting = bool | int | float | str


def quantization_config(precision: PrecisionEntry) -> QuantizationConfigMixin:
    """What transformers is told to quantize with.

    Raises:
        ModelError: the library refuses the settings, or is not installed.
    """
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


def check_published_method(folder: Path) -> None:
    """Refuse published quantized weights that transformers knows no way to load; it would load them as if they were whole.

    Raises:
        ModelError: names the method and those it knows.
    """
    from transformers.quantizers.auto import AUTO_QUANTIZER_MAPPING

    method = published_method(folder)
    if method not in {"bitsandbytes", *AUTO_QUANTIZER_MAPPING}:
        raise ModelError(
            f"{folder / 'config.json'}: quantization_config has quant_method {method!r}, which this transformers does not load"
            f"{nearest(method, AUTO_QUANTIZER_MAPPING)}"
        )


def published_settings(config: PreTrainedConfig) -> dict[str, Setting]:
    """The plain values of a loaded checkpoint's own ``quantization_config``, its method left out."""
    stated = getattr(config, "quantization_config", None)
    values: Mapping[str, object] = stated if isinstance(stated, Mapping) else stated.to_dict() if stated else {}
    return {
        name: value
        for name, value in values.items()
        if isinstance(value, bool | int | float | str) and name != "quant_method" and not name.startswith("_")
    }
