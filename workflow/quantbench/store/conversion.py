"""Pickled weights (``pytorch_model*.bin``) to safetensors, once, by weights-only loading: no code in them is ever run."""

from __future__ import annotations

import pickle
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ..config import RemoteFile
from ..contracts.checksums import Expected, difference, sha256_of
from ..contracts.model_folder import Conversion, Conversions, TensorIndex
from ..errors import ModelError, shorten
from ..reading.library_errors import in_one_line

if TYPE_CHECKING:
    import torch

PICKLED = re.compile(r"pytorch_model(-\d+-of-\d+)?\.bin")
SAFETENSORS_INDEX, PICKLED_INDEX = "model.safetensors.index.json", "pytorch_model.bin.index.json"
_NOTE = ".converted.json"
_PICKLED_REMEDY = "retrieve it again, or take a repository with safetensors"


def convert_pickled(folder: Path, name: str, published: Mapping[str, RemoteFile]) -> None:
    """Replace every pickled file of weights by one in safetensors, and the index likewise; nothing to do: no effect.

    A note in the folder says which published file became which; a file is removed only after its replacement stands
    under its final name, so a conversion that was stopped goes on.

    Raises:
        ModelError: a file that holds more than tensors, or cannot be read.
    """
    pickled = sorted(path for path in folder.glob("*.bin") if PICKLED.fullmatch(path.name))
    for number, path in enumerate(pickled, start=1):
        print(f"{name}: converting {path.name} to safetensors, {number} of {len(pickled)}", flush=True)
        result = path.with_name(_converted(path.name))
        _convert(path, result)
        _note(folder, path.name, published[path.name], result)
        path.unlink()
    index = folder / PICKLED_INDEX
    if index.exists():
        before = TensorIndex.read(index)
        files = {tensor: _converted(file) for tensor, file in before.weight_map.items()}
        before.model_copy(update={"weight_map": files}).write(folder / SAFETENSORS_INDEX)
        _note(folder, index.name, published[index.name], folder / SAFETENSORS_INDEX)
        index.unlink()


def converted(folder: Path, published: Mapping[str, RemoteFile]) -> dict[str, str]:
    """Published pickled files that were converted already -> the file each became, which is still the same."""
    return {
        file: note.became
        for file, note in _noted(folder).items()
        if published.get(file) == note.published
        and difference(folder / note.became, Expected(sha256=note.sha256)) is None
    }


def _noted(folder: Path) -> dict[str, Conversion]:
    path = folder / _NOTE
    return Conversions.read(path).files if path.exists() else {}


def _note(folder: Path, source: str, facts: RemoteFile, result: Path) -> None:
    made = Conversion(published=facts, became=result.name, sha256=sha256_of(result))
    Conversions(files={**_noted(folder), source: made}).write(folder / _NOTE)


def _converted(file: str) -> str:
    return file.replace("pytorch_model", "model", 1).removesuffix(".bin") + ".safetensors"


def _convert(source: Path, target: Path) -> None:
    from safetensors.torch import save_file

    tensors = load_pickled(source, "cpu")
    part = target.with_name(f".{target.name}.part")
    try:
        # Tensors that share memory are written twice: safetensors holds no views, and loading ties them again.
        save_file({key: value.contiguous().clone() for key, value in tensors.items()}, part, metadata={"format": "pt"})
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def load_pickled(path: Path, device: str) -> dict[str, torch.Tensor]:
    """The tensors of a pickled file, by name.

    Args:
        path: the file.
        device: where torch puts them; ``meta``: their shapes and formats alone.

    Raises:
        ModelError: damaged, or it holds anything but tensors by name; no code in it is run.
    """
    import torch

    problem = "not readable as weights, since it is damaged or holds more than tensors; nothing in it was run"
    with in_one_line(path, problem, _PICKLED_REMEDY):
        try:
            value = torch.load(path, map_location=device, weights_only=True, mmap=zipfile.is_zipfile(path))
        except pickle.UnpicklingError:
            # torch's words advise loading it all the same, with whatever code is in it.
            raise ModelError(f"{path}: {problem}; {_PICKLED_REMEDY}") from None
    wrong = (
        [name for name, part in value.items() if not isinstance(name, str) or not isinstance(part, torch.Tensor)]
        if (isinstance(value, dict))
        else [type(value).__name__]
    )
    if wrong:
        raise ModelError(
            f"{path}: holds {', '.join(map(shorten, wrong[:3]))}, and tensors by name are expected; save the model with transformers "
            "(save_pretrained)"
        )
    return cast("dict[str, torch.Tensor]", value)
