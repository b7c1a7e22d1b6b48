"""Other ways to write tags: escaped, in square brackets, as links, as the kind in brackets behind a word."""

from __future__ import annotations

import html
import re

from .entity_types import EntityKind
from .folding import Folded, fold

_TAG = re.compile(r"<\s{0,3}+\\?/?\s{0,3}+[a-z]", re.IGNORECASE)
_ESCAPED_TAG = re.compile(r"&lt;\s{0,3}/?\s{0,3}[a-z][^&<>\n]{0,200}&gt;", re.IGNORECASE)
_BRACKETED_TAG = re.compile(r"\[(/?)([a-z][\w-]{0,40})\]", re.IGNORECASE)
_LINK = re.compile(r"\[([^\[\]\n]{1,200})\]\(([a-z][\w -]{0,40})\)", re.IGNORECASE)
_BEHIND = re.compile(r"(?P<word>(?<![^\s(])\w[\w-]{0,80})[ \t]?[{\[(](?P<kind>[a-z][a-z -]{1,40})[}\])]", re.IGNORECASE)
# What a name cannot begin with, so that the word behind it is the whole name: "of clonidine {chemical}".
_BEFORE_NAME = re.compile(
    r"(?:^|[,;:.(]|\b(?:of|and|or|the|an?|with|in|by|to|from|for|on|than|that|is|are|was|were|between|after|before|during|both|plus|versus|vs|via|into))"
    r"[ \t]*\Z",
    re.IGNORECASE | re.MULTILINE,
)
_LONGEST_BEFORE = 10  # characters


def tags_only(text: str, kind: EntityKind, sentence: Folded) -> str:
    """Write escaped tags, ``[b]x[/b]``, ``[x](chemical)`` and ``x {chemical}`` as plain tags, unless the sentence has them."""
    if "&lt;" in text.lower() and not _TAG.search(text):
        text = _ESCAPED_TAG.sub(lambda match: html.unescape(match.group().lower()), text)
    if "](" in text:
        text = _LINK.sub(lambda match: _as_tag(match, kind), text)
    if "[/" in text:
        closed = {match[2].lower() for match in _BRACKETED_TAG.finditer(text) if match[1]}
        text = _BRACKETED_TAG.sub(
            lambda match: f"<{match[1]}{match[2]}>" if match[2].lower() in closed else match.group(), text
        )
    return text if "</" in text else _tagged_behind(text, kind, sentence)


def _tagged_behind(text: str, kind: EntityKind, sentence: Folded) -> str:
    """Write ``x {chemical}`` as a tag where x is one word; where a name may be longer nobody knows where it begins, and all stay marks."""
    behind = [
        match
        for match in _BEHIND.finditer(text)
        if kind.named(match["kind"]) and fold(match.group()[len(match["word"]) :]) not in sentence.bare
    ]
    clear = all(_BEFORE_NAME.search(text[max(0, each.start() - _LONGEST_BEFORE) : each.start()]) for each in behind)
    pieces, position = [], 0
    for each in behind:
        written = f"<entity>{each['word']}</entity>" if clear else f"{each['word']} {{{each['kind']}}}"
        pieces += [text[position : each.start()], written]
        position = each.end()
    return "".join([*pieces, text[position:]])


def _as_tag(link: re.Match[str], kind: EntityKind) -> str:
    if kind.named(link[2]) is None:
        return link.group()
    name = link[2].replace(" ", "-")
    return f"<{name}>{link[1]}</{name}>"
