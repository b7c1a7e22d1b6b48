"""Number formats of what is not quantized: stored in files, and computed in where the processor multiplies another one."""

from __future__ import annotations

from dataclasses import dataclass

from ..config import ModelEntry, PrecisionEntry
from ..devices import processor
from ..errors import ModelError


@dataclass(frozen=True)
class NumberFormats:
    """The formats of what is not quantized, as torch names them: ``stored`` in files, ``computed`` in products.

    They differ only on a CPU that does not multiply the stored one.
    """

    stored: processor.Format
    computed: processor.Format


def number_formats(entry: ModelEntry, precision: PrecisionEntry, device: str) -> NumberFormats:
    """The formats in which a cell stores and computes what is not quantized.

    Runs quantized by bitsandbytes use float16 on CUDA, as in the paper, or the format they are told to compute in. All
    others, and all on CPU, store the model's own format. A processor that does not multiply it computes in float32,
    which holds each of its numbers exactly; a format that took the place of another 16-bit one would not.
    """
    if device == "cuda" and precision.method == "bitsandbytes":
        stored = named_format(precision.settings.get("bnb_4bit_compute_dtype", "float16"))
    else:
        stored = entry.full_dtype
    return NumberFormats(stored, stored if device == "cuda" or processor.multiplies(stored) else "float32")


def named_format(name: object) -> processor.Format:
    """The number format that a setting names.

    Raises:
        ModelError: it is none that models are computed in.
    """
    found = next((known for known in processor.FORMATS if known == name), None)
    if found is None:
        raise ModelError(f"bnb_4bit_compute_dtype has the value {name!r}; choose one of {', '.join(processor.FORMATS)}")
    return found
