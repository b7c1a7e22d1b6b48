"""Where an output's answer is complete, so that generating may stop and reading does.

Two places end an answer, whichever comes first:

- A line that opens a new example (``Sentence:``, ``Question 2:``, ``User:`` ...), once an answer can be read from what stands
  before it. Base models go on with such examples until their token limit. In a chain of thought such a line may belong to
  the reasoning, so there it ends nothing but a stated final answer.
- The blank line after ``Final answer: ...`` in exactly the form asked for.

What follows such a place is never read (:meth:`quantbench.tasks.Task.parse` cuts it off), so an output that was stopped there
gives the answer of the whole one, whatever the model would have written. Nothing inside a thought ends an answer
(:mod:`quantbench.tasks.thoughts`). One exception remains: a ``</think>`` that nothing opened, far behind, makes everything before
it a thought; models that write it have the thought opened by their prompt, and then nothing is complete before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice

from .origin import Origin
from .statements import FINAL_WORDS
from .text import NEXT_EXAMPLE_LINE, is_instruction, visible
from .thoughts import Thoughts, find_thoughts

# An output may open hundreds of examples; if the first few could not end an answer, it has none.
_EXAMPLES_LOOKED_AT = 8
_STATED = re.compile(rf"^[ \t>#*_-]*+{FINAL_WORDS}", re.IGNORECASE | re.MULTILINE)
_FINAL_LINE = re.compile(r"^[ \t]*+Final answer:", re.MULTILINE)
_REST_AND_BLANK_LINE = re.compile(r"[^\n]*\n[ \t]*\n")
# What may complete an answer ends in one of these, so other tokens need no look.
ENDINGS = (":", "\n")

Readable = Callable[[str], bool]


def answer_end(output: str, readable: Readable, exact: Readable, origin: Origin) -> int | None:
    """Return the length of the part of an output that holds its whole answer, or None where the answer is not complete.

    The result only depends on what stands before it and on the line that follows: a longer output has the same end.

    Args:
        output: the raw text.
        readable: whether an answer can be read from a text.
        exact: whether a text holds an answer in exactly the form asked for.
        origin: how the output came about. In a chain of thought only a stated final answer counts: its reasoning may name labels.
    """
    thoughts = find_thoughts(output, origin.reasoning)
    ends = [_new_example(output, thoughts, readable, origin), _final_line(output, thoughts, readable, exact)]
    return min((end for end in ends if end is not None), default=None)


def _new_example(output: str, thoughts: Thoughts, readable: Readable, origin: Origin) -> int | None:
    outside = (
        match
        for match in NEXT_EXAMPLE_LINE.finditer(output, thoughts.start)
        if not thoughts.hold(match.start()) and re.search(r"\S", output[: match.start()])
    )
    for match in islice(outside, _EXAMPLES_LOOKED_AT):
        before = output[: match.start()]
        if not readable(before):
            continue
        final = _STATED.search(before, thoughts.start)
        if final and readable(before[final.start() :]):
            return match.start()
        # A model that repeats its instructions has not answered yet.
        if not origin.reasoned and not is_instruction(visible(before, origin.reasoning)):
            return match.start()
    return None


def _final_line(output: str, thoughts: Thoughts, readable: Readable, exact: Readable) -> int | None:
    line = _FINAL_LINE.search(output, thoughts.start)
    rest = _REST_AND_BLANK_LINE.match(output, line.end()) if line else None
    if line is None or rest is None or thoughts.hold(line.start()):
        return None
    whole = output[: rest.end()]
    return rest.end() if exact(whole[line.start() :]) and readable(whole) else None
