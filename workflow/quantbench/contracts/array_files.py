"""Files of numpy arrays (``.npz``): written atomically, read without pickle, with one style of error. Needs numpy."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from .files import unreadable, write_bytes


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
        with np.load(path, allow_pickle=False) as held:
            return {name: held[name] for name in held.files}
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except OSError as error:
        raise unreadable(path, error) from None
    # An array alone has no names; a damaged one is found by its checksum, or by what its header promises.
    except (ValueError, EOFError, AttributeError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{path}: not readable ({error}); {remedy}") from None
