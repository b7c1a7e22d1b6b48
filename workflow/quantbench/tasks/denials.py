"""Words that deny a name: before it (``not X``), behind it (``X is incorrect``), within its clause."""

from __future__ import annotations

import re
from collections.abc import Iterator

_NEGATION = re.compile(
    r"\b(?:not(?! (?:only|just|merely)\b)|no(?! doubt\b)|nor|neither|never|without|cannot|incorrect|wrong|excluded?|excluding|"
    r"exclude[ds]?|irrelevant|unlikely|absent|unlike|instead of|rather than|rules? out|ruled out|inapplicable|unrelated|lacks?|"
    r"lacking)\b|n't\b",
    re.IGNORECASE,
)
_DENIED_AFTER = re.compile(
    r"[\"')\]]*\s*(?:[(:-]\s*)?(?:\w{1,30}\s+)?(?:(?:is|are|was|were|does|do|did|has|have|would|can|could|should|must)\s*)?(?:be\s+)?"
    r"(?:not|n't|isn't|aren't|doesn't|incorrect|wrong|absent|excluded|out|irrelevant|unlikely|ruled out)\b",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(
    r"[.;!?](?=\s|\Z)|\n|\b(?:but|however|although|though|while|whereas|yet)\b|,\s+(?=(?:it|this|the)\b)"
)
_REACH = 240  # characters before and after a name in which its clause is looked for


def denies(text: str) -> bool:
    """Tell whether a word in a text denies something."""
    return _NEGATION.search(text) is not None


def is_negated(text: str, start: int, end: int, since: int = 0) -> bool:
    """Tell whether the clause a name stands in denies it (``not X``, ``X is incorrect``, ``rather than X``).

    Args:
        text: any text.
        start: where the name begins.
        end: where it ends.
        since: what stands before this position is not looked at.
    """
    before = text[max(since, start - _REACH) : start]
    begin = max((match.end() for match in _CLAUSE_END.finditer(before)), default=0)
    return _NEGATION.search(before, begin) is not None or denied_after(text, end)


def negation(clause: str) -> int:
    """Return where a clause begins to deny what follows; its length where it denies nothing."""
    match = _NEGATION.search(clause)
    return match.start() if match else len(clause)


def denied_after(text: str, position: int) -> bool:
    """Tell whether a name that ends at a position is denied by a verb of its own: "X is not covered", not "X, which no one
    expected".
    """
    after = text[position : position + _REACH]
    end = _CLAUSE_END.search(after)
    return _DENIED_AFTER.match(after[: end.start()] if end else after) is not None


def clauses(text: str) -> Iterator[str]:
    """Yield the clauses of a text in order; each with the mark or word that ends it."""
    position = 0
    for match in _CLAUSE_END.finditer(text):
        yield text[position : match.end()]
        position = match.end()
    yield text[position:]
