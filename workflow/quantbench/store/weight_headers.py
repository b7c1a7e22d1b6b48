"""In which number formats a model's weights are stored, by the headers of its safetensors files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

from ..errors import DataError, ModelError
from .tensor_headers import StoredTensor, bits_of, stored_tensors

# What safetensors calls the formats that weights are trained and published in.
_PLAIN = {"BF16": "bfloat16", "F16": "float16", "F32": "float32"}


@dataclass(frozen=True)
class WeightFormats:
    """Numbers of weights by number format, as safetensors calls these."""

    weights: Mapping[str, int]

    @property
    def stored_bytes(self) -> int:
        """What they take in the files, whatever a number stands for."""
        return sum(count * bits_of(name) for name, count in self.weights.items()) // 8

    @property
    def total(self) -> int:
        """All weights."""
        return sum(self.weights.values())

    @property
    def most(self) -> str | None:
        """The format of most weights as torch calls it; None: one that only quantized weights have."""
        return _PLAIN.get(max(self.weights, key=lambda name: self.weights[name], default=""))

    @classmethod
    def of(cls, tensors: Iterable[StoredTensor]) -> WeightFormats:
        """Count the weights of some tensors."""
        counted: Counter[str] = Counter()
        for tensor in tensors:
            counted[tensor.dtype] += prod(tensor.shape)
        return cls(counted)


def read_formats(folder: Path, label: str) -> WeightFormats | None:
    """Read the headers of a folder's weights; None: it has none in safetensors.

    Args:
        folder: holds them, or of each the beginning.
        label: what messages call it.

    Raises:
        ModelError: names the file that is cut off, has no header, or is named by the index and not there.
    """
    try:
        tensors = stored_tensors(folder)
    except (ModelError, DataError) as error:
        raise ModelError(str(error).replace(str(folder), label)) from None
    return WeightFormats.of(tensors.values()) if tensors else None
