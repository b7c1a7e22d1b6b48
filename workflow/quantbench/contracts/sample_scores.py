"""Log-probabilities of one sample as the engine hands them over and an unfinished cell keeps them, a line of JSON each.

Natural logarithms in 32 bits; ``likelihoods.npz`` has them in fewer. Needs numpy.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..reading.json_text import parse_object

Part = TypeVar("Part", "TokenScores", "ReferenceScores")
# An array of any kind of numbers; what a line of JSON holds of it: type, shape, and bytes in base64.
Array = NDArray[Any]
_Text = tuple[str, list[int], str]


@dataclass(frozen=True, slots=True)
class TokenScores:
    """Some generated tokens with the likeliest ones in their places; see :class:`quantbench.contracts.likelihoods.WrittenTokens`."""

    tokens: NDArray[np.int32]  # (tokens,)
    log_probabilities: NDArray[np.float32]  # (tokens,)
    top_tokens: NDArray[np.int32]  # (tokens, TOP)
    top_log_probabilities: NDArray[np.float32]  # (tokens, TOP)
    other_log_probabilities: NDArray[np.float32]  # (tokens,)


@dataclass(frozen=True, slots=True)
class ReferenceScores:
    """Full precision's tokens as this model reads them; see :class:`quantbench.contracts.likelihoods.ReferenceTokens`."""

    log_probabilities: NDArray[np.float32]  # (tokens,)
    divergences: NDArray[np.float32]  # (tokens,)
    agrees: NDArray[np.bool_]  # (tokens,)


@dataclass(frozen=True, slots=True)
class SampleScores:
    """All outputs of one sample, one after another.

    Attributes:
        sample_id: of the sample.
        written: what the model wrote.
        options: log-probability of each option, in the task's order; None: the cell has none.
        reference: what full precision wrote; None: not read.
    """

    sample_id: str
    written: TokenScores
    options: NDArray[np.float32] | None = None
    reference: ReferenceScores | None = None

    def json_line(self) -> str:
        """One line of JSON, newline included."""
        value = {
            "sample_id": self.sample_id,
            "written": _coded(self.written),
            "options": None if self.options is None else _text(self.options),
            "reference": None if self.reference is None else _coded(self.reference),
        }
        return json.dumps(value) + "\n"

    @classmethod
    def read(cls, line: bytes) -> Self | None:
        """Take back what :meth:`json_line` wrote; None for a torn line."""
        if not line.endswith(b"\n"):
            return None
        try:
            value = parse_object(line, "likelihoods")
            options, reference = value["options"], value["reference"]
            return cls(
                sample_id=value["sample_id"],
                written=_decoded(TokenScores, value["written"]),
                options=None if options is None else _array(options),
                reference=None if reference is None else _decoded(ReferenceScores, reference),
            )
        except (DataError, ValueError, KeyError, TypeError):
            return None


def joined(parts: Sequence[Part]) -> Part:
    """Tokens of several outputs, one after another."""
    kind = type(parts[0])
    return kind(**{field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(kind)})


def _coded(part: TokenScores | ReferenceScores) -> dict[str, _Text]:
    return {field.name: _text(getattr(part, field.name)) for field in fields(part)}


def _decoded(kind: type[Part], value: dict[str, _Text]) -> Part:
    """Raises ValueError for arrays that no cell writes: one row a token, of as many dimensions as the field has."""
    arrays = {field.name: _array(value[field.name]) for field in fields(kind)}
    rows = {len(array) for array in arrays.values() if array.ndim}
    if len(rows) > 1 or any(array.ndim != (2 if name.startswith("top_") else 1) for name, array in arrays.items()):
        raise ValueError("arrays of other shapes")
    return kind(**arrays)


def _text(array: Array) -> _Text:
    """Type, shape and bytes of an array."""
    return array.dtype.str, list(array.shape), base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def _array(value: _Text) -> Array:
    kind, shape, content = value
    array: Array = np.frombuffer(base64.b64decode(content, validate=True), dtype=kind).reshape(shape)
    if array.dtype.kind not in "bif":
        raise ValueError(f"no numbers: {kind}")
    return array
