"""What stands behind a label: values, and reasons that deny it or do not."""

from __future__ import annotations

import pytest

from quantbench.tasks.remarks import Verdict, judge, value_at


@pytest.mark.parametrize(
    ("remark", "verdict"),
    [
        ("yes", Verdict.YES),
        ("Present in the abstract", Verdict.YES),
        ("The drug killed cells. Thus, this hallmark applies.", Verdict.YES),
        ("no", Verdict.NO),
        ("No.", Verdict.NO),
        ("No - only masks", Verdict.NO),
        ("Not really", Verdict.NO),
        ("The study makes no mention of it", Verdict.NO),
        ("the text says nothing about this", Verdict.NO),
        ("The paper fails to address drugs", Verdict.NO),
        ("Based on the abstract, there is no evidence for this", Verdict.NO),
        ("because it isn't discussed", Verdict.NO),
        ("Cells grew. Not mentioned as such.", Verdict.NO),
        ("no apoptosis was seen", Verdict.OPEN),
        ("no controlled data were required", Verdict.OPEN),
        ("no further details are needed", Verdict.OPEN),
        ("missing values were imputed", Verdict.OPEN),
        ("no data were given", Verdict.NO),
        ("missing in the abstract", Verdict.NO),
        ("not only drugs but also masks", Verdict.OPEN),
        ("The drug did not kill cells", Verdict.OPEN),
        ("Cells grew. The abstract does not mention how fast they did so in the end.", Verdict.OPEN),
        ("The abstract does not explicitly mention growth, but cells divide", Verdict.OPEN),
        ("growth", Verdict.OPEN),
        ("", Verdict.OPEN),
    ],
)
def test_what_a_remark_says_of_its_label(remark: str, verdict: Verdict) -> None:
    assert judge(remark, lambda sentence: False) is verdict


def test_a_denial_of_another_label_denies_not_this_one() -> None:
    assert judge("Masks are not discussed.", lambda sentence: "Masks" in sentence) is Verdict.OPEN
    assert judge("Drugs are not discussed.", lambda sentence: "Masks" in sentence) is Verdict.OPEN
    assert judge("It is not discussed.", lambda sentence: "Masks" in sentence) is Verdict.NO


@pytest.mark.parametrize(
    ("text", "yes"),
    [
        ("1", True),
        ("1.0", True),
        ("0.5", True),
        ("50%", True),
        ("3/5", True),
        ("score: 0.9", True),
        ("confidence 80%", True),
        ("\u2705", True),
        ("0.49", False),
        ("0", False),
        ("2", False),
        ("100", False),
        ("49 %", False),
        ("null", False),
        ("n/a", False),
        ("1 patient", None),
        ("no drugs", None),
        ("1.5x", None),
        ("yesterday", None),
    ],
)
def test_values(text: str, yes: bool | None) -> None:
    value = value_at(text, 0)
    assert (value and value.yes) is yes
