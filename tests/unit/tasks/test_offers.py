"""What only repeats the answers that can be given, or holds a yes to hold in part, decides nothing (docs/protocol.md#answers)."""

from __future__ import annotations

import inventories
import pytest

from quantbench import tasks

WORDED = tasks.get(inventories.yes_no_maybe())
RESEARCH = inventories.sample(question="Does borvane lower fever in children?", context="It did not.")

OFFERED = [
    ('The reply to this is "the answer to the question is yes, no or maybe."', None),
    ("yes, yes, no or maybe", None),
    ("maybe, maybe or no.", None),
    ("The answer to that question is no, maybe.", None),
    ("My decision is no, yes, or maybe.", None),
    ('The answer is "no", "yes" or "maybe".', None),
    ("Final answer: yes, no, or maybe", None),
    ("The answer is either yes or no.", None),
    ("no, no, no, maybe", None),
    ("Yes or no: no", "no"),
    ("Yes, no or maybe? Maybe.", "maybe"),
    ("One word: yes, no or maybe.\n\nyes", "yes"),
    ("no, no, no", "no"),
    ("Yes, yes, it lowers fever.", "yes"),
    ("Yes. Fever fell in most children, maybe by chance.", "yes"),
]
IN_PART = [
    ("yes, though it is yes in part: for some of what is asked.", None),
    ("Yes, but not necessarily in every child.", None),
    ("The answer is yes under some conditions only.", None),
    ("Yes (partly).", None),
    ("Yes. The answer is yes in part.", None),
    ("Maybe means that it is yes in part: under some conditions only.", None),
    ("maybe, since it is yes in part: under some conditions only", "maybe"),
    ("Yes, in part because the dose was high.", "yes"),
    ("Yes, but the effect was small.", "yes"),
]


@pytest.mark.parametrize(("output", "expected"), OFFERED + IN_PART)
def test_words_that_are_offered_or_hold_in_part_decide_nothing(output: str, expected: str | None) -> None:
    answer = WORDED.parse(output, RESEARCH)
    assert (answer.value, answer.ok) == (expected, expected is not None)
