"""Reading lists of labels: separators, bullets, items with a remark, headers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .names import Inventory

NONE = re.compile(
    r"[\s\"'(\[{:-]*(?:none|n/a|nil|not applicable|no (?:relevant |applicable |matching |of the )*(?:labels?|hallmarks?|topics?|"
    r"categor(?:y|ies)|classes)\b|\[\s*\]|\{\s*\}|\]|\}\s*$)",
    re.IGNORECASE,
)
TRIM = " \t\"'`.,;:!?()[]{}<>*-"
_BULLET = re.compile(r"\s*(?:[-•+>→✓✔✅]|\(?\d{1,2}[.):]|\(?[a-z][.)])\s*", re.IGNORECASE)
_REFUSAL = re.compile(
    r"\b(?:not|no|non|doesn't|don't|excluded?|rejected|irrelevant|inapplicable|absent)\b", re.IGNORECASE
)
_HEADER = re.compile(r"[^:\n]{1,80}:\s*$")
_CUE = re.compile(r"[^:;,\n]{1,60}:(?=\s|$)")
_DENIAL = re.compile(r"[\s:(=-]*(?:not|no|isn't|doesn't|absent|n/a|irrelevant|incorrect)\b", re.IGNORECASE)
_STRONG = re.compile(r"[;,|•\n]|\.(?=\s|$)")
_WEAK = re.compile(r"\band\b|&|/")
# A remark in brackets after an item, unless it denies the item.
_REMARK = re.compile(r"\((?![^()]*\b(?:not|no|absent)\b)[^()\0]{0,80}\)", re.IGNORECASE)
_LONGEST_UNKNOWN_ITEM = 4  # words; a longer piece beside labels is prose, not a label of the model's invention


@dataclass(frozen=True, slots=True)
class Line:
    """What one line contributes: labels (None: it is no list), whether it has a bullet, whether it refuses what follows."""

    labels: list[str] | None
    bullet: bool
    refuses: bool


def read_list(text: str, inventory: Inventory) -> list[str] | None:
    """Return the labels of the first list in ``text``; an empty list where it says none; None where there is no list.

    Without bullets a list ends at a blank line or at prose. With bullets it goes on over remarks and blank lines until a
    header such as ``Not applicable:``.
    """
    found: list[str] = []
    bullets = refused = False
    lines = text.split("\n")
    last = max((number for number, line in enumerate(lines) if line.strip()), default=-1)
    for number, line in enumerate(lines):
        if not line.strip():
            if found and not bullets:
                break
            continue
        read = _read_line(line, inventory, touching=number == last and text.endswith(line))
        if read.labels is None:
            if found and (not bullets or read.refuses):
                break
            if not found and NONE.match(line) and not _HEADER.match(line):
                return []
            refused = read.refuses if _HEADER.match(line) else refused
        elif not refused and not (bullets and not read.bullet):
            found += read.labels
            bullets = bullets or read.bullet
    return found or None


def _read_line(line: str, inventory: Inventory, touching: bool) -> Line:
    bullet = _BULLET.match(line)
    body = line[bullet.end() :] if bullet else line
    refuses = bool(_HEADER.match(line) and _REFUSAL.search(line))
    cue = _CUE.match(body)
    if cue and not inventory.mentions(cue.group()) and inventory.item(cue.group().strip(TRIM)) is None:
        if _REFUSAL.search(cue.group()):
            return Line(None, bool(bullet), refuses)
        body = body[cue.end() :]
    labels = read_items(body, inventory, touching)
    return Line(_with_remark(body, inventory) if labels is None else labels, bool(bullet), refuses)


def read_items(body: str, inventory: Inventory, touching: bool) -> list[str] | None:
    """Return the labels of a line made of items only; short unknown items are ignored, prose gives None.

    Args:
        body: one line without bullet.
        inventory: the labels.
        touching: nothing follows the line in the output, so that its last item may have been cut off.
    """
    labels: list[str] = []
    unknown = 0
    masked = body
    for index, mention in reversed(list(enumerate(mentions := inventory.mentions(body)))):
        masked = f"{masked[: mention.start]}\0{index}\0{masked[mention.end :]}"
    masked = _REMARK.sub(" ", masked)
    pieces = [piece for strong in _STRONG.split(masked) for piece in _split_weak(strong, inventory)]
    for number, piece in enumerate(pieces):
        item = piece.strip(TRIM)
        if named := re.fullmatch(r"\0(\d+)\0", item):
            labels.append(mentions[int(named[1])].label)
        elif "\0" in item:
            return None
        elif item:
            cut_off = touching and number == len(pieces) - 1
            label = inventory.item(item, cut_off) if len(item) > 3 else None
            labels += [label] if label else []
            unknown += label is None
            if label is None and len(item.split()) > _LONGEST_UNKNOWN_ITEM:
                return None
    return labels if labels and (not unknown or _STRONG.search(masked)) else None


def _split_weak(piece: str, inventory: Inventory) -> list[str]:
    """Split at ``and`` and ``/``, unless the piece as a whole is a label that holds one."""
    return [piece] if inventory.item(piece.strip(TRIM)) else _WEAK.split(piece)


def _with_remark(body: str, inventory: Inventory) -> list[str] | None:
    """Return the label of ``label: remark``, ``label - remark`` or ``label (remark)``; None where the remark denies it."""
    name, _, remark = _partition(body)
    label = inventory.item(name.strip(TRIM)) if remark is not None else None
    if label is None or remark is None or _DENIAL.match(remark):
        return None
    return [label]


def _partition(body: str) -> tuple[str, str, str | None]:
    match = re.search(r":|\s-\s|\(|=|->", body)
    return (body[: match.start()], match.group(), body[match.end() :]) if match else (body, "", None)
