"""Answers that are offered, mentioned, claimed side by side, or hold in part, and so are not given (docs/protocol.md#answers)."""

from __future__ import annotations

import inventories
import pytest

from quantbench import tasks

WORDED = tasks.get(inventories.yes_no_maybe())
DEFINED = {
    "DDI-effect": "an effect of the combination or a pharmacodynamic mechanism is described",
    "DDI-mechanism": "a pharmacokinetic mechanism is described",
    "DDI-advise": "a recommendation about taking both is given",
    "DDI-int": "an interaction is stated without detail",
    "DDI-false": "no interaction is stated",
}
DDI = tasks.get(inventories.relations(DEFINED, "DDI-false"))
PAIR = inventories.sample(sentence="@DRUG$ slows the clearance of @DRUG$ in rats.")
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

MENTIONED = [
    ("What is said of the drug written @DRUG$ and DDI-advise.", None),
    ("The sentence is about two drugs or DDI-int.", None),
    ("The pair shows a DDI-effect, but there is not enough said to fit a class.", None),
    ("The sentence expresses DDI-int, although it is unclear.", None),
    ("The pair shows a DDI-effect, although the dose is low.", "DDI-effect"),
    ("The drugs @DRUG$ and @DRUG$ show a DDI-effect.", "DDI-effect"),
    ("This is a class of DDI-int: stated, while it is a class of DDI-advise: recommended.", None),
    ("The class is DDI-int, and the relation is DDI-effect.", None),
    ("The class is DDI-int, and the drugs interact.", "DDI-int"),
    ("The class is DDI-int, while other pairs have the class DDI-effect.", "DDI-int"),
]
DEFINITIONS = [
    ("The sentence describes a pharmacokinetic mechanism, namely a slower clearance.", "DDI-mechanism"),
    ("The sentence states no interaction.", "DDI-false"),
    ("The sentence gives a recommendation about taking both drugs.", "DDI-advise"),
    ("The sentence describes a pharmacodynamic mechanism.", None),
    ("The sentence describes a mechanism.", None),
    ("The sentence does not describe a pharmacokinetic mechanism.", None),
    ("The sentence describes a pharmacokinetic mechanism and gives a recommendation.", None),
]


@pytest.mark.parametrize(("output", "expected"), OFFERED + IN_PART)
def test_words_that_are_offered_or_hold_in_part_decide_nothing(output: str, expected: str | None) -> None:
    answer = WORDED.parse(output, RESEARCH)
    assert (answer.value, answer.ok) == (expected, expected is not None)


@pytest.mark.parametrize(("output", "expected"), MENTIONED + DEFINITIONS)
def test_a_class_counts_that_is_claimed_alone_by_its_name_or_its_definition(output: str, expected: str | None) -> None:
    answer = DDI.parse(output, PAIR)
    assert (answer.value, answer.ok) == (expected, expected is not None)
