"""What safetensors files say of their tensors before a byte of these is read: number formats, and whether all is there."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

from pydantic import BaseModel, JsonValue

from ..errors import ModelError
from .conversion import SAFETENSORS_INDEX

ONE_FILE = "model.safetensors"
# What safetensors calls the formats that weights are trained and published in.
_PLAIN = {"BF16": "bfloat16", "F16": "float16", "F32": "float32"}
_LENGTH_BYTES = 8
_FIRST_BYTES = 1 << 16  # holds the headers of most files, so that one request is enough
_LONGEST_HEADER = 100 * 1024**2  # the limit of safetensors itself


class Tensor(BaseModel):
    """One tensor of a safetensors file, as its header describes it."""

    dtype: str
    shape: list[int]
    data_offsets: tuple[int, int]


@dataclass(frozen=True)
class WeightFormats:
    """Numbers of weights by number format, as safetensors calls these."""

    weights: Mapping[str, int]

    @property
    def total(self) -> int:
        """All weights."""
        return sum(self.weights.values())

    @property
    def most(self) -> str | None:
        """The format of most weights as torch calls it; None: one that only quantized weights have."""
        return _PLAIN.get(max(self.weights, key=lambda name: self.weights[name], default=""))

    @classmethod
    def of(cls, tensors: Iterable[Tensor]) -> WeightFormats:
        """Count the weights of some tensors."""
        counted: Counter[str] = Counter()
        for tensor in tensors:
            counted[tensor.dtype] += prod(tensor.shape)
        return cls(counted)


def read_formats(folder: Path) -> WeightFormats | None:
    """Read the headers of a folder's weights; None: it has none in safetensors.

    Raises:
        ModelError: names the file that is cut off, has no header, or is named by the index and not there.
    """
    files = _files(folder)
    if not files:
        return None
    return WeightFormats.of(tensor for file in files for tensor in _tensors_in(folder / file))


def shards(index: JsonValue, where: str) -> list[str]:
    """The files that an index of weights names, each once.

    Raises:
        ModelError: it names none.
    """
    named = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(named, dict) or not named or not all(isinstance(file, str) for file in named.values()):
        raise ModelError(f"{where}: weight_map names no files; fetch the index again")
    return sorted({str(file) for file in named.values()})


def missing_shard(where: str, file: str) -> ModelError:
    """What is said where an index names a file that is not there."""
    return ModelError(f"{where}: weight_map names {file}, which is not there; fetch that file")


def tensors_of(where: str, size: int, first: Callable[[int], bytes]) -> list[Tensor]:
    """The tensors that a safetensors file describes at its beginning.

    Args:
        where: the file, as messages name it.
        size: its bytes.
        first: gives that many of its first bytes.

    Raises:
        ModelError: no such header, or a file that ends before its last tensor does.
    """
    content = first(min(size, _FIRST_BYTES))
    length = int.from_bytes(content[:_LENGTH_BYTES], "little")
    begin = _LENGTH_BYTES + length
    if size < _LENGTH_BYTES or length > _LONGEST_HEADER:
        raise _no_header(where)
    if begin > size:
        raise _cut_off(where, size, begin)
    if begin > len(content):
        content = first(begin)
    try:
        stated = json.loads(content[_LENGTH_BYTES:begin])
        tensors = [Tensor.model_validate(value) for name, value in stated.items() if name != "__metadata__"]
    except (ValueError, RecursionError, AttributeError):
        raise _no_header(where) from None
    end = begin + max((tensor.data_offsets[1] for tensor in tensors), default=0)
    if end > size:
        raise _cut_off(where, size, end)
    return tensors


def _files(folder: Path) -> list[str]:
    index = folder / SAFETENSORS_INDEX
    if (folder / ONE_FILE).exists() or not index.exists():
        return [ONE_FILE] if (folder / ONE_FILE).exists() else []
    try:
        files = shards(json.loads(index.read_text(encoding="utf-8")), str(index))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{index}: not readable as JSON ({error}); fetch it again") from None
    for file in files:
        if not (folder / file).is_file():
            raise missing_shard(str(index), file)
    return files


def _tensors_in(path: Path) -> list[Tensor]:
    def first(end: int) -> bytes:
        with path.open("rb") as handle:
            return handle.read(end)

    return tensors_of(str(path), path.stat().st_size, first)


def _cut_off(where: str, size: int, stated: int) -> ModelError:
    return ModelError(
        f"{where}: has {size} bytes, and its header describes {stated}: the file is truncated; fetch it again"
    )


def _no_header(where: str) -> ModelError:
    return ModelError(
        f"{where}: does not begin with the header of a safetensors file (a pointer of git-lfs, or damaged); fetch it again"
    )
