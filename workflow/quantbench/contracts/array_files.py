"""Files of numpy arrays (``.npz``): written atomically, read without pickle, with one style of error. Needs numpy."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..reading.text_files import opened
from .files import write_bytes

LARGEST = 8 << 30  # bytes of all arrays, unpacked


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write named arrays under ``path``, compressed, atomically: the same arrays give the same bytes."""
    held = io.BytesIO()
    np.savez_compressed(held, allow_pickle=False, **arrays)
    write_bytes(path, held.getvalue())


def read_arrays(path: Path, remedy: str) -> dict[str, NDArray[Any]]:
    """Read what :func:`write_arrays` wrote.

    Args:
        path: the file.
        remedy: what to do about one that cannot be read.

    Raises:
        DataError: no such file, or not one of arrays; names the file.
    """
    try:
        with opened(path) as handle, np.load(handle, allow_pickle=False) as held:
            _refuse_bomb(held.zip)
            return {name: held[name] for name in held.files}
    except DataError:
        raise
    # An array alone has no names; a damaged one is found by its checksum, or by what its header promises, and numpy has as many
    # errors for that as headers have fields.
    except Exception as error:
        raise DataError(f"{path}: not readable ({error}); {remedy}") from None


def _refuse_bomb(archive: zipfile.ZipFile) -> None:
    """Refuse arrays of which a few bytes stand for more than memory holds."""
    size = sum(member.file_size for member in archive.infolist())
    if size > LARGEST:
        raise ValueError(f"its arrays take {size} bytes unpacked")
