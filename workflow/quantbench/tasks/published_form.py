"""Answers in the form that prompts of the published form ask for, put into that of ours, which all readers know.

Only outputs of such prompts (``protocol.prompts: as_published``) pass through here: elsewhere brackets are brackets.
"""

from __future__ import annotations

from collections.abc import Callable

# An output may hold thousands of pairs, and looking into each takes time; by then it repeats itself. Of pairs in pairs the same
# text is looked at again and again, so that it is also counted how often.
_PAIRS_LOOKED_AT = 32
_TIMES_LOOKED_AT = 4


def with_final_answers(text: str, answers: Callable[[str], bool]) -> str:
    """Return a chain of thought whose answers in square brackets stand behind ``Final answer:`` instead, on lines of their own.

    Args:
        text: the output.
        answers: whether what stands between two brackets is an answer; other pairs, such as references, stay. Of a pair around
            others, as around a sentence that has brackets itself, the outer one is looked at first.
    """
    parts, position, left = [], 0, _TIMES_LOOKED_AT * len(text)
    for start, end in sorted(_pairs(text))[:_PAIRS_LOOKED_AT]:
        told = text[start + 1 : end].strip()
        if start < position or not told:
            continue
        left -= len(told)
        if left < 0:
            break
        if answers(told):
            parts += [text[position:start], f"\nFinal answer: {told}\n"]
            position = end + 1
    return "".join([*parts, text[position:]])


def without_class(text: str, entity_type: str) -> str:
    """Return an output whose tags do not name the kind of entity asked for: ``<span class="disease">`` becomes ``<span>``."""
    return text.replace(f'<span class="{entity_type}">', "<span>")


def _pairs(text: str) -> list[tuple[int, int]]:
    """Where the brackets of each pair stand that opens and closes on one line."""
    pairs: list[tuple[int, int]] = []
    opened: list[int] = []
    for place, character in enumerate(text):
        if character == "\n":
            opened.clear()
        elif character == "[":
            opened.append(place)
        elif character == "]" and opened:
            pairs.append((opened.pop(), place))
    return pairs
