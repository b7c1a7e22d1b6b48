"""``likelihoods.npz``: how sure a model was of what it wrote, of each option, and of what full precision wrote.

Natural logarithms throughout, of the model's own distribution before any temperature. Needs numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from .array_files import read_arrays, write_arrays

# So many of the likeliest tokens are kept beside each generated one.
TOP = 5
_REMEDY = "delete it to leave it out, or all files of the cell to have it run again"
# Kinds of numbers, of arrays that do not hold logarithms or divergences.
_KINDS = {"starts": "i", "tokens": "i", "top_tokens": "i", "options": "i", "agrees": "b"}
# No probability is above 1; rounding may be, by as much.
_MOST = 0.01
_TEXTS = ("sample_ids", "options.names")
_NOT_NUMBERS = ("names", "predictions_sha256")


@dataclass(frozen=True, slots=True)
class WrittenTokens:
    """What the model wrote, token by token; the outputs of one sample follow one another, end tokens included.

    A sample without tokens was answered before its likelihoods were kept.
    """

    starts: NDArray[np.int64]  # (samples + 1,), where the tokens of each sample begin in the arrays below
    tokens: NDArray[np.int32]  # (tokens,)
    log_probabilities: NDArray[np.float16]  # (tokens,)
    top_tokens: NDArray[np.int32]  # (tokens, TOP), the likeliest first
    top_log_probabilities: NDArray[np.float16]  # (tokens, TOP)
    other_log_probabilities: NDArray[np.float16]  # (tokens,), of all tokens but those TOP together


@dataclass(frozen=True, slots=True)
class OptionScores:
    """What the options of each sample would have scored as the answer (docs/protocol.md#likelihoods).

    Shares of the options sum to less than 1. Of options that begin with different tokens it is the first token's score, else that
    of all their tokens.
    """

    names: tuple[str, ...]  # every option of the dataset, once
    starts: NDArray[np.int64]  # (samples + 1,)
    options: NDArray[np.int16]  # (options of all samples,), places in `names`
    log_probabilities: NDArray[np.float16]  # (options of all samples,)


@dataclass(frozen=True, slots=True)
class ReferenceTokens:
    """What full precision wrote, read by this cell's model as if it had written it itself.

    Divergences are lower bounds: of the tokens of full precision's distribution only the likeliest and the written one are
    known, and all others count as one (data-processing inequality; Cover and Thomas 2006, section 2.8). A sample without tokens was
    not read, as of large cells most are not.
    """

    predictions_sha256: str  # of the full-precision file that was read
    starts: NDArray[np.int64]  # (samples + 1,)
    log_probabilities: NDArray[np.float16]  # (tokens,), of the token full precision wrote
    divergences: NDArray[np.float16]  # (tokens,), Kullback-Leibler, of this model from full precision, in nats
    agrees: NDArray[np.bool_]  # (tokens,), whether both find the same token likeliest


_Part = TypeVar("_Part", WrittenTokens, OptionScores, ReferenceTokens)


@dataclass(frozen=True, slots=True)
class Likelihoods:
    """Log-probabilities of one cell, samples in the order of ``predictions.jsonl``, compressed arrays of numpy."""

    file: ClassVar[str] = "likelihoods.npz"
    path: ClassVar[str] = f"cells/<cell>/{file}"

    sample_ids: tuple[str, ...]
    written: WrittenTokens
    options: OptionScores | None = None
    reference: ReferenceTokens | None = None

    def write(self, path: Path) -> None:
        """Write the file at ``path``, atomically."""
        arrays = {"sample_ids": _text(self.sample_ids)}
        for name, part in (("written", self.written), ("options", self.options), ("reference", self.reference)):
            if part is not None:
                arrays |= {f"{name}.{field.name}": _stored(getattr(part, field.name)) for field in fields(part)}
        write_arrays(path, arrays)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the file at ``path``.

        Raises:
            DataError: no such file, or not one that :meth:`write` wrote.
        """
        arrays = read_arrays(path, _REMEDY)
        if any(arrays[name].ndim != 1 or arrays[name].dtype.kind != "U" for name in _TEXTS if name in arrays):
            raise DataError(f"{path}: its names are no list of texts; {_REMEDY}")
        try:
            found = cls(
                sample_ids=tuple(arrays["sample_ids"].tolist()),
                written=_part(WrittenTokens, arrays, "written"),
                options=_part(OptionScores, arrays, "options") if "options.starts" in arrays else None,
                reference=_part(ReferenceTokens, arrays, "reference") if "reference.starts" in arrays else None,
            )
        except KeyError as error:
            raise DataError(f"{path}: lacks {error}; {_REMEDY}") from None
        found._check(path)
        return found

    def _check(self, path: Path) -> None:
        """Refuse arrays that do not belong together, or hold what no model writes."""
        samples, options = len(self.sample_ids), self.options
        for name, part in (("written", self.written), ("options", options), ("reference", self.reference)):
            if part is not None:
                _check_part(f"{path}: {name}", part, samples)
        if options is not None and not np.isin(options.options, np.arange(len(options.names))).all():
            raise DataError(f"{path}: options holds places beyond its {len(options.names)} names; {_REMEDY}")


def _text(values: Sequence[str]) -> NDArray[np.str_]:
    return np.array(values, dtype=np.str_)


def _stored(value: Any) -> NDArray[Any]:
    return _text(value) if isinstance(value, tuple) else np.asarray(value)


def _check_part(where: str, part: WrittenTokens | OptionScores | ReferenceTokens, samples: int) -> None:
    """Hold each array against how it is declared: its kind of numbers, its shape, and no number that is none."""
    starts = part.starts
    held = {field.name: getattr(part, field.name) for field in fields(part) if field.name not in _NOT_NUMBERS}
    for name, values in held.items():
        if not isinstance(values, np.ndarray) or values.dtype.kind != _KINDS.get(name, "f"):
            raise DataError(f"{where}.{name} is of another type than it was written with; {_REMEDY}")
    if starts.shape != (samples + 1,) or starts[0] != 0 or (np.diff(starts) < 0).any():
        raise DataError(f"{where}.starts does not divide its values among {samples} samples; {_REMEDY}")
    for name, values in held.items():
        row = (TOP,) if name.startswith("top_") else ()
        if values is not starts and values.shape != (starts[-1], *row):
            raise DataError(f"{where}.{name} has the shape {values.shape}, not {(int(starts[-1]), *row)}; {_REMEDY}")
        # Of a probability too small to be held the logarithm is minus infinity, and a divergence from it may be infinite.
        if values.dtype.kind == "f" and not (values <= (np.inf if name == "divergences" else _MOST)).all():
            raise DataError(f"{where}.{name} holds values that no model writes; {_REMEDY}")


def _part(kind: type[_Part], arrays: dict[str, NDArray[Any]], name: str) -> _Part:
    """One part as the file has it: text as Python's own, all else as arrays."""
    values: dict[str, Any] = {}
    for field in fields(kind):
        value = arrays[f"{name}.{field.name}"]
        if value.dtype.kind != "U":
            values[field.name] = value
        else:
            values[field.name] = str(value) if value.ndim == 0 else tuple(value.tolist())
    return kind(**values)
