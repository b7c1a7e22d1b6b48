"""JSON as people and programs hand it in: what any program can read, of limited depth, no key twice, and errors with their line.

RFC 8259 leaves open what happens to repeated keys, numbers of any size and halves of characters; here they are refused,
since whatever else is done with them is done without a word.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from pydantic import JsonValue as Value

from ..errors import DataError, shorten
from .os_errors import Kind
from .text_files import LARGEST, decoded, in_line, iterate_lines, read_bytes

DEPTH, DIGITS = 200, 300
# How JSON writes half of a character, which no file of text can hold.
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
# What may be no number of 64 bits.
_HUGE = re.compile(rf"[eE]\+?\d{{3}}|\d{{{DIGITS}}}")


class _Refused(Exception):
    """What is wrong with a value, and how its place is found in the text."""

    def __init__(self, problem: str, place: re.Pattern[str], occurrence: int = 1) -> None:
        super().__init__(problem)
        self.place, self.occurrence = place, occurrence

    def position(self, text: str) -> int:
        found = [match.start() for _, match in zip(range(self.occurrence), self.place.finditer(text), strict=False)]
        return found[-1] if found else 0


def parse(content: bytes | str, where: str, error: Kind = DataError, remedy: str = "", foreign: bool = False) -> Value:
    """One JSON value.

    Args:
        content: as bytes, or decoded.
        where: file, or file and line, as errors name it.
        error: which error is raised.
        remedy: what to do about a malformed file; empty: what fits the fault.
        foreign: whether another program wrote it that may not keep to the standard: NaN and infinities are taken as such, and
            half of a character becomes a question mark.

    Raises:
        QuantbenchError: of the kind ``error``: no UTF-8, no JSON, nested more than ``DEPTH`` deep, a number of more than ``DIGITS``
            digits or beyond any 64-bit one, a key that stands twice in an object, or half of a character.
    """
    text = decoded(content, where, error, remedy) if isinstance(content, bytes) else content.removeprefix("\ufeff")
    try:
        value = _loaded(text, foreign)
        if text.count("[") + text.count("{") > DEPTH and _deeper_than(value, DEPTH):
            raise RecursionError
    except json.JSONDecodeError as wrong:
        line = in_line(where, text, wrong.pos)
        step = remedy or "correct it, or generate it again"
        raise error(
            f"{line}: malformed JSON ({wrong.msg}): {shorten(text[max(0, wrong.pos - 20) :].strip())}; {step}"
        ) from None
    except _Refused as wrong:
        line = in_line(where, text, wrong.position(text))
        raise error(f"{line}: {wrong}; {remedy or 'correct it, or generate it again'}") from None
    except RecursionError:
        raise error(
            f"{where}: nested more than {DEPTH} deep, which no program writes; {remedy or 'copy it again'}"
        ) from None
    return value


def parse_object(
    content: bytes | str, where: str, error: Kind = DataError, remedy: str = "", foreign: bool = False
) -> dict[str, Any]:
    """One JSON object; arguments and errors as of :func:`parse`."""
    value = parse(content, where, error, remedy, foreign)
    if not isinstance(value, dict):
        raise error(
            f"{where}: expected a JSON object, found {shorten(value)}; {remedy or 'give the file that is meant'}"
        )
    return value


def read(
    path: Path,
    error: Kind = DataError,
    limit: int = LARGEST,
    remedy: str = "",
    foreign: bool = False,
    missing: str = "no such file",
) -> Value:
    """The JSON value that is a whole file; arguments and errors as of :func:`parse` and :func:`.text_files.read_bytes`."""
    return parse(read_bytes(path, error, limit, remedy, missing), str(path), error, remedy, foreign)


def read_object(
    path: Path,
    error: Kind = DataError,
    limit: int = LARGEST,
    remedy: str = "",
    foreign: bool = False,
    missing: str = "no such file",
) -> dict[str, Any]:
    """The JSON object that is a whole file; arguments and errors as of :func:`read`."""
    return parse_object(read_bytes(path, error, limit, remedy, missing), str(path), error, remedy, foreign)


def iterate_objects(path: Path, error: Kind = DataError, remedy: str = "") -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (1-based line number, object) of a file with one JSON object a line; arguments and errors as of :func:`parse`."""
    for number, line in iterate_lines(path, error, remedy=remedy):
        yield number, parse_object(line, f"{path}, line {number}", error, remedy)


def as_read(value: object) -> Any:
    """A value as it comes back from JSON: tuples as lists, every key a text."""
    return json.loads(json.dumps(value))


def _loaded(text: str, foreign: bool) -> Value:
    """The value of a text, by the standard library's reader with what it lets pass refused."""
    numbers: dict[str, Any] = {"parse_int": _whole, "parse_float": _real} if not foreign and _HUGE.search(text) else {}
    try:
        value = json.loads(
            text,
            object_pairs_hook=_loose_object if foreign else _object,
            parse_constant=None if foreign else _no_constant,
            **numbers,
        )
    except json.JSONDecodeError:
        raise
    except ValueError:  # digits beyond what Python reads
        raise _Refused(f"a number of more than {DIGITS} digits", re.compile(rf"\d{{{DIGITS}}}")) from None
    if _HALF.search(text):
        if foreign:
            return _written(value)
        _refuse_halves(value)
    return cast(Value, value)


def _object(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise _Refused(f"key {shorten(twice)} stands twice in one object", re.compile(re.escape(json.dumps(twice))), 2)
    return value


def _loose_object(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    """As :func:`_object`, and a key may be repeated with the same value: whichever is taken, nothing is lost."""
    value = dict(pairs)
    return value if all(value[key] == one for key, one in pairs) else _object(pairs)


def _no_constant(name: str) -> None:
    raise _Refused(f"{name} is no JSON; a value that is unknown is null", re.compile(name))


def _whole(digits: str) -> int:
    if len(digits) > DIGITS:
        raise _Refused(f"a number of {len(digits)} digits", re.compile(re.escape(digits)))
    return int(digits)


def _real(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise _Refused(f"the number {shorten(digits)} is beyond what 64 bits hold", re.compile(re.escape(digits)))
    return value


def _inner(containers: list[Value]) -> list[Value]:
    """What stands in lists and objects, one level below."""
    return [
        item
        for one in containers
        for item in (one if isinstance(one, list) else one.values() if isinstance(one, dict) else ())
    ]


def _deeper_than(value: Value, depth: int) -> bool:
    level = [value]
    for _ in range(depth + 1):
        level = [one for one in level if isinstance(one, list | dict)]
        if not level:
            return False
        level = _inner(level)
    return True


def _refuse_halves(value: Value) -> None:
    """Refuse texts with half of a character, in keys too."""
    level = [value]
    while level:
        keys = [key for one in level if isinstance(one, dict) for key in one]
        for text in (*keys, *(one for one in level if isinstance(one, str))):
            if not _is_whole(text):
                raise _Refused(f"half of a character in the text {shorten(text)}", _HALF)
        level = _inner(level)


def _is_whole(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _written(value: Value) -> Value:
    """The same with a question mark for each half of a character."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [_written(one) for one in value]
    if isinstance(value, dict):
        return {cast(str, _written(name)): _written(one) for name, one in value.items()}
    return value
