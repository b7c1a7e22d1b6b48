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
_REMEDY = "delete the cell's files to have it run again"


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
        """Refuse arrays that do not belong together."""
        samples = len(self.sample_ids)
        written, options, reference = self.written, self.options, self.reference
        lengths = [("written", written.starts, [len(written.tokens), len(written.log_probabilities)])]
        if options is not None:
            lengths.append(("options", options.starts, [len(options.options), len(options.log_probabilities)]))
        if reference is not None:
            lengths.append(("reference", reference.starts, [len(reference.divergences), len(reference.agrees)]))
        for name, starts, counted in lengths:
            if len(starts) != samples + 1 or any(count != starts[-1] for count in counted):
                raise DataError(
                    f"{path}: {name} holds {counted[0]} values, which are not those of {samples} samples; {_REMEDY}"
                )


def _text(values: Sequence[str]) -> NDArray[np.str_]:
    return np.array(values, dtype=np.str_)


def _stored(value: Any) -> NDArray[Any]:
    return _text(value) if isinstance(value, tuple) else np.asarray(value)


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
