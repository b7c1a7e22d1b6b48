"""Highlight tags in text: which stretches of the bare text they mark."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

# Blanks inside the brackets are taken for a tag only with "span": in tokenised text "< b >" compares numbers.
_TAG = re.compile(
    r"<\s*(?P<close>/?)\s*(?P<name>span)(?:\s+[^<>]*)?(?P<empty>/?)>"
    r"|<(?P<close_short>/?)(?P<short>b|mark|strong|em)(?:\s+[a-z][^<>]*)?(?P<empty_short>/?)>",
    re.IGNORECASE,
)
_ESCAPED_TAG = re.compile(r"&lt;\s*/?\s*(?:span|b|mark|strong|em)\b.*?&gt;", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:[a-z]{2,8}|#\d{1,6}|#x[0-9a-f]{1,5});", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Marked:
    """A text without tags and without whitespace, and the (start, end) stretches that closed tags mark, in order.

    ``opened`` tells whether any highlight tag was opened, closed or not.
    """

    bare: str
    spans: tuple[tuple[int, int], ...]
    opened: bool


def read_marked(text: str, keep_escapes: bool) -> Marked:
    """Take the highlight tags off a text and remember what they marked.

    A closing tag closes the latest open tag of its name. Of nested closed tags the outermost counts; an unclosed tag
    marks nothing.

    Args:
        text: any text.
        keep_escapes: leave ``&lt;`` and the like as they are, because the sentence itself is written with them.
    """
    if not _TAG.search(text) and _ESCAPED_TAG.search(text):
        text = _ESCAPED_TAG.sub(lambda match: html.unescape(match.group()), text)
    bare: list[str] = []
    length = position = 0
    opened = False
    stack: list[tuple[str, int]] = []
    closed: list[tuple[int, int]] = []
    for match in _TAG.finditer(text):
        piece = _without_whitespace(text[position : match.start()], keep_escapes)
        bare.append(piece)
        length, position = length + len(piece), match.end()
        name = (match["name"] or match["short"]).lower()
        if match["empty"] or match["empty_short"]:
            continue
        if not (match["close"] or match["close_short"]):
            opened = True
            stack.append((name, length))
            continue
        depth = next((depth for depth in reversed(range(len(stack))) if stack[depth][0] == name), None)
        if depth is not None:
            closed.append((stack[depth][1], length))
            del stack[depth:]
    bare.append(_without_whitespace(text[position:], keep_escapes))
    return Marked("".join(bare), _outermost(closed), opened)


def has_tags(text: str) -> bool:
    """Tell whether a highlight tag, written plainly or escaped, stands in the text."""
    return bool(_TAG.search(text) or _ESCAPED_TAG.search(text))


def unescape(text: str) -> str:
    """Replace HTML escapes that end in a semicolon; ``html.unescape`` alone would also touch ``&lt`` in ``A&ltB``."""
    return _ENTITY.sub(lambda match: html.unescape(match.group()), text)


def _without_whitespace(text: str, keep_escapes: bool) -> str:
    return "".join((text if keep_escapes else unescape(text)).split())


def _outermost(closed: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    kept: list[tuple[int, int]] = []
    for start, end in sorted(closed, key=lambda span: (span[0], -span[1])):
        if end > start and (not kept or start >= kept[-1][1]):
            kept.append((start, end))
    return tuple(kept)
