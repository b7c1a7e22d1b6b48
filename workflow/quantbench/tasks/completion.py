"""Where an output's answer is complete, so that generating may stop and reading does.

Two places end an answer, whichever comes first:

- A line that opens a new example (``Sentence:``, ``Question 2:``, ``User:`` ...), once an answer can be read from what stands
  before it. Base models go on with such examples until their token limit.
- The blank line after ``Final answer: ...`` in exactly the form asked for.

What follows such a place is never read (:meth:`quantbench.tasks.Task.parse` cuts it off), so an output that was stopped there
gives the answer of the whole one, whatever the model would have written. Thoughts between ``<think>`` and ``</think>`` end no
answer. One exception remains: a ``</think>`` that nothing opened, far behind, makes everything before it a thought; models that
write it have the thought opened by their prompt (:func:`opens_thought`), and then nothing is complete before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice

from .text import NEXT_EXAMPLE_LINE, is_instruction, visible

# An output may open hundreds of examples; if the first few could not end an answer, it has none.
_EXAMPLES_LOOKED_AT = 8
_STATED = re.compile(
    r"^[ \t>#*_-]*final[ \t]+(?:answer|response|output|decision|label|class|classification|verdict|choice|conclusion)s?\b",
    re.IGNORECASE | re.MULTILINE,
)
_FINAL_LINE = re.compile(r"^[ \t]*Final answer:", re.MULTILINE)
_REST_AND_BLANK_LINE = re.compile(r"[^\n]*\n[ \t]*\n")
# What may complete an answer ends in one of these, so other tokens need no look.
ENDINGS = (":", "\n")

Readable = Callable[[str], bool]


def answer_end(output: str, readable: Readable, exact: Readable, stated: bool = False) -> int | None:
    """Return the length of the part of an output that holds its whole answer, or None where the answer is not complete.

    The result only depends on what stands before it and on the line that follows: a longer output has the same end.

    Args:
        output: the raw text.
        readable: whether an answer can be read from a text.
        exact: whether a text holds an answer in exactly the form asked for.
        stated: only a stated final answer counts, as for a chain of thought, whose reasoning may name labels.
    """
    start = _after_opened_thought(output)
    ends = [_new_example(output, start, readable, stated), _final_line(output, start, readable, exact)]
    return min((end for end in ends if end is not None), default=None)


def opens_thought(prompt: str) -> bool:
    """Tell whether a prompt ends inside a thought, as reasoning models' chat templates do."""
    return _thinks(prompt)


def _new_example(output: str, start: int, readable: Readable, stated: bool) -> int | None:
    for match in islice(NEXT_EXAMPLE_LINE.finditer(output), _EXAMPLES_LOOKED_AT):
        before = output[: match.start()]
        if match.start() < start or not before.strip() or _thinks(before) or not readable(before):
            continue
        final = _STATED.search(before, start)
        if final and readable(before[final.start() :]):
            return match.start()
        # A model that repeats its instructions has not answered yet.
        if not stated and not is_instruction(visible(before)):
            return match.start()
    return None


def _final_line(output: str, start: int, readable: Readable, exact: Readable) -> int | None:
    line = _FINAL_LINE.search(output, start)
    rest = _REST_AND_BLANK_LINE.match(output, line.end()) if line else None
    if line is None or rest is None or _thinks(output[: line.start()]):
        return None
    whole = output[: rest.end()]
    return rest.end() if exact(whole[line.start() :]) and readable(whole) else None


def _thinks(text: str) -> bool:
    low = text.lower()
    return low.rfind("<think>") > low.rfind("</think>")


def _after_opened_thought(output: str) -> int:
    """Return where the answer begins in an output whose thought was opened by its prompt: behind the first ``</think>``."""
    low = output.lower()
    close = low.find("</think>")
    return close + len("</think>") if close >= 0 and low.find("<think>", 0, close) < 0 else 0
