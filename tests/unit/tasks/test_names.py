"""Labels found in text by their names, slips of spelling and definitions, and the values that stand behind them."""

from __future__ import annotations

import inventories
import pytest

from quantbench.tasks.denials import is_negated
from quantbench.tasks.names import Inventory

LITCOVID = Inventory(inventories.LITCOVID, short_names=False)
CHEMPROT = Inventory(inventories.CHEMPROT, short_names=True)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("the chemical is an agonist", "CPR:5"),
        ("The chemical is an antagonist", "CPR:6"),
        ("the chemical is a antagonist", "CPR:6"),
        ("The chemical down-regulates or inhibits the gene", "CPR:4"),
        ("the chemical upregulates or activates gene", "CPR:3"),
        ("None of these relations", "false"),
        ("the chemical is not an agonist", None),
        ("the chemical upregulates or inhibits the gene", None),
        ("agonist", None),
        ("the chemical", None),
        ("none", None),
        ("the chemical is a substrate or product" * 3, None),
    ],
)
def test_a_definition_stands_for_its_label(text: str, label: str | None) -> None:
    assert CHEMPROT.item(text) == label
    assert Inventory(tuple(inventories.CHEMPROT), short_names=True).item(text) is None


def test_an_item_that_may_go_on_is_none_at_a_cut() -> None:
    assert CHEMPROT.item("the chemical is a substrate or prod", cut_off=True) is None
    assert CHEMPROT.item("the chemical is a substrate or product", cut_off=True) == "CPR:9"
    assert LITCOVID.item("Epidemic Forecastin") == "Epidemic Forecasting"
    assert LITCOVID.item("Epidemic Forecastin", cut_off=True) is None
    assert LITCOVID.item("Epidemic") is None


def test_values_of_an_inventory() -> None:
    assert CHEMPROT.values("CPR:3: 0.2\nCPR:4: 0.8\nfalse: 0") == {"CPR:3": False, "CPR:4": True, "false": False}
    assert CHEMPROT.values('{"CPR:3": "90%", "CPR:4": 10}') == {"CPR:3": True, "CPR:4": False}
    assert CHEMPROT.values("CPR:3 1 and CPR:4: 1 mg") == {}


def test_names_outside_the_inventory_are_noticed() -> None:
    assert CHEMPROT.outsiders("CPR:3 or CPR:7")
    assert not CHEMPROT.outsiders("CPR:3 or CPR:4, CPR-9")


def test_what_denies_a_label_stands_in_its_clause() -> None:
    def denied(text: str) -> bool:
        mention = CHEMPROT.mentions(text)[0]
        return is_negated(text, mention.start, mention.end)

    assert denied("it is not CPR:3")
    assert denied("not this one. It is rather not CPR:3")
    assert denied("CPR:3 is incorrect")
    assert not denied("it is not an agonist, but CPR:3")
    assert not denied("it is not only CPR:3")
    assert not denied("CPR:3, which no one doubts")
    assert not denied("not this. CPR:3")
