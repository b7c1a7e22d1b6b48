"""Names, shapes and formats of pickled weights (``pytorch_model.bin``), read onto torch's ``meta`` device."""

from __future__ import annotations

from pathlib import Path

import torch

from ..contracts.model_folder import TensorIndex
from ..errors import ModelError
from ..store.conversion import PICKLED_INDEX, load_pickled
from ..store.tensor_headers import StoredTensor

_WHOLE = "pytorch_model.bin"
# As safetensors calls what full precision is stored in; others keep torch's name.
_FORMATS = {torch.bfloat16: "BF16", torch.float16: "F16", torch.float32: "F32", torch.float64: "F64"}


def pickled_tensors(folder: Path) -> dict[str, StoredTensor]:
    """Every tensor that transformers would load from a folder without safetensors, by name.

    Raises:
        ModelError: a file that is damaged, missing, or holds anything but tensors by name; no code in one is run.
        DataError: a malformed index.
    """
    found: dict[str, StoredTensor] = {}
    for path in _files(folder):
        for name, tensor in load_pickled(path, "meta").items():
            found[name] = StoredTensor(path, tuple(tensor.shape), _FORMATS.get(tensor.dtype, str(tensor.dtype)))
    return found


def _files(folder: Path) -> list[Path]:
    whole, index = folder / _WHOLE, folder / PICKLED_INDEX
    if whole.is_file():
        return [whole]
    if not index.is_file():
        raise ModelError(
            f"{folder}: neither {_WHOLE} nor {PICKLED_INDEX}, which models are loaded by; retrieve it again"
        )
    files = [folder / name for name in sorted(set(TensorIndex.read(index).weight_map.values()))]
    missing = next((path for path in files if not path.is_file()), None)
    if missing or not files:
        raise ModelError(
            f"{index}: weight_map names {missing.name if missing else 'no file'}, which is not there; retrieve it again"
        )
    return files
