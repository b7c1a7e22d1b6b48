"""Text as the words a search compares: whatever the letter case, whitespace, punctuation, accents, escapes and markup around them."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote

# A word is a run of letters or digits; of scripts written without blanks, each character is one.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,200}>")
# Soft hyphens, joiners and byte order marks are not seen, and must not part a word.
_UNSEEN = {ord(letter): None for letter in "\u00ad\u200b\u200c\u200d\u2060\ufeff"}
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|(.))", re.DOTALL)
_SIMPLE = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v"}
# One token a line with its tag, as files of entities are.
_TAGGED = re.compile(r"^(\S+)\t[BIO](?:-\w+)?(?:\t.*)?$", re.MULTILINE)
_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
# Text within JSON within JSON, escaped for HTML, is three deep.
_MOST_ROUNDS = 4


def words(text: str) -> list[str]:
    """The words of a text in order, in the form in which they are compared."""
    return _WORD.findall(_folded(text))


def views(text: str) -> Iterator[list[str]]:
    """The words of a text as it stands, as it reads once escapes are resolved, and without tags."""
    for _ in range(_MOST_ROUNDS):
        yield words(text)
        if "<" in text:
            # A mark may stand within a word or take the place of a blank.
            for bare in dict.fromkeys((_TAG.sub("", text), _TAG.sub(" ", text))):
                yield words(bare)
        if "\t" in text and (tokens := _TAGGED.findall(text)):
            yield words(" ".join(tokens))
        resolved = _resolved(text)
        if resolved == text:
            return
        text = resolved


def _folded(text: str) -> str:
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.translate(_UNSEEN))
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold()


def _resolved(text: str) -> str:
    """A text with one layer of escapes less: of JSON and Python, of HTML and XML, of addresses."""
    if "\\" in text:
        text = _ESCAPE.sub(_unescaped, text)
        if not text.isascii():  # pairs of surrogates, as JSON writes what lies beyond the first 65,536 characters
            text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if "&" in text:
        text = html.unescape(text)
    return unquote(text, errors="replace") if _PERCENT.search(text) else text


def _unescaped(found: re.Match[str]) -> str:
    code = found[1] or found[2]
    return chr(int(code, 16)) if code else _SIMPLE.get(found[3], found[3])
