"""Texts and tables as GitHub's Markdown, in which what comes from elsewhere stays text.

Titles, labels and notes come from configurations and bundles of other people: they may hold tags, links, bars, backticks and line breaks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

# Line breaks and other control characters, and those that turn the direction of what follows (Unicode TR36).
_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
# An entity, a tag, a link's middle, and marks that emphasize; an underscore inside a word does not.
_ENTITY = re.compile(r"&(?=#?\w{1,32};)")
_MARKS = re.compile(r"[\\`*|]|~(?=~)|\](?=[(\[:])|!(?=\[)|(?<!\w)_|_(?!\w)")
# What begins a heading, a quotation, a list or a rule.
_BLOCK = re.compile(r"(?P<number>\d{1,9}(?=[.)](?:\s|\Z)))?(?P<sign>(?(number)[.)]|[#>+=-]))")


def inline(text: str) -> str:
    """Return a text for the middle of a line or a cell: no tag, link, emphasis, code or line break comes of it."""
    return _MARKS.sub(r"\\\g<0>", _ENTITY.sub("&amp;", _one_line(text)).replace("<", "&lt;"))


def line(text: str) -> str:
    """Return a text for a line of its own or behind a bullet: also no heading, quotation or list."""
    shown = inline(text).lstrip()
    block = _BLOCK.match(shown)
    return f"{shown[: block.start('sign')]}\\{shown[block.start('sign') :]}" if block else shown


def bullets(texts: Iterable[str]) -> list[str]:
    """Return texts as the lines of a list."""
    return [f"- {line(text)}" for text in texts]


def code(text: str) -> str:
    """Return a short text as code; a backtick in it would end it and becomes an apostrophe."""
    shown = _one_line(text).replace("`", "'")
    return f"`{shown}`"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of plain texts."""
    lines = [[*map(inline, header)], ["---"] * len(header), *([*map(inline, row)] for row in rows)]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines)


def _one_line(text: str) -> str:
    return _TURNS.sub("", _BREAKS.sub(" ", text))
