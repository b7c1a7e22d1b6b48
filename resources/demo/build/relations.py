"""Miniatures of ChemProt and DDI2013: one sentence, a pair written as tags, and other names with relations of their own."""

from __future__ import annotations

import re
from random import Random
from typing import Any

import names
from slots import Item, Scribe, sentence, weighted, words

_REASONS = ['The pair is linked by "{word}".', 'The text says "{word}".', 'The word "{word}" decides.']
_NEGATIVE = ["Nothing links the pair.", "The text links other names."]
_OFFSET = {"train": 1000, "dev": 5000, "test": 7000}
_OPENED = 0.25


def make(dataset: str, split: str, number: int, rng: Random, general: bool = False, varied: bool = False) -> Item:
    """One row ``index``, ``sentence``, ``label``. The first of the pair is always @CHEMICAL$, whichever it is."""
    source = words("relations")
    own = source[dataset]
    scribe = Scribe(split, rng, varied)
    label = weighted(rng, own["weights"])
    filled: dict[str, list[str]] = {}
    fillers: dict[str, Any] = {slot: _drawer(slot, options, filled, rng) for slot, options in own["verbs"].items()}
    fillers |= {"A": "<A>", "B": "<B>", "person": lambda: rng.choice(["Anna", "Ben", "Carla", "Dan", "Eva", "Finn"])}
    for slot in "xy":
        fillers[slot] = _third(dataset, scribe)
    frame = scribe.choose(words("general")["relations"][label] if general else own["labels"][label][split])
    text = sentence(scribe.fill(frame, fillers))
    if rng.random() < _OPENED and not general and not text.startswith(("In ", "As ")):
        text = scribe.choose(source["openers"][split]) + (text[0].lower() + text[1:] if text[1].islower() else text)
    text = re.sub(r"<[AB]>", "@CHEMICAL$" if dataset == "chemprot" else "@DRUG$", text, count=1)
    text = re.sub(r"<[AB]>", "@GENE$" if dataset == "chemprot" else "@DRUG$", text)
    fields = {"index": _index(dataset, split, number), "sentence": text, "label": label}
    return scribe.item(fields, _reason(label, own["key"], filled, rng))


def _drawer(slot: str, options: list[str], filled: dict[str, list[str]], rng: Random) -> Any:
    """Draw a verb, and keep it for the reasoning."""

    def draw() -> str:
        filled.setdefault(slot, []).append(rng.choice(options))
        return filled[slot][-1]

    return draw


def _third(dataset: str, scribe: Scribe) -> str:
    if dataset == "chemprot" and scribe.rng.random() < 0.5:
        return scribe.name(names.gene)
    return scribe.name(names.chemical)


def _reason(label: str, key: dict[str, list[str]], filled: dict[str, list[str]], rng: Random) -> str:
    if label == "DDI-int":
        return rng.choice(_REASONS).format(word="interact")
    word = next((filled[slot][-1] for slot in key.get(label, []) if slot in filled), None)
    return rng.choice(_REASONS).format(word=word) if word else rng.choice(_NEGATIVE)


def _index(dataset: str, split: str, number: int) -> str:
    document, pair = divmod(number, 2)
    if dataset == "chemprot":
        return f"{90_000_000 + _OFFSET[split] + document}.T{pair + 1}.T{pair + 5}"
    return f"DDI-Demo.d{_OFFSET[split] + document}.s{pair}.p0"
