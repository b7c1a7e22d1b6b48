"""What is planned: a model, a precision, a workload, and how the libraries handle memory."""

from __future__ import annotations

from dataclasses import dataclass

from ..config import Architecture, Counts, ModelEntry, PrecisionEntry
from ..errors import ConfigError
from .device_part import DevicePart
from .weight_bytes import HALF, is_int8


@dataclass(frozen=True)
class Workload:
    """What is generated at once. The default: a long zero-shot prompt and a chain of thought's answer, one at a time."""

    prompt_tokens: int = 2048
    new_tokens: int = 512
    batch: int = 1
    devices: int = 1

    def __post_init__(self) -> None:
        for name in ("prompt_tokens", "new_tokens", "batch", "devices"):
            value = getattr(self, name)
            if value < 1:
                raise ConfigError(f"{name} has the value {value}; give a number of at least 1")


@dataclass(frozen=True)
class Libraries:
    """Habits of transformers and bitsandbytes that differ between releases and show in the peak.

    Attributes:
        cache_keeps_projections: the cache stores the prompt's values as they come. Where they are a view into a fused
            projection's output, all of that output stays alive with them. Later releases copy on the first update.
        outlier_copies_stay: LLM.int8 leaves the 16-bit copies of outlier columns at each layer (``state.subB``) until
            the layer's next call. Later releases free them within the call.
    """

    cache_keeps_projections: bool
    outlier_copies_stay: bool


# transformers 5.23 (`DynamicLayer.update` concatenates from the start) and bitsandbytes 0.50 (`int8_mixed_scaled_mm`).
INSTALLED = Libraries(cache_keeps_projections=False, outlier_copies_stay=False)
# The paper states no releases. Those of its time: transformers up to 4.53 (`DynamicCache.update` appends the tensor it is
# given), bitsandbytes up to 0.45 (`MatMul8bitLt.forward` assigns `state.subB`).
PUBLISHED = Libraries(cache_keeps_projections=True, outlier_copies_stay=True)


@dataclass(frozen=True)
class Setting:
    """Everything the terms depend on; ``in_float32``: what is not quantized is held and computed in it, as on most CPUs."""

    model: ModelEntry
    precision: PrecisionEntry
    workload: Workload
    libraries: Libraries = INSTALLED
    in_float32: bool = False

    @property
    def facts(self) -> Architecture:
        """The model's architecture."""
        return self.model.architecture

    @property
    def counts(self) -> Counts:
        """Its weights by kind."""
        return self.model.counted

    @property
    def whole(self) -> DevicePart:
        """All of the model, as one device holds it."""
        return DevicePart(self.facts.layers, embedding=True, head=True)

    @property
    def fused(self) -> bool:
        """Whether the checkpoint joins query, key and value, and gate and up projection."""
        return self.counts.fused

    @property
    def width(self) -> int:
        """Bytes of a number that is not quantized: bitsandbytes computes in 16 bits, others in the model's format."""
        own = self.precision.method != "bitsandbytes" and self.model.full_dtype == "float32"
        return 4 if own or self.in_float32 else HALF

    @property
    def finds_outliers(self) -> bool:
        """Whether LLM.int8 looks for outlier columns (a threshold of 0 turns it off; 6.0 is the library's default)."""
        return is_int8(self.precision) and float(self.precision.settings.get("llm_int8_threshold", 6.0)) > 0
