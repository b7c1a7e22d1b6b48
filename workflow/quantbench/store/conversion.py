"""Pickled weights (``pytorch_model*.bin``) to safetensors, once, by weights-only loading: no code in them is ever run."""

from __future__ import annotations

import pickle
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..config import RemoteFile
from ..contracts.checksums import Expected, difference, sha256_of
from ..contracts.model_folder import Conversion, Conversions, TensorIndex
from ..errors import ModelError

if TYPE_CHECKING:
    import torch

PICKLED = re.compile(r"pytorch_model(-\d+-of-\d+)?\.bin")
SAFETENSORS_INDEX, PICKLED_INDEX = "model.safetensors.index.json", "pytorch_model.bin.index.json"
_NOTE = ".converted.json"


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
        _convert(path, result, name)
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


def _convert(source: Path, target: Path, name: str) -> None:
    from safetensors.torch import save_file

    tensors = _load(source, name)
    part = target.with_name(f".{target.name}.part")
    try:
        # Tensors that share memory are written twice: safetensors holds no views, and loading ties them again.
        save_file({key: value.contiguous().clone() for key, value in tensors.items()}, part, metadata={"format": "pt"})
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _load(path: Path, name: str) -> dict[str, torch.Tensor]:
    import torch

    try:
        value = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except (pickle.UnpicklingError, RuntimeError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(
            f"{path}: weights of model {name!r} are not loadable as weights alone ({_first_line(error)}); nothing in the "
            "file was run. It is damaged or holds code: choose a repository with safetensors"
        ) from None
    if not isinstance(value, dict) or not all(isinstance(item, torch.Tensor) for item in value.values()):
        raise ModelError(f"{path}: expected a mapping of names to tensors; choose a repository with safetensors")
    return value


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n")[0][:200] or type(error).__name__
