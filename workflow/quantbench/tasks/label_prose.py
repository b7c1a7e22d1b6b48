"""Reading labels from prose: those that are named, and neither denied nor merely weighed."""

from __future__ import annotations

import re

from .denials import clauses, denied_after, negation
from .names import Inventory, Mention

_WEIGHED = re.compile(r"\b(?:could|might|may|maybe|perhaps|possibly|whether|if)\b", re.IGNORECASE)
_ASKED = re.compile(r"[^.;!?\n]{0,60}\?[\s\"')]*(?P<yes>yes\b)?", re.IGNORECASE)
_NOTHING = re.compile(
    r"\b(?:none\s+of\s+(?:the|these)|no)\s+(?:[a-z]{1,20}\s+){0,2}?(?:labels?|hallmarks?|topics?|categor(?:y|ies)|class(?:es)?)"
    r"(?:\s+of\s+cancer)?\s+(?:that\s+|is\s+|are\s+)?(?:[a-z]{1,20}\s+)?(?:appl(?:y|ies|icable)|relevant|reported|mentioned|"
    r"discussed|covered|present|addressed|described)\b"
    r"|(?:\bnot|n't)\s+(?:[a-z]{1,20}\s+){0,3}?any\s+(?:of\s+)?(?:the\s+|these\s+)?(?:[a-z]{1,20}\s+){0,2}?(?:labels?|hallmarks?|"
    r"topics?|categories|classes)\b",
    re.IGNORECASE,
)
# Between labels that share what is said of them: "A, B and C are not covered".
_TOGETHER = re.compile(r"[\s\"'*,]*(?:(?:and|or|nor)\b|[,/&])[\s\"'*]*\Z", re.IGNORECASE)
_EXCEPT = re.compile(r"\b(?:except|other than|apart from|besides|other|else)\b", re.IGNORECASE)


def named_in(text: str, inventory: Inventory) -> list[str]:
    """Return the labels that prose names and does not deny (``not X``), weigh (``it could be X``) or ask for (``X? No.``)."""
    found: dict[str, None] = {}
    if not inventory.names_any(text):
        return []
    position = 0
    for clause in clauses(text):
        mentions = [mention for mention in inventory.mentions(clause) if mention.label not in found]
        if mentions:
            weighed = _WEIGHED.search(clause)
            # In a clause all is denied or weighed that stands behind the first such word.
            bound = min(negation(clause), weighed.start() if weighed else len(clause))
            stated = [mention for mention in mentions if mention.start <= bound]
            found |= dict.fromkeys(_standing(text, position, stated))
        position += len(clause)
    return list(found)


def _standing(text: str, position: int, mentions: list[Mention]) -> list[str]:
    """Return the labels of a clause that what follows them neither denies nor asks for; ``position`` is the clause's."""
    labels: list[str] = []
    following: Mention | None = None
    stands = True
    for mention in reversed(mentions):
        end = position + mention.end
        together = following is not None and _TOGETHER.match(text, end, position + following.start)
        stands = stands if together else _stands(text, end)
        labels += [mention.label] if stands else []
        following = mention
    return labels


def _stands(text: str, end: int) -> bool:
    asked = _ASKED.match(text, end)
    return not denied_after(text, end) and (asked is None or asked["yes"] is not None)


def says_nothing_applies(text: str) -> bool:
    """Tell whether prose says that no label applies (``The abstract does not report on any of the hallmarks.``)."""
    nothing = _NOTHING.search(text)
    return nothing is not None and not _EXCEPT.search(text, max(0, nothing.start() - 80), nothing.end() + 80)
