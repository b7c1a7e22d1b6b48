"""Other ways to write tags: escaped, in square brackets, as links."""

from __future__ import annotations

import html
import re

from .entity_types import EntityKind

_TAG = re.compile(r"<\s{0,3}+\\?/?\s{0,3}+[a-z]", re.IGNORECASE)
_ESCAPED_TAG = re.compile(r"&lt;\s{0,3}/?\s{0,3}[a-z][^&<>\n]{0,200}&gt;", re.IGNORECASE)
_BRACKETED_TAG = re.compile(r"\[(/?)([a-z][\w-]{0,40})\]", re.IGNORECASE)
_LINK = re.compile(r"\[([^\[\]\n]{1,200})\]\(([a-z][\w -]{0,40})\)", re.IGNORECASE)


def tags_only(text: str, kind: EntityKind) -> str:
    """Write escaped tags, ``[b]x[/b]`` and ``[x](chemical)`` as plain tags."""
    if "&lt;" in text.lower() and not _TAG.search(text):
        text = _ESCAPED_TAG.sub(lambda match: html.unescape(match.group().lower()), text)
    if "](" in text:
        text = _LINK.sub(lambda match: _as_tag(match, kind), text)
    if "[/" in text:
        closed = {match[2].lower() for match in _BRACKETED_TAG.finditer(text) if match[1]}
        text = _BRACKETED_TAG.sub(
            lambda match: f"<{match[1]}{match[2]}>" if match[2].lower() in closed else match.group(), text
        )
    return text


def _as_tag(link: re.Match[str], kind: EntityKind) -> str:
    if kind.named(link[2]) is None:
        return link.group()
    name = link[2].replace(" ", "-")
    return f"<{name}>{link[1]}</{name}>"
