"""What the headers of safetensors files say of a model's tensors: names, shapes and formats, without reading a weight.

A header is a few kilobytes, so that a file that was cut short, a shard that is not there, or a pointer that stands for a
file is found in a moment, whatever the model's size. Format: https://github.com/huggingface/safetensors#format.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

from ..contracts.model_folder import TensorHeader, TensorIndex
from ..errors import DataError, ModelError, shorten
from ..reading.json_text import parse_object

WHOLE, INDEX = "model.safetensors", "model.safetensors.index.json"
_LENGTH_BYTES = 8
_LARGEST_HEADER = 100_000_000  # the format's own limit
_METADATA = "__metadata__"
# Names of formats begin with what they are and their bits: BF16, I8, F8_E4M3, C64.
_FORMAT = re.compile(r"(?:BF|F|I|U|C)(\d{1,2})(?:_\w+)?")
LFS_POINTER = b"version https://git-lfs"


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """One tensor of a file, in the format's own words: ``BF16``, ``F8_E4M3``, ``I32``."""

    path: Path
    shape: tuple[int, ...]
    dtype: str


def stored_tensors(folder: Path) -> dict[str, StoredTensor]:
    """Every tensor that transformers would load from a model folder, by name; none where its weights are pickled.

    Raises:
        ModelError: a file is cut short, unreadable or not there, or safetensors stand under names that nobody looks for.
        DataError: a malformed index.
    """
    found: dict[str, StoredTensor] = {}
    for path in weight_files(folder):
        found |= read_header(path)
    index = folder / INDEX
    if not (folder / WHOLE).exists() and index.exists():
        _check_index(index, found)
    return found


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files that transformers would load from a folder: the whole, or those that an index names.

    Raises:
        ModelError: the index names a file that is not there, or there is no index.
        DataError: a malformed index.
    """
    whole, index = folder / WHOLE, folder / INDEX
    if whole.exists() or whole.is_symlink():
        return [whole]
    if index.exists():
        return _shards(index)
    others = sorted(path.name for path in folder.glob("*.safetensors"))
    if others and not any(folder.glob("pytorch_model*.bin")):
        raise ModelError(
            f"{folder}: neither {WHOLE} nor {INDEX}, which models are loaded by, and {', '.join(others[:3])} instead; "
            "retrieve the missing file, or save the model with transformers (save_pretrained)"
        )
    return []


def read_header(path: Path) -> dict[str, StoredTensor]:
    """The tensors of one file, once its length is what its header states.

    Raises:
        ModelError: cut short, or no safetensors.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no file of weights, but a folder or a link to nothing; retrieve or copy it again")
    size = path.stat().st_size
    with path.open("rb") as handle:
        start = handle.read(_LENGTH_BYTES)
        if start + handle.read(len(LFS_POINTER) - _LENGTH_BYTES) == LFS_POINTER:
            raise ModelError(
                f"{path}: a pointer of Git LFS, and not the weights it stands for; run 'git lfs pull' in its folder"
            )
        handle.seek(_LENGTH_BYTES)
        length = int.from_bytes(start, "little")
        if length <= _LARGEST_HEADER and _LENGTH_BYTES + length > size:
            raise ModelError(_cut_short(path, "header", _LENGTH_BYTES + length, size))
        tensors = _parsed(path, handle.read(length) if length <= _LARGEST_HEADER else b"")
    end = _LENGTH_BYTES + length + max((tensor.data_offsets[1] for tensor in tensors.values()), default=0)
    if end > size:
        raise ModelError(_cut_short(path, "tensors", end, size))
    if end < size:
        raise ModelError(
            f"{path}: {size - end} bytes longer than its header states, so that header and weights are not of one file; retrieve "
            "or copy the file again"
        )
    _refuse_places(path, tensors)
    return {name: StoredTensor(path, tensor.shape, tensor.dtype) for name, tensor in tensors.items()}


def bits_of(dtype: str) -> int:
    """Bits of a number by its format's name: ``BF16``, ``I32``, ``F8_E4M3``; 0: a name that is not known here."""
    found = _FORMAT.fullmatch(dtype)
    return 8 if dtype == "BOOL" else int(found[1]) if found else 0


def _refuse_places(path: Path, tensors: Mapping[str, TensorHeader]) -> None:
    """Refuse tensors that overlap, leave gaps, or take other bytes than their shape and format say."""
    expected = 0
    for name, tensor in sorted(tensors.items(), key=lambda item: item[1].data_offsets):
        begin, end = tensor.data_offsets
        bits = bits_of(tensor.dtype)
        taken = bits * prod(tensor.shape) // 8 if bits else end - begin
        if (begin, end) != (expected, expected + taken) or taken < 0:
            raise ModelError(
                f"{path}: its header has {shorten(name)} in bytes {begin} to {end}, and by its shape, its format and the tensors before "
                f"it would stand in {expected} to {expected + taken}: the header is damaged; retrieve or copy the file again"
            )
        expected = end


def _parsed(path: Path, header: bytes) -> dict[str, TensorHeader]:
    try:
        stated = parse_object(header, f"{path}, header")
    except DataError:
        raise ModelError(
            f"{path}: its header is not that of a safetensors file; retrieve or copy the file again"
        ) from None
    try:
        return {
            name: TensorHeader.checked(value, f"{path}, tensor {name!r}")
            for name, value in stated.items()
            if name != _METADATA
        }
    except DataError as error:
        raise ModelError(str(error)) from None


def _cut_short(path: Path, what: str, stated: int, size: int) -> str:
    return (
        f"{path}: cut short: with its {what} it is said to take {stated} bytes, and has {size}; retrieve or copy the "
        "file again"
    )


def _shards(index: Path) -> list[Path]:
    counts = Counter(TensorIndex.read(index).weight_map.values())
    if not counts:
        raise ModelError(f"{index}: weight_map names no tensor; retrieve the file again")
    for file, tensors in counts.items():
        if not (index.parent / file).exists():
            raise ModelError(
                f"{index}: weight_map names {file!r} for {tensors} tensors, and there is no such file; retrieve or copy it again"
            )
    return [index.parent / file for file in sorted(counts)]


def _check_index(index: Path, found: dict[str, StoredTensor]) -> None:
    for tensor, file in TensorIndex.read(index).weight_map.items():
        if tensor not in found or found[tensor].path.name != file:
            raise ModelError(
                f"{index}: weight_map has {tensor!r} in {file!r}, which does not hold it; retrieve index and files of one commit again"
            )
