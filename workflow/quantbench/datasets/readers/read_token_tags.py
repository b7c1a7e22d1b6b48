"""Sentences tagged token by token: BC5CDR-chemical and NCBI-disease, and files of one's own in their format.

No header. One ``token<TAB>tag`` a line, tags ``B``, ``I``, ``O`` without a type; blank lines end a sentence, and any
number of them ends one sentence only. A file may say which document a sentence is from, in one of two ways: by a line
``-DOCSTART-`` before each document (CoNLL-2003), or by the document's name as a third column of every line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...config import DatasetEntry
from ...contracts.records import Mention, Sample
from ...errors import DataError, shorten
from ..documents import mapped_documents
from . import SplitSamples
from .delimited import filled_text, refuse_cut_off

TAGS = ("B", "I", "O")
DOCUMENT_LINE = "-DOCSTART-"
# What CoNLL-2003 puts into the other columns of such a line: no name of a document.
_FILLERS = frozenset({"-X-", "O", "_"})


@dataclass(frozen=True, slots=True)
class Token:
    """One token: its text without tag, the line (1-based) it stands on, and the document that a third column names."""

    line: int
    text: str
    tag: str
    document: str | None


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, with the document that the file says it is from."""

    tokens: list[Token]
    document: str | None


def read(path: Path, entry: DatasetEntry) -> SplitSamples:
    """Read one split.

    Input: the tokens joined by one blank. Gold: ``{"start", "end", "text"}`` where start (inclusive) and end
    (exclusive) count characters of the sentence with all whitespace removed. Group: the document, as the file says it or as a
    mapping does that the entry names for this very file; else the sentence itself.
    """
    text = filled_text(path)
    sentences = list(_sentences(path, text))
    if not sentences:
        raise DataError(f"{path}: holds no sentences; retrieve it again")
    stated = [sentence.document for sentence in sentences if sentence.document is not None]
    documents = stated or mapped_documents(path, entry, len(sentences))
    samples = [
        _sample(path, number, sentence.tokens, documents[number] if documents else str(number))
        for number, sentence in enumerate(sentences)
    ]
    refuse_cut_off(path, text)
    return SplitSamples(samples, documents_known=documents is not None)


def _sentences(path: Path, text: str) -> Iterator[Sentence]:
    """The sentences in file order: all of them with a document, or none."""
    tokens: list[Token] = []
    document: str | None = None
    columns = documents = 0
    # Not splitlines(): it also splits at characters that may stand inside a token.
    for number, line in enumerate(text.split("\n"), start=1):
        line = line.removesuffix("\r")
        begins = line.split(maxsplit=1)[:1] == [DOCUMENT_LINE]
        if (begins or not line) and tokens:
            yield _sentence(path, tokens, document)
            tokens = []
        if begins:
            if columns and not documents:
                raise DataError(
                    f"{path}, line {number}: {DOCUMENT_LINE} comes after sentences; begin the file with one"
                )
            documents += 1
            document = _document(path, line, documents)
        elif line:
            token = _token(path, number, line, columns)
            if token.document is not None and document is not None:
                raise DataError(
                    f"{path}, line {number}: a third column in a file with {DOCUMENT_LINE} lines; name documents in one way"
                )
            columns = columns or (2 if token.document is None else 3)
            tokens.append(token)
    if tokens:
        yield _sentence(path, tokens, document)


def _document(path: Path, line: str, number: int) -> str:
    """What a document line names the document; one without a name is told by its number, which is the split's own."""
    named = " ".join(field for field in line.split()[1:] if field not in _FILLERS)
    return named or f"{path.stem} document {number}"


def _sentence(path: Path, tokens: list[Token], document: str | None) -> Sentence:
    for token in tokens:
        if token.document != tokens[0].document:
            raise DataError(
                f"{path}, line {token.line}: document {token.document!r} in a sentence of document {tokens[0].document!r}; a blank "
                "line ends a sentence"
            )
    return Sentence(tokens, tokens[0].document if document is None else document)


def _token(path: Path, number: int, line: str, columns: int) -> Token:
    """One line; ``columns`` is how many the lines before it have, 0 where there are none."""
    fields = line.split("\t")
    if len(fields) not in ((columns,) if columns else (2, 3)):
        expected = "token<TAB>tag<TAB>document" if columns == 3 else "token<TAB>tag"
        raise DataError(f"{path}, line {number}: expected {expected}, found {len(fields)} fields: {shorten(line)}")
    text, tag = fields[:2]
    if not text.strip():
        raise DataError(f"{path}, line {number}: the token is blank: {shorten(line)}")
    if tag not in TAGS:
        raise DataError(f"{path}, line {number}: tag {tag!r} of token {shorten(text)} is none of B, I, O")
    document = fields[2].strip() if len(fields) == 3 else None
    if document == "":
        raise DataError(f"{path}, line {number}: the document of token {shorten(text)} is blank")
    return Token(number, text, tag, document)


def _sample(path: Path, number: int, sentence: list[Token], group: str) -> Sample:
    return Sample(
        sample_id=str(number),
        inputs={"text": " ".join(token.text for token in sentence)},
        gold=_entities(path, sentence),
        group=group,
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
