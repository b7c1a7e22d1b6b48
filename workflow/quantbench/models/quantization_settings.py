"""What transformers is told to quantize with, and what a checkpoint says of how it was quantized.

Settings are held against the signature of the installed library once more, since each version has its own arguments and
bitsandbytes' configuration takes any other without a word.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, get_args, get_type_hints

import torch

from ..config import PrecisionEntry
from ..errors import ModelError, nearest, shorten
from ..store.published_precision import published_method

if TYPE_CHECKING:
    from torchao.core.config import AOBaseConfig
    from transformers import PreTrainedConfig
    from transformers.utils.quantization_config import QuantizationConfigMixin

# Of a precision, by name of the library's argument.
Setting = bool | int | float | str


def quantization_config(precision: PrecisionEntry) -> QuantizationConfigMixin:
    """What transformers is told to quantize with.

    Raises:
        ModelError: the library knows no such argument, refuses a value, or is not installed; names them.
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

    taken = _taken(BitsAndBytesConfig, settings)
    # Where the library has a float it takes no whole number.
    return BitsAndBytesConfig(
        **{
            name: float(value) if type(value) is int and isinstance(taken[name].default, float) else value
            for name, value in settings.items()
        }
    )


def _torchao_config(settings: dict[str, Setting]) -> QuantizationConfigMixin:
    from transformers import TorchAoConfig

    return TorchAoConfig(torchao_configuration(settings))


def torchao_configuration(settings: Mapping[str, Setting]) -> AOBaseConfig:
    """The configuration that ``config`` names, made of the other settings.

    Raises:
        ImportError: torchao is not installed.
        TypeError, ValueError, AssertionError: it has no such configuration or argument, or refuses a value.
    """
    from torchao import quantization

    kind = _torchao_class(quantization, str(settings.get("config", "")))
    given = {name: value for name, value in settings.items() if name != "config"}
    _taken(kind, given)
    hints = get_type_hints(kind)
    return kind(**{name: _converted(name, value, hints[name]) for name, value in given.items()})


def _torchao_class(quantization: ModuleType, name: str) -> type[AOBaseConfig]:
    """One of torchao's configurations by name.

    Raises:
        ValueError: it has none of that name, or it is put together from others, which no entry can hold.
    """
    from torchao.core.config import AOBaseConfig

    classes = {key: kind for key, kind in vars(quantization).items() if inspect.isclass(kind)}
    known = {key: kind for key, kind in classes.items() if issubclass(kind, AOBaseConfig) and key.endswith("Config")}
    single = {key: kind for key, kind in known.items() if "fqn_to_config" not in inspect.signature(kind).parameters}
    if name not in single:
        raise ValueError(f"it has no configuration {name!r} that a precision can name{nearest(name, single)}")
    return single[name]


def _taken(kind: Callable[..., object], settings: Mapping[str, Setting]) -> Mapping[str, inspect.Parameter]:
    """The arguments that a library's configuration takes by name, once every setting is one of them.

    Raises:
        TypeError: names the setting, its value and the nearest argument.
    """
    several = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    taken = {key: one for key, one in inspect.signature(kind).parameters.items() if one.kind not in several}
    for name, value in settings.items():
        if name not in taken:
            called = getattr(kind, "__name__", "it")
            raise TypeError(
                f"{called} takes no argument {name!r}, which has the value {shorten(value)}{nearest(name, taken)}"
            )
    return taken


def _converted(name: str, value: Setting, hint: object) -> object:
    """A setting as the type that torchao states for its argument.

    Raises:
        TypeError: it is none of them, or one that an entry cannot hold.
    """
    kinds = [kind for kind in get_args(hint) or (hint,) if isinstance(kind, type)]
    for kind in kinds:
        if issubclass(kind, Enum):
            known = {str(one.name).casefold(): one for one in kind} | {str(one.value).casefold(): one for one in kind}
            if not isinstance(value, str) or value.casefold() not in known:
                raise TypeError(f"{name} has the value {value!r}{nearest(str(value), [one.name for one in kind])}")
            return known[value.casefold()]
        if kind is torch.dtype and isinstance(getattr(torch, str(value), None), torch.dtype):
            return getattr(torch, str(value))
    # True is a whole number to Python, and a whole number no float to these classes.
    if type(value) in kinds:
        return value
    if type(value) is int and float in kinds:
        return float(value)
    said = " or ".join(kind.__name__ for kind in kinds if kind is not type(None)) or str(hint)
    plain = {bool, int, float, str, torch.dtype}.intersection(kinds)
    why = "" if plain else ", which an entry cannot hold: leave it out"
    raise TypeError(f"{name} has the value {value!r}, and {said} is expected{why}")


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
