"""Invented names, each belonging to exactly one split by a checksum of the name itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from zlib import crc32

import yaml

_LISTS = Path(__file__).parent / "words/pieces.yaml"
_LETTERS = "ABCDEFGHKLMNPRSTVXZ"


@cache
def pieces(kind: str) -> list[str]:
    """The pieces of one kind, in the order of the file."""
    return str(yaml.safe_load(_LISTS.read_text(encoding="utf-8"))[kind]).split()


def split_of(name: str) -> str:
    """The split a name belongs to: train for 70 of 100 names, dev for 10, test for 20."""
    place = crc32(name.casefold().encode()) % 100
    return "train" if place < 70 else "dev" if place < 80 else "test"


def _pick(make: Callable[[Random], str], split: str, rng: Random) -> str:
    while True:
        name = make(rng)
        if split_of(name) == split:
            return name


def chemical(split: str, rng: Random) -> str:
    """One word, such as ``belrazole``."""
    return _pick(_chemical_word, split, rng)


def chemical_tokens(split: str, rng: Random) -> list[str]:
    """A chemical as tokens of the entity files: mostly one word, also salts, acids and names with hyphens."""
    word, kind = chemical(split, rng), rng.random()
    if kind < 0.7:
        return [word]
    if kind < 0.8:
        return [rng.choice(pieces("salts")), word]
    if kind < 0.9:
        return [word, rng.choice(["hydrochloride", "acid", "sulfate"])]
    return [str(rng.randint(2, 9)), "-", "fluoro", "-", word]


def protein(split: str, rng: Random) -> str:
    """A protein, such as ``ketolase``."""
    return _pick(
        lambda r: (
            r.choice(pieces("syllables")) + r.choice(pieces("chemical_middles")) + r.choice(pieces("protein_ends"))
        ),
        split,
        rng,
    )


def gene(split: str, rng: Random) -> str:
    """A gene symbol, such as ``KRT5``."""
    return _pick(lambda r: "".join(r.choices(_LETTERS, k=3)) + str(r.randint(1, 9)), split, rng)


def cell_line(split: str, rng: Random) -> str:
    """A cell line, such as ``HX-29``."""
    return _pick(lambda r: "".join(r.choices(_LETTERS, k=2)) + f"-{r.randint(10, 99)}", split, rng)


def place(split: str, rng: Random) -> str:
    """A town, such as ``Keburg``."""
    return _pick(lambda r: (r.choice(pieces("syllables")) + r.choice(pieces("town_ends"))).capitalize(), split, rng)


def surname(split: str, rng: Random) -> str:
    """A surname, such as ``Melson``."""
    return _pick(_surname_word, split, rng)


def disease_tokens(split: str, rng: Random) -> list[str]:
    """A disease as tokens: ``[hereditary] renal dystrophy``, ``Melson ' s disease`` or ``Melson syndrome``."""
    if rng.random() < 0.4:
        name = surname(split, rng)
        return [name, *rng.choice([["'", "s", "disease"], ["syndrome"], ["disease"]])]
    # The pair of words is what a split holds; single words recur, as they do in medicine.
    words = _pick(lambda r: f"{r.choice(pieces('organs'))} {r.choice(pieces('heads'))}", split, rng).split()
    return [rng.choice(pieces("modifiers")), *words] if rng.random() < 0.3 else words


def abbreviation(tokens: list[str]) -> str:
    """The capital letters of a name, at least two."""
    letters = "".join(token[0] for token in tokens if token[0].isalpha()).upper()
    return letters if len(letters) > 1 else letters + "D"


def _chemical_word(rng: Random) -> str:
    return (
        rng.choice(pieces("chemical_starts"))
        + rng.choice(pieces("chemical_middles"))
        + rng.choice(pieces("chemical_ends"))
    )


def _surname_word(rng: Random) -> str:
    return (
        rng.choice(pieces("syllables")) + rng.choice(pieces("syllables")) + rng.choice(pieces("eponym_ends"))
    ).capitalize()
