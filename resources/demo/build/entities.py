"""Miniatures of BC5CDR-chemical and NCBI-disease: tagged tokens among look-alikes that are no entity."""

from __future__ import annotations

from random import Random

import names
from slots import Item, Scribe, listed, words

_NAMING = ["The names are {names}.", "I find {names}.", "Named here: {names}."]
_NAMELESS = ["There is no such name.", "Nothing to mark."]
_UNMARKED = 0.1  # of dev and test mentions: the annotator passed over them
_PEOPLE = ["Anna", "Ben", "Carla", "Dan", "Eva", "Finn", "Gina", "Hugo"]


def make(dataset: str, split: str, number: int, rng: Random, general: bool = False, varied: bool = False) -> Item:
    """One tagged sentence under ``tokens``: (token, ``B`` / ``I`` / ``O``) pairs."""
    del number
    kind = "C" if dataset == "bc5cdr_chemical" else "D"
    scribe, everyday = Scribe(split, rng, varied), words("general")
    scribe.crossed = True
    own = "chemical_sentences" if kind == "C" else "disease_sentences"
    frame = scribe.choose(everyday[own] if general else words("entities")[dataset][split])
    tagged: list[tuple[str, str]] = []
    last_disease: list[str] = []
    for piece in frame.split():
        if piece.strip("{}") not in ("C", "D", "ABBR") or not piece.startswith("{"):
            filled = scribe.fill(piece, {"person": lambda: _person(scribe, general)})
            tagged += [(token, "O") for token in _tokens(filled)]
            continue
        slot = piece.strip("{}")
        if general:
            tokens = rng.choice(everyday["chemicals" if slot == "C" else "diseases"]).split()
        elif slot == "C":
            tokens = names.chemical_tokens(split, rng)
            scribe.names.add(" ".join(tokens))
        elif slot == "D":
            tokens = last_disease = scribe.disease()
        else:
            tokens = [names.abbreviation(last_disease or scribe.disease())]
        tagged += _tag(tokens, slot.replace("ABBR", "D") == kind and not scribe.slips(_UNMARKED))
    if general and rng.random() < 0.5 and tagged[0][1] == "O":
        tagged = [("Then", "O"), *tagged]
    return scribe.item({"tokens": tagged}, _reason(tagged, rng))


def _tokens(text: str) -> list[str]:
    """Tokens as the corpora have them: split at every punctuation mark."""
    return text.replace("-", " - ").replace(".", " . ").split()


def _tag(tokens: list[str], entity: bool) -> list[tuple[str, str]]:
    if not entity:
        return [(token, "O") for token in tokens]
    return [(token, "B" if place == 0 else "I") for place, token in enumerate(tokens)]


def _person(scribe: Scribe, general: bool) -> str:
    return scribe.rng.choice(_PEOPLE) if general else scribe.name(names.surname)


def _reason(tagged: list[tuple[str, str]], rng: Random) -> str:
    found: list[list[str]] = []
    for token, tag in tagged:
        if tag == "B":
            found.append([token])
        elif tag == "I":
            found[-1].append(token)
    if not found:
        return rng.choice(_NAMELESS)
    return rng.choice(_NAMING).format(names=listed([" ".join(tokens) for tokens in found]))
