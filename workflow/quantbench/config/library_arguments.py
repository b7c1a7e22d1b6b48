"""What a precision may tell the libraries that quantize, checked when its entry is read, without these libraries.

bitsandbytes' configuration takes any other name without a word and goes on with its defaults: a misspelt
``bnb_4bit_quant_type`` measures FP4. So each name, type and value is held against the arguments stated here, and a test
holds these against the library's own signature. torchao's configurations are checked where it can be imported
(:mod:`quantbench.models.quantization_settings`); here only that one is named.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field, Strict, ValidationError, model_validator

from ..errors import shorten
from .settings import Settings, explain

# A value that an entry, a checkpoint's manifest and a cell's manifest can hold.
Argument = bool | int | float | str
_Switch = Annotated[bool, Strict()]
_COMPUTED = Literal["float16", "bfloat16", "float32"]
_STORED = Literal["float16", "float32", "int8", "uint8", "float64", "bfloat16"]
_TORCHAO_CONFIGURATION = re.compile(r"[A-Z]\w*Config")


class BitsandbytesArguments(Settings):
    """The arguments of transformers' ``BitsAndBytesConfig`` that change how a model is quantized, with its own defaults.

    Attributes:
        refused: its other arguments -> why no precision may set them.
        widths: arguments that count under one width alone -> the switch of that width.
    """

    refused: ClassVar[dict[str, str]] = {
        "llm_int8_skip_modules": "which layers are quantized is transformers' choice, the same for every model; leave it out",
        "llm_int8_enable_fp32_cpu_offload": "no part of a model is ever offloaded here; leave it out",
        "llm_int8_has_fp16_weight": "it keeps the weights in 16 bits, for training; leave it out",
    }
    widths: ClassVar[dict[str, str]] = {
        "llm_int8_threshold": "load_in_8bit",
        "bnb_4bit_compute_dtype": "load_in_4bit",
        "bnb_4bit_quant_type": "load_in_4bit",
        "bnb_4bit_use_double_quant": "load_in_4bit",
        "bnb_4bit_quant_storage": "load_in_4bit",
    }

    load_in_8bit: _Switch = False
    load_in_4bit: _Switch = False
    llm_int8_threshold: Annotated[float, Strict()] = Field(default=6.0, ge=0, allow_inf_nan=False)
    bnb_4bit_compute_dtype: _COMPUTED = "float32"
    bnb_4bit_quant_type: Literal["fp4", "nf4"] = "fp4"
    bnb_4bit_use_double_quant: _Switch = False
    bnb_4bit_quant_storage: _STORED = "uint8"

    @model_validator(mode="after")
    def _one_width_and_what_counts_under_it(self) -> BitsandbytesArguments:
        if self.load_in_8bit == self.load_in_4bit:
            raise ValueError(
                "method bitsandbytes needs one of settings.load_in_8bit and settings.load_in_4bit, as true"
            )
        for name in sorted(self.model_fields_set & self.widths.keys()):
            if not getattr(self, self.widths[name]):
                told = "load_in_8bit" if self.load_in_8bit else "load_in_4bit"
                raise ValueError(
                    f"settings.{name} has no effect under {told}; leave it out, or set {self.widths[name]} in its place"
                )
        return self


def check_bitsandbytes(settings: Mapping[str, Argument]) -> None:
    """Refuse settings that bitsandbytes would ignore, or refuse only once the weights are loaded.

    Raises:
        ValueError: names argument, value and the nearest known one.
    """
    for name, why in BitsandbytesArguments.refused.items():
        if name in settings:
            raise ValueError(f"settings.{name} has the value {shorten(settings[name])}: {why}")
    try:
        BitsandbytesArguments.model_validate(dict(settings))
    except ValidationError as error:
        raise ValueError("; ".join(_explained(item) for item in error.errors())) from None


def check_torchao(settings: Mapping[str, Argument]) -> None:
    """Refuse settings that do not name one of torchao's configurations.

    Raises:
        ValueError: names the value.
    """
    named = settings.get("config")
    if not isinstance(named, str) or not _TORCHAO_CONFIGURATION.fullmatch(named):
        said = f", and has {shorten(named)}" if "config" in settings else ""
        raise ValueError(
            f"method torchao needs settings.config, the name of one of its classes{said}: Int8WeightOnlyConfig"
        )


def only_plain_values(settings: object) -> object:
    """Let through what entries and manifests can hold, before pydantic says which of four types a value is not.

    Raises:
        ValueError: names the argument with its value.
    """
    for name, value in settings.items() if isinstance(settings, Mapping) else ():
        if not isinstance(value, bool | int | float | str):
            raise ValueError(f"{name} is {shorten(value)}; true, false, a number or a text is expected")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{name} is {value}; a finite number is expected")
    return settings


def _explained(item: object) -> str:
    said = explain(BitsandbytesArguments, item)
    return said if said.startswith(("method", "settings")) else f"settings: {said}"
