"""Outputs of prompts of the published form: an answer in square brackets, and tags that name the kind of entity."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from quantbench import tasks
from quantbench.config import load_datasets
from quantbench.contracts.records import Sample
from quantbench.tasks.origin import Origin

REASONED = Origin(reasoned=True, prompts="as_published")
AT_ONCE = Origin(prompts="as_published")
OPTIONS = {"A": "aspirin", "B": "warfarin", "C": "heparin"}
INPUTS: dict[str, dict[str, Any]] = {
    "medqa": {"question": "Which drug?", "options": OPTIONS},
    "pubmedqa": {"question": "Does it?", "context": "It was tried."},
    "ddi2013": {"sentence": "@DRUG$ and @DRUG$ interact."},
    "chemprot": {"sentence": "@CHEMICAL$ inhibits @GENE$."},
    "litcovid": {"text": "A trial."},
    "hoc": {"text": "Apoptosis."},
    "ncbi_disease": {"text": "Colon cancer [ MIM 1 ] and asthma ."},
    "bc5cdr_chemical": {"text": "[ 3H ] aspirin was given ."},
}


@pytest.fixture(scope="module")
def readers(repository: Path) -> dict[str, Any]:
    return {name: tasks.get(entry) for name, entry in load_datasets(repository).items()}


def read(readers: dict[str, Any], dataset: str, raw: str, origin: Origin) -> tuple[Any, Any]:
    """What a careful and what an exact reader take; None: nothing. Of entities their texts."""
    found = readers[dataset].readings(raw, Sample("0", INPUTS[dataset], None, "0"), origin)
    values = [one.value if one.ok else None for one in (found.careful, found.exact)]
    if dataset in ("ncbi_disease", "bc5cdr_chemical"):
        values = [value if value is None else [entity["text"] for entity in value] for value in values]
    return values[0], values[1]


@pytest.mark.parametrize(
    ("dataset", "raw", "careful", "exact"),
    [
        ("medqa", "Aspirin fits best.\n\n[B]", "B", "B"),
        ("medqa", "[B] It thins the blood.", "B", "B"),
        ("medqa", "A study [1] and others [2, 3] name warfarin. [B]", "B", "B"),
        ("medqa", "[B. warfarin]", "B", None),
        # On a line of its own it is complete, as "Final answer: A" before a blank line is.
        ("medqa", "It is aspirin.\n[A]\nNo, that is wrong. [C]", "A", "A"),
        ("medqa", "It is aspirin. [A] No, that is wrong. [C]", "C", "A"),
        ("medqa", "[A]\n\nQuestion: Which other drug?\nA. x\nB. y\nAnswer: [B]", "A", "A"),
        ("medqa", "It may be [B", None, None),
        ("pubmedqa", "The data show no effect in adults.\n[no]", "no", "no"),
        ("pubmedqa", "As [the context] says: [maybe]", "maybe", "maybe"),
        ("ddi2013", "Nothing is said of a mechanism. [DDI-int]", "DDI-int", "DDI-int"),
        ("chemprot", "It inhibits the gene. [CPR:4]", "CPR:4", "CPR:4"),
        (
            "litcovid",
            "It speaks of drugs. [Treatment; Prevention]",
            ["Treatment", "Prevention"],
            ["Treatment", "Prevention"],
        ),
        ("hoc", "Cells die.\n[resisting cell death]", ["resisting cell death"], ["resisting cell death"]),
        (
            "ncbi_disease",
            'Two are named. [<span class="disease">Colon cancer</span> [ MIM 1 ] and <span class="disease">asthma</span> .]',
            ["Colon cancer", "asthma"],
            ["Colon cancer", "asthma"],
        ),
        (
            "bc5cdr_chemical",
            'One. [[ 3H ] <span class="chemical">aspirin</span> was given .]',
            ["aspirin"],
            ["aspirin"],
        ),
        ("bc5cdr_chemical", '[ 3H ] <span class="chemical">aspirin</span> was given .', ["aspirin"], ["aspirin"]),
    ],
)
def test_the_answer_of_a_chain_of_thought_stands_in_square_brackets(
    readers: dict[str, Any], dataset: str, raw: str, careful: object, exact: object
) -> None:
    assert read(readers, dataset, raw, REASONED) == (careful, exact)


@pytest.mark.parametrize(
    ("dataset", "raw", "careful", "exact"),
    [
        (
            "ncbi_disease",
            '<span class="disease">Colon cancer</span> [ MIM 1 ] and asthma .',
            ["Colon cancer"],
            ["Colon cancer"],
        ),
        # No disease was marked: the readers take the kind that is judged, whatever a prompt asked for.
        ("ncbi_disease", '<span class="chemical">Colon cancer</span> [ MIM 1 ] and asthma .', [], None),
        ("bc5cdr_chemical", '[ 3H ] <span class="chemical">aspirin</span> was given .', ["aspirin"], ["aspirin"]),
        ("medqa", "B", "B", "B"),
        ("litcovid", "Treatment; Prevention", ["Treatment", "Prevention"], ["Treatment", "Prevention"]),
    ],
)
def test_tags_name_the_kind_of_entity(
    readers: dict[str, Any], dataset: str, raw: str, careful: object, exact: object
) -> None:
    assert read(readers, dataset, raw, AT_ONCE) == (careful, exact)


def test_brackets_mean_nothing_where_nobody_asked_for_them(readers: dict[str, Any]) -> None:
    raw = "The patient has fever, so aspirin fits best.\n\n[B]"
    assert read(readers, "medqa", raw, REASONED) == ("B", "B")
    assert read(readers, "medqa", raw, Origin(reasoned=True)) == ("A", None)
    assert read(readers, "medqa", raw, AT_ONCE) == ("A", None)


def test_a_thousand_brackets_are_read_in_the_end(readers: dict[str, Any]) -> None:
    assert read(readers, "medqa", "[x] " * 1000, REASONED) == (None, None)
    assert read(readers, "medqa", "[A]\n" * 1000, REASONED)[0] == "A"
