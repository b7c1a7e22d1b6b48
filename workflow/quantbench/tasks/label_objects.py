"""Reading labels from JSON: arrays of labels, label-to-value objects, objects that each describe one label."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .label_items import TRIM, Item, judged, read_items
from .label_lines import refuses
from .loose_json import Group, Member, Structure, Word, find_structure
from .names import Inventory
from .remarks import Verdict, value_at

# A text may hold hundreds of brackets; if its first few structures name no label, it answers otherwise.
_STRUCTURES_LOOKED_AT = 8
_REASON_KEY = re.compile(
    r"reason|expla|rational|evidence|justif|analys|thought|comment|note|quote|snippet|support|description|definition|summary|"
    r"abstract|article|text|sentence|input|question",
    re.IGNORECASE,
)
# Under other keys (rank, id) a number is no verdict.
_SCORE_KEY = re.compile(
    r"score|confiden|probab|relevan|likel|value|appl|present|answer|verdict|label|includ|report|mention|match|\bis\b|true",
    re.I,
)
_NONE = re.compile(r"\W*+(?:none|n/a|nil|null|not applicable)?+\W*+\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Described:
    """What a JSON structure says: its items (none: it says that no label applies), and whether it is closed."""

    items: tuple[Item, ...]
    closed: bool

    @property
    def reasoned(self) -> bool:
        """Whether reasons are given for labels."""
        return any(item.reasoned for item in self.items)


def read_objects(text: str, inventory: Inventory) -> Described | None:
    """Return what the first JSON structure with labels says; else one that is empty; None where there is neither."""
    position = 0
    empty: Described | None = None
    for _ in range(_STRUCTURES_LOOKED_AT):
        structure = find_structure(text, position)
        if structure is None:
            break
        items = tuple(_items(structure.group, inventory, False))
        if items:
            return Described(items, structure.closed)
        if empty is None and _stands_alone(text, structure) and _is_empty(structure.group):
            empty = Described((), True)
        position = structure.end
    return empty


def _items(group: Group, inventory: Inventory, refused: bool) -> Iterator[Item]:
    if (pair := _pair(group, inventory)) is not None:
        yield from _refused([pair], refused)
        return
    named = [(member, label) for member in group.members if (label := _named(member, inventory)) is not None]
    told = {id(member) for member, _ in named}
    others = [member for member in group.members if id(member) not in told]
    about = [other for other in others if other.key is not None] if len(named) == 1 else []
    for _, label in named:
        yield from _refused([_described(label, about, inventory)], refused)
    for member in others:
        yield from _member_items(member, inventory, refused)


def _member_items(member: Member, inventory: Inventory, refused: bool) -> Iterator[Item]:
    key = member.key
    label = inventory.item(key.strip(TRIM)) if key else None
    if label is not None:
        item = _valued(label, member.value, inventory)
        yield from _refused([item] if item else [], refused)
    elif key and _REASON_KEY.search(key):
        return
    elif isinstance(member.value, Group):
        yield from _items(member.value, inventory, refused or bool(key and refuses(key)))
    elif member.value.whole or not key:
        yield from _refused(read_items(member.value.text, inventory, not member.value.whole) or [], refused)


def _pair(group: Group, inventory: Inventory) -> Item | None:
    """Read an array of a label and its value: ``["...", 0.9]``."""
    values = [member.value for member in group.members if member.key is None]
    if len(values) != 2 or not isinstance(first := values[0], Word) or not isinstance(second := values[1], Word):
        return None
    label, said = inventory.item(first.text.strip(TRIM)), value_at(second.text, 0)
    return Item(label, said.verdict, False) if label and said else None


def _named(member: Member, inventory: Inventory) -> str | None:
    """Return the label that a member of an object names under a key of its own (``"hallmark": "..."``)."""
    if (
        member.key is None
        or not isinstance(member.value, Word)
        or _REASON_KEY.search(member.key)
        or refuses(member.key)
    ):
        return None
    if inventory.item(member.key.strip(TRIM)) is not None:
        return None
    return inventory.item(member.value.text.strip(TRIM), not member.value.whole)


def _valued(label: str, value: Word | Group, inventory: Inventory) -> Item | None:
    """Return what the value of a label says of it; None where it was broken off."""
    if isinstance(value, Group):
        if not value.members:
            return Item(label, Verdict.NO, False)
        return _described(label, [member for member in value.members if member.key is not None], inventory)
    said = value_at(value.text, 0)
    if said is not None:
        return Item(label, said.verdict, False)
    return Item(label, judged(value.text, label, inventory), True) if value.whole else None


def _described(label: str, about: list[Member], inventory: Inventory) -> Item:
    """Return a label with what the other members of its object say: a verdict, or a reason."""
    verdict, reasoned = Verdict.OPEN, False
    for member in about:
        if not isinstance(member.value, Word) or member.key is None:
            continue
        said = value_at(member.value.text, 0)
        if said is not None and (_SCORE_KEY.search(member.key) or not member.value.text[:1].isdigit()):
            return Item(label, said.verdict, reasoned)
        if said is None and member.value.text:
            reasoned = True
            verdict = judged(member.value.text, label, inventory) if verdict is Verdict.OPEN else verdict
    return Item(label, verdict, reasoned)


def _refused(items: list[Item], refused: bool) -> list[Item]:
    return [Item(item.label, Verdict.NO, item.reasoned) for item in items] if refused else items


def _is_empty(group: Group) -> bool:
    """Tell whether a structure names nothing but what its reasons may: ``[]``, ``{"labels": []}``, ``{"labels": "none"}``."""
    return all(
        _is_empty(member.value) if isinstance(member.value, Group) else _NONE.match(member.value.text) is not None
        for member in group.members
        if not (member.key and _REASON_KEY.search(member.key))
    )


def _stands_alone(text: str, structure: Structure) -> bool:
    """Tell whether a structure stands on lines of its own or behind a colon."""
    before, after = text[: structure.start].rstrip(" \t"), text[structure.end :].lstrip(" \t.")
    return structure.closed and before[-1:] in ("", "\n", ":") and after[:1] in ("", "\n")
