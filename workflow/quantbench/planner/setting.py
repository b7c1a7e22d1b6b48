"""What is planned: a model, a precision, a workload, a kind of GPU, and how the libraries handle memory."""

from __future__ import annotations

from dataclasses import dataclass

from ..config import Architecture, Counts, ModelEntry, PrecisionEntry
from ..errors import ConfigError
from .device_part import DevicePart
from .gpus import GPUS, Gpu
from .weight_bytes import HALF, is_int8


@dataclass(frozen=True)
class Workload:
    """What is generated at once. The default: a long zero-shot prompt and a chain of thought's answer, one at a time.

    Attributes:
        prompt_tokens: of the longest prompt, to which the others of a batch are padded.
        new_tokens: most that are written of an output.
        batch: prompts at once.
        devices: that the model is spread over.
        chains: outputs of each prompt, which is read once for all of them.
        shared_tokens: what all prompts begin with, read once before; its cache, of one row, stays beside the batch's.
        read_tokens: of a prompt that go through the model with its batch; None: those that are not shared.
        reserves: whether the cache has its full length from the first token on, as engine ``static`` makes it; several
            prompts or chains at once do so in any case.
        likelihoods: whether those of each written token are noted.
    """

    prompt_tokens: int = 2048
    new_tokens: int = 512
    batch: int = 1
    devices: int = 1
    chains: int = 1
    shared_tokens: int = 0
    read_tokens: int | None = None
    reserves: bool = False
    likelihoods: bool = False

    def __post_init__(self) -> None:
        for name in ("prompt_tokens", "new_tokens", "batch", "devices", "chains"):
            value = getattr(self, name)
            if value < 1:
                raise ConfigError(f"{name} has the value {value}; give a number of at least 1")

    @property
    def rows(self) -> int:
        """Outputs that are written at once."""
        return self.batch * self.chains

    @property
    def read(self) -> int:
        """Tokens of a prompt that go through a block at once."""
        # The last one of several chains' common prompt is read by each of them.
        unshared = self.prompt_tokens - self.shared_tokens - (self.chains > 1)
        return max(1, unshared if self.read_tokens is None else self.read_tokens)

    @property
    def capacity(self) -> int:
        """Tokens of a row at its end."""
        return self.prompt_tokens + self.new_tokens

    @property
    def reserved(self) -> bool:
        """Whether the cache has its full length from the first token on."""
        return self.reserves or self.batch > 1 or self.shared_tokens > 0

    @property
    def padded(self) -> bool:
        """Whether attention needs a mask: rows of different lengths, or tokens behind others that are cached."""
        return self.batch > 1 or self.shared_tokens > 0


@dataclass(frozen=True)
class Libraries:
    """Habits of transformers and bitsandbytes that differ between releases and show in the peak.

    Attributes:
        cache_keeps_projections: the cache stores the prompt's values as they come. Where they are a view into a fused
            projection's output, all of that output stays alive with them. Later releases copy on the first update.
        outlier_copies_stay: LLM.int8 leaves the 16-bit copies of outlier columns at each layer (``state.subB``) until
            the layer's next call. Later releases free them within the call.
        nf4_kernel: NF4 multiplies a few rows without a 16-bit copy of the matrix (:mod:`.nf4_kernels`); earlier releases
            did so with a single one only.
        unpacked_scales: times that NF4's scales stand in float32 beside that copy, each block's 4 bytes: later releases
            add their mean into a second tensor, earlier ones in place.
    """

    cache_keeps_projections: bool
    outlier_copies_stay: bool
    nf4_kernel: bool
    unpacked_scales: int


# transformers 5.23 (`DynamicLayer.update` concatenates from the start) and bitsandbytes 0.50 (`int8_mixed_scaled_mm`,
# `gemm_4bit`, `_dequant_linear_fallback`).
INSTALLED = Libraries(cache_keeps_projections=False, outlier_copies_stay=False, nf4_kernel=True, unpacked_scales=2)
# The paper states no releases. Those of its time: transformers up to 4.53 (`DynamicCache.update` appends the tensor it is
# given), bitsandbytes up to 0.45 (`MatMul8bitLt.forward` assigns `state.subB`; `dequantize_4bit` adds in place).
PUBLISHED = Libraries(cache_keeps_projections=True, outlier_copies_stay=True, nf4_kernel=False, unpacked_scales=1)


@dataclass(frozen=True)
class Setting:
    """Everything the terms depend on.

    Attributes:
        model: its entry.
        precision: its entry.
        workload: what is generated at once.
        libraries: whose habits count.
        in_float32: what is not quantized is held and computed in it, as on most CPUs.
        gpu: the kind of device, which decides on kernels and workspaces.
    """

    model: ModelEntry
    precision: PrecisionEntry
    workload: Workload
    libraries: Libraries = INSTALLED
    in_float32: bool = False
    gpu: Gpu = GPUS["a100-40gb"]

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
