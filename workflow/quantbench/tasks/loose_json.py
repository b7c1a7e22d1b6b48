"""JSON as models write it: single quotes, trailing commas, comments, quotes inside strings, broken off anywhere."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

# What nests deeper is no answer.
_DEEPEST = 12
_TOKEN = re.compile(
    r"(?P<skip>[\s,]+|//[^\n]*|#[^\n]*)|(?P<mark>[\[\]{}:])"
    # A quote inside a string is one behind which the structure does not go on.
    r"|\"(?P<double>(?:[^\"]|\"(?![ \t]*(?:[,:\]}\n]|//|\Z)))*)(?P<closed>\"?)"
    r"|'(?P<single>(?:[^']|'(?![ \t]*(?:[,:\]}\n]|//|\Z)))*)(?P<ended>'?)"
    r"|(?P<bare>[^\s,:\[\]{}\"'][^,:\[\]{}\n]*)"
)
_OPENING = re.compile(r"[\[{](?=\s*[\"'\[\]{}])")


@dataclass(frozen=True, slots=True)
class Word:
    """A string, number or name. ``whole`` is False for what the text's end broke off."""

    text: str
    whole: bool


@dataclass(frozen=True, slots=True)
class Member:
    """A value of an array (key None) or of an object."""

    key: str | None
    value: Word | Group


@dataclass(frozen=True, slots=True)
class Group:
    """An array or object."""

    members: list[Member] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Structure:
    """An array or object in a text: where it stands, and whether its closing bracket does too."""

    group: Group
    start: int
    end: int
    closed: bool


def find_structure(text: str, position: int) -> Structure | None:
    """Return the first array or object from a position on whose members are quoted or nested; None where there is none."""
    opening = _OPENING.search(text, position)
    return _read(text, opening.start()) if opening else None


def _read(text: str, start: int) -> Structure | None:
    root = Group()
    open_groups = [root]
    keys: list[str | None] = [None]
    position = start
    while token := _TOKEN.match(text, position):
        position = token.end()
        if token["skip"] is not None:
            continue
        mark = token["mark"]
        if mark is None:
            _add(open_groups[-1], keys, _word(token, position == len(text)))
        elif mark == ":":
            _make_key(open_groups[-1], keys)
        elif mark in "[{":
            group = Group()
            _add(open_groups[-1], keys, group)
            open_groups.append(group)
            keys.append(None)
            if len(open_groups) > _DEEPEST:
                return None
        else:
            open_groups.pop()
            keys.pop()
            if len(open_groups) == 1:
                break
    first = root.members[0].value
    return Structure(first, start, position, len(open_groups) == 1) if isinstance(first, Group) else None


def _word(token: re.Match[str], last: bool) -> Word:
    if token["bare"] is not None:
        return Word(token["bare"].strip(), not last)
    if token["double"] is not None:
        return Word(token["double"].strip(), bool(token["closed"]))
    return Word(token["single"].strip(), bool(token["ended"]))


def _add(group: Group, keys: list[str | None], value: Word | Group) -> None:
    group.members.append(Member(keys[-1], value))
    keys[-1] = None


def _make_key(group: Group, keys: list[str | None]) -> None:
    """Take the last word for the key of what comes next."""
    if group.members and isinstance(last := group.members[-1].value, Word):
        group.members.pop()
        keys[-1] = last.text
