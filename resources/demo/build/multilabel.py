"""Miniatures of HoC and LitCovid: a few sentences, each label carried by a cue, others named but denied."""

from __future__ import annotations

from random import Random
from typing import Any

from slots import Item, Scribe, sentence, words

_COUNTS = {1: 0.5, 2: 0.35, 3: 0.15}
_HELD_OUT, _AMBIGUOUS, _ABSENT, _TAB = 0.2, 0.08, 0.4, 0.02
_REASONS = ["{cue} means {label}.", "{cue} is a sign of {label}.", "{cue}: {label}.", "I see {cue}, so {label}."]
_BRIEF = 0.4  # of varied items: one cue and nothing beside it


def make(dataset: str, split: str, number: int, rng: Random, general: bool = False, varied: bool = False) -> Item:
    """One row ``pmid``, ``text``, ``labels``; ``number`` makes the pmid unique within a split."""
    source = words(dataset)
    scribe = Scribe(split, rng, varied)
    brief = varied and rng.random() < _BRIEF
    labels = rng.sample(list(source["labels"]), 1 if brief else rng.choices(list(_COUNTS), list(_COUNTS.values()))[0])
    cues = {label: _cue(source, label, split, rng, general) for label in labels}
    parts = _parts(scribe, dataset, cues, general, brief)
    text = " ".join(parts if dataset == "hoc" else map(sentence, parts))
    if rng.random() < _TAB:
        text = text.replace(" . ", " .\t", 1).replace(". ", ".\t", 1)
    inventory = [label for label in source["labels"] if label in labels]
    reasons = [rng.choice(_REASONS).format(cue=cue, label=label) for label, cue in cues.items()]
    rng.shuffle(reasons)
    fields = {"pmid": str(_pmid(split, number)), "text": text, "labels": ";".join(inventory)}
    return scribe.item(fields, " ".join(reasons))


def _parts(scribe: Scribe, dataset: str, cues: dict[str, str], general: bool, brief: bool) -> list[str]:
    """The sentences: background, each cue, perhaps a cue that is denied. ``brief``: the cue alone or in its sentence."""
    source, rng, split = words(dataset), scribe.rng, scribe.split
    frames = (
        words("general") if general else {part: source[part][split] for part in ("background", "present", "absent")}
    )
    people = {"person": lambda: rng.choice(["Anna", "Ben", "Carla", "Dan", "Eva", "Finn", "Gina", "Hugo"])}

    def part(kind: str, cue: str = "") -> str:
        return scribe.fill(scribe.choose(frames[kind]), {**people, "cue": cue})

    if brief:
        return list(cues.values()) if rng.random() < 0.3 else [part("present", cue) for cue in cues.values()]
    parts = [part("present", cue) for cue in cues.values()]
    if rng.random() < _ABSENT:
        other = rng.choice([label for label in source["labels"] if label not in cues])
        parts.append(part("absent", _cue(source, other, split, rng, general, ambiguous=False)))
    rng.shuffle(parts)
    if rng.random() < 0.7:
        parts.insert(0, part("background"))
    if source["title_frames"][split] and not general:
        parts.insert(0, scribe.fill(scribe.choose(source["title_frames"][split])))
    return parts


def _cue(source: Any, label: str, split: str, rng: Random, general: bool, ambiguous: bool = True) -> str:
    """A phrase that stands for a label; now and then one that two labels share, or one not seen in training."""
    own = source["labels"][label]
    if general:
        return str(rng.choice(own["plain"]))
    shared = [(cue, first) for cue, first, second in source["ambiguous"] if label in (first, second)]
    if ambiguous and shared and rng.random() < _AMBIGUOUS * 2:
        cue, first = rng.choice(shared)
        if rng.random() < (0.65 if first == label else 0.35):
            return str(cue)
    if split != "train" and rng.random() < _HELD_OUT:
        return _aged(rng.choice(own["held_out"]), rng)
    return _aged(rng.choice(own["plain"] if rng.random() < 0.2 else own["technical"]), rng)


def _aged(cue: str, rng: Random) -> str:
    return cue.replace("{age}", str(rng.randint(18, 89)))


def _pmid(split: str, number: int) -> int:
    return {"train": 91_000_000, "dev": 92_000_000, "test": 93_000_000}[split] + number
