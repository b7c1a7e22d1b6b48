"""Sentences tagged token by token: BC5CDR-chemical and NCBI-disease.

No header. One ``token<TAB>tag`` a line, tags ``B``, ``I``, ``O`` without a type; blank lines end a sentence, and any
number of them ends one sentence only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...config import DatasetEntry
from ...contracts.records import Mention, Sample
from ...errors import DataError, shorten
from .delimited import read_text, refuse_cut_off

TAGS = ("B", "I", "O")
GROUPS_ARE_DOCUMENTS = False


@dataclass(frozen=True, slots=True)
class Token:
    """One token: its text without tag, and the line (1-based) it stands on."""

    line: int
    text: str
    tag: str


def read(path: Path, entry: DatasetEntry) -> list[Sample]:
    """Read one split.

    Input: the tokens joined by one blank. Gold: ``{"start", "end", "text"}`` where start (inclusive) and end
    (exclusive) count characters of the sentence with all whitespace removed. Group: the sentence itself, because the
    files do not say which document a sentence is from.
    """
    del entry  # every file has the same three tags
    text = read_text(path)
    samples = [_sample(path, number, sentence) for number, sentence in enumerate(_sentences(path, text))]
    refuse_cut_off(path, text)
    return samples


def _sentences(path: Path, text: str) -> Iterator[list[Token]]:
    sentence: list[Token] = []
    # Not splitlines(): it also splits at characters that may stand inside a token.
    for number, line in enumerate(text.split("\n"), start=1):
        line = line.removesuffix("\r")
        if line:
            sentence.append(_token(path, number, line))
        elif sentence:
            yield sentence
            sentence = []
    if sentence:
        yield sentence


def _token(path: Path, number: int, line: str) -> Token:
    fields = line.split("\t")
    if len(fields) != 2:
        raise DataError(f"{path}, line {number}: expected token<TAB>tag, found {len(fields)} fields: {shorten(line)}")
    text, tag = fields
    if not text.strip():
        raise DataError(f"{path}, line {number}: the token is blank: {shorten(line)}")
    if tag not in TAGS:
        raise DataError(f"{path}, line {number}: tag {tag!r} of token {shorten(text)} is none of B, I, O")
    return Token(number, text, tag)


def _sample(path: Path, number: int, sentence: list[Token]) -> Sample:
    return Sample(
        sample_id=str(number),
        inputs={"text": " ".join(token.text for token in sentence)},
        gold=_entities(path, sentence),
        group=str(number),
    )


def _entities(path: Path, sentence: list[Token]) -> list[Mention]:
    """Entities from BIO tags: each ``B`` starts one, also right after another."""
    entities: list[Mention] = []
    end, inside = 0, False
    for token in sentence:
        start, end = end, end + len("".join(token.text.split()))
        if token.tag == "B":
            entities.append({"start": start, "end": end, "text": token.text})
        elif token.tag == "I":
            if not inside:
                raise DataError(
                    f"{path}, line {token.line}: tag 'I' of token {shorten(token.text)} continues no entity; "
                    "an entity begins with 'B'"
                )
            last = entities[-1]
            entities[-1] = {"start": last["start"], "end": end, "text": f"{last['text']} {token.text}"}
        inside = token.tag != "O"
    return entities
