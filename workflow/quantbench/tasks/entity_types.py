"""What kinds of entities are called, so that a mark that names another kind than the one asked for is told apart."""

from __future__ import annotations

import re

# Closed on purpose: a name that is not here marks what was asked for, since models also name tags after what they mark.
_KINDS = (
    "chemical chem drug compound medication medicine substance molecule pharmaceutical",
    "disease disorder condition syndrome illness diagnosis pathology infection cancer tumor tumour",
    "gene protein enzyme receptor dna rna mrna",
    "species organism virus bacteria bacterium animal microorganism",
    "cell cellline celltype",
    "anatomy organ tissue bodypart",
    "mutation variant snp allele",
    "symptom sign finding phenotype",
    "procedure treatment therapy surgery test",
    "person people patient human age gender sex",
    "location place country gpe loc",
    "organization organisation org institution",
    "date time duration frequency",
    "number quantity dose dosage amount unit measurement concentration percent value",
    "effect event outcome action process",
)
_GROUP = {name: group for group, names in enumerate(_KINDS) for name in names.split()}
_NO_LETTERS = re.compile(r"[^a-z]+")
_ANY = ("entity", "namedentity", "mention", "term")
# What is added to a kind's name without saying another: "disease name", "DrugEntity".
_ADDED = re.compile(r"(?<=[a-z]{3})(?:names?|entity|entities|mentions?|types?|terms?)$")


class EntityKind:
    """The kind of entities asked for, and the words that name it or another one.

    Args:
        asked: what the prompt calls it, such as ``chemical``.
    """

    def __init__(self, asked: str) -> None:
        words = [_singular(word) for word in _words(asked)]
        self._asked = "".join(words)
        head = words[-1:] or [""]  # the last word says what it is: a "chemical compound" is a compound
        self._group = _GROUP.get(self._asked, _GROUP.get(head[0]))
        synonyms = {name for name, group in _GROUP.items() if group == self._group and group is not None}
        self.words = sorted({" ".join(asked.lower().split()), *synonyms} - {""})
        asked_as = r"\s*".join(re.escape(word) for word in asked.split()) or "entity"
        others = "|".join(map(re.escape, self.words))
        tail = r"s?(?:\s*(?:name|entity|mention)s?)?\b\s*"
        # Without a colon it takes the very word asked for: "compound" may begin a name.
        self.label = re.compile(rf"\s*(?:{asked_as}{tail}[:=-]*|(?:{others}){tail}[:=]+)\s*", re.IGNORECASE)

    def named(self, text: str) -> bool | None:
        """Tell whether a text, such as a tag's name, names the kind asked for; None where it names no kind."""
        words = _words(text)
        if _singular("".join(words)) == self._asked:
            return True
        if self._asked in _ANY:
            return None
        groups = [group for word in words for group in [_GROUP.get(_singular(word))] if group is not None]
        return self._group in groups if groups else None


def _words(text: str) -> list[str]:
    return [word for word in _NO_LETTERS.split(text.lower()) if word]


def _singular(word: str) -> str:
    word = _ADDED.sub("", word)
    return word if word in _GROUP else word.removesuffix("s")
