"""How much text a call may make, known before it is made: of the few operations whose result is longer than what they are given."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import prod

from .work import current, length, measure

# Wide enough for every column that a prompt has, and short enough to be read as a number.
_LONGEST_NUMBER = 9
_PERCENT_NUMBERS = re.compile(r"%[^a-zA-Z%]*?(\d+)")
_BRACE_NUMBERS = re.compile(r"[{:,][^{}]*?(\d+)")
_FAST_CODECS = {"utf-8", "utf8", "ascii", "latin-1"}
_TOO_MANY = 10**12
_LINE = 79  # of Jinja2's wordwrap
_COPIED_AT_ONCE = 16
# Python multiplies and divides whole numbers digit by digit, and its digits have so many bits.
_DIGIT = 30

Cost = Callable[[Sequence[object]], int]


def _width(values: Sequence[object]) -> int:
    """Whole numbers among the arguments are widths, counts or indents."""
    return sum(max(value, 0) for value in values[1:] if isinstance(value, int))


def _times_each_other(values: Sequence[object]) -> int:
    """A text for each character or entry of another, which holds for all that fills in or wraps."""
    return prod(1 + (max(value, 0) if isinstance(value, int) else _size(value)) for value in values)


def _size(value: object) -> int:
    # More than is left need not be known.
    return measure(value, replace(current()))


def _replaced(values: Sequence[object]) -> int:
    text, old, new = (*values, "", "", "")[:3]
    if isinstance(text, str | bytes) and isinstance(old, str | bytes):
        try:
            return length(text) + text.count(old) * length(new)  # type: ignore[arg-type]
        except TypeError:
            return 0  # the call will say so itself
    return _times_each_other(values)


def _joined(values: Sequence[object]) -> int:
    """A separator for each entry, whichever of them comes first."""
    return prod(1 + length(value) for value in values)


def _coded(values: Sequence[object]) -> int:
    plain = all(isinstance(value, str) and value.lower() in _FAST_CODECS for value in values[1:2])
    return length(values[0]) if plain else length(values[0]) ** 2


def _power_of_ten(values: Sequence[object]) -> int:
    # 10 to the power of the places is made for places before the point, too.
    return sum(abs(value) for value in values[1:] if isinstance(value, int)) ** 2


def _wrapped(values: Sequence[object]) -> int:
    """Of a word that is too long for its line the rest is copied with each line that is broken off it."""
    width = max(min((value for value in values[1:] if isinstance(value, int)), default=_LINE), 1)
    words = values[0].split() if isinstance(values[0], str) else []
    copied = sum(len(word) ** 2 for word in words if len(word) > width) // (2 * width)
    return _times_each_other(values) + copied // _COPIED_AT_ONCE


def formatted(text: object, values: Sequence[object]) -> int:
    """At most so many characters come of filling values into a text with ``%`` or ``{}``."""
    if not isinstance(text, str):
        return 0
    fields = text.count("%") + text.count("{")
    numbers = [*_PERCENT_NUMBERS.findall(text), *_BRACE_NUMBERS.findall(text)]
    widths = [int(number) if len(number) <= _LONGEST_NUMBER else _TOO_MANY for number in numbers]
    # A width may be given as a value: %*d, {:{}}.
    widths += [value for value in _flat(values) if isinstance(value, int)] if "*" in text or "{" in text else []
    return len(text) + fields * max([_size(list(values)), *widths])


def _flat(values: Sequence[object]) -> list[object]:
    found: list[object] = []
    for value in values:
        found += value if isinstance(value, list | tuple) else value.values() if isinstance(value, Mapping) else [value]
    return found


def _filled(values: Sequence[object]) -> int:
    return formatted(values[0], values[1:])


METHODS: dict[str, Cost] = {
    **dict.fromkeys(("center", "ljust", "rjust", "zfill", "to_bytes"), _width),
    **dict.fromkeys(("expandtabs", "translate", "hex"), _times_each_other),
    **dict.fromkeys(("strip", "lstrip", "rstrip"), _times_each_other),
    **dict.fromkeys(("format", "format_map"), _filled),
    **dict.fromkeys(("encode", "decode"), _coded),
    "replace": _replaced,
    "join": _joined,
}
FILTERS: dict[str, Cost] = {
    **dict.fromkeys(("center", "batch", "slice"), _width),
    **dict.fromkeys(("indent", "tojson", "sum", "trim"), _times_each_other),
    "round": _power_of_ten,
    "wordwrap": _wrapped,
    "format": _filled,
    "replace": _replaced,
    "join": _joined,
}


def of_operator(operator: str, left: object, right: object) -> int:
    """At most so many characters, entries or bytes come of an operator between two values; of long numbers, its steps."""
    if isinstance(left, int) and isinstance(right, int):
        if operator == "**":
            return _digits(left.bit_length() * max(right, 0)) ** 2
        if operator in ("+", "-"):
            return (left.bit_length() + right.bit_length()) // 8
        return _digits(left.bit_length()) * _digits(right.bit_length())
    if operator == "*":
        times = next((value for value in (left, right) if isinstance(value, int)), 0)
        return max(times, 0) * (length(left) + length(right))
    if operator == "%":
        return formatted(left, [right])
    return length(left) + length(right)


def _digits(bits: int) -> int:
    return 1 + bits // _DIGIT
