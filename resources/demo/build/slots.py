"""Sentence frames: text with {slots} that are filled from word lists and name makers, one draw a slot."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import names
import yaml

SPLITS = ("train", "dev", "test")
DATASETS = ("hoc", "litcovid", "bc5cdr_chemical", "ncbi_disease", "chemprot", "ddi2013", "medqa", "pubmedqa")
_SLOT = re.compile(r"\{(\w+)\}")
_WORDS = Path(__file__).parent / "words"
_PLAIN, _CROSSED, _CHANGED = 0.3, 0.65, 0.3  # varied frames: left as they are, cut and joined; words changed
Filler = Callable[[], str]


@dataclass
class Item:
    """One example: the fields of its published row, a short reasoning, and what it was made of.

    ``fields`` holds the columns of a table row, or under ``tokens`` the (token, tag) pairs of a tagged sentence.
    """

    fields: dict[str, Any]
    reasoning: str
    frames: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)


@cache
def words(name: str) -> Any:
    """The content of ``words/<name>.yaml``."""
    return yaml.safe_load((_WORDS / f"{name}.yaml").read_text(encoding="utf-8"))


@cache
def _fillers() -> list[str]:
    """Words of all training frames that tell nothing: what varied frames are changed with."""
    found: set[str] = set()

    def collect(value: Any) -> None:
        if isinstance(value, str):
            found.update(
                word for word in value.split() if word.isalpha() and word.lower() not in names.pieces("deciding")
            )
        elif isinstance(value, list):
            for part in value:
                collect(part)
        elif isinstance(value, dict):
            for key, part in value.items():
                if key not in names.pieces("telling_keys"):
                    collect(part)

    for name in ("entities", "general", "hoc", "litcovid", "medqa", "pubmedqa"):
        collect(words(name))
    return sorted(found)


class Scribe:
    """Fills frames for one item of one split; remembers the frames and the names it used."""

    def __init__(self, split: str, rng: Random, varied: bool = False) -> None:
        self.split, self.rng, self.varied = split, rng, varied
        self.crossed = False  # frames may be cut and joined
        self.frames: set[str] = set()
        self.names: set[str] = set()
        self._fillers: dict[str, Filler] = {
            "chemical": self._namer(names.chemical),
            "gene": self._namer(names.gene),
            "protein": self._namer(names.protein),
            "line": self._namer(names.cell_line),
            "place": self._namer(names.place),
            "disease": lambda: " ".join(self.disease()),
            "number": lambda: str(rng.randint(11, 99)),
            "n": lambda: str(rng.randint(11, 99)),
            "d": lambda: str(rng.randint(1, 9)),
            "age": lambda: str(rng.randint(18, 89)),
        }

    def choose(self, frames: list[str], fixed: bool = False) -> str:
        """Choose a frame and remember it; ``fixed`` ones are never varied."""
        frame = self.rng.choice(frames)
        self.frames.add(frame)
        return self._vary(frame, frames) if self.varied and not fixed else frame

    def _vary(self, frame: str, frames: list[str]) -> str:
        """Join two frames, or lose, change and add words, so that models read frames instead of remembering them."""
        rng = self.rng
        if rng.random() < _PLAIN:
            return frame
        if self.crossed and rng.random() < _CROSSED:
            first, second = frame.split(), rng.choice(frames).split()
            frame = " ".join(first[: rng.randint(1, len(first))] + second[rng.randrange(len(second)) :])
        pieces = frame.split(" ")
        varied: list[str] = []
        for piece in pieces:
            chance = rng.random()
            if not piece.isalpha() or piece.lower() in names.pieces("deciding") or chance > _CHANGED:
                varied.append(piece)
            elif chance > _CHANGED / 3:
                varied += [rng.choice(_fillers())] + ([piece] if chance > _CHANGED * 2 / 3 else [])
        return " ".join(varied)

    def fill(self, frame: str, own: Mapping[str, str | Filler] | None = None) -> str:
        """Fill every slot of a frame, those of ``own`` first; slots inside what is filled in are filled too."""
        fillers = {**self._fillers, **(own or {})}

        def value(match: re.Match[str]) -> str:
            filler = fillers[match[1]]
            return filler if isinstance(filler, str) else filler()

        while _SLOT.search(frame):
            frame = _SLOT.sub(value, frame)
        return frame

    def slips(self, share: float) -> bool:
        """Whether this item of dev or test is one of the ``share`` that no reader could get right.

        Published sets hold annotators' slips and questions that tell too little; without any, small models soon score 1.0.
        """
        return self.split != "train" and self.rng.random() < share

    def disease(self) -> list[str]:
        """A disease as tokens, remembered by its full name."""
        tokens = names.disease_tokens(self.split, self.rng)
        self.names.add(" ".join(tokens))
        return tokens

    def name(self, make: Callable[[str, Random], str]) -> str:
        """Make a name of this split and remember it."""
        name = make(self.split, self.rng)
        self.names.add(name)
        return name

    def item(self, fields: dict[str, Any], reasoning: str) -> Item:
        """Close the item."""
        return Item(fields, reasoning, self.frames, self.names)

    def _namer(self, make: Callable[[str, Random], str]) -> Filler:
        return lambda: self.name(make)


def sentence(text: str) -> str:
    """The text with a capital letter at its start."""
    return text[:1].upper() + text[1:]


def listed(parts: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def weighted(rng: Random, weights: Mapping[str, float]) -> str:
    """Draw a key by its weight."""
    return rng.choices(list(weights), list(weights.values()))[0]
