"""Lists of labels line by line: what each line is, what a list says, where it ends, and what stands behind its labels."""

from __future__ import annotations

import pytest

from quantbench.tasks.label_lines import Kind, read_line
from quantbench.tasks.label_lists import Listed, read_list, settle, without_offer
from quantbench.tasks.label_objects import read_objects
from quantbench.tasks.loose_json import Group, Word, find_structure
from quantbench.tasks.names import Inventory

LITCOVID = Inventory(
    {
        "Treatment": "therapies, drugs, vaccines in use or in trials",
        "Diagnosis": "symptoms, tests, imaging, detection",
        "Prevention": "control measures, protection, public health",
        "Mechanism": "biology of the virus and of the disease",
        "Transmission": "how the infection spreads",
        "Epidemic Forecasting": "models and estimates of future spread",
        "Case Report": "description of single patients",
    },
    short_names=False,
)


def labels(text: str, cut: bool = False) -> list[str] | None:
    """What a list says applies; None where there is none."""
    listed = read_list(text, LITCOVID, cut)
    return None if listed is None else settle(listed.items, LITCOVID)


def list_in(text: str) -> Listed:
    listed = read_list(text, LITCOVID)
    assert listed is not None
    return listed


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("", Kind.BLANK),
        ("---", Kind.BLANK),
        ("|---|:-:|", Kind.BLANK),
        ("- Treatment", Kind.ITEMS),
        ("Labels: Treatment; Prevention", Kind.ITEMS),
        ("| 1 | Treatment | Yes |", Kind.ITEMS),
        ("Treatment: The article tests remdesivir, and more.", Kind.ITEMS),
        ("how the infection spreads", Kind.ITEMS),
        ("The topics of this article are:", Kind.HEADER),
        ("Not applicable:", Kind.REFUSAL),
        ("Other labels considered:", Kind.REFUSAL),
        ("- Labels not covered", Kind.REFUSAL),
        ("As drugs are not covered, the labels are:", Kind.HEADER),
        ("Explanation: it is about masks", Kind.EXPLANATION),
        ("Here's why:", Kind.EXPLANATION),
        ("Reasoning for each label:", Kind.EXPLANATION),
        ("The article is about Treatment.", Kind.PROSE),
        ("Treatment of the patients was stopped.", Kind.PROSE),
        ("Treatment, which was stopped early in most of the patients; no Prevention", Kind.ITEMS),
        ("Is it Treatment; Prevention?", Kind.PROSE),
    ],
)
def test_each_line_is_one_thing(line: str, kind: Kind) -> None:
    assert read_line(line, LITCOVID).kind is kind


def test_a_label_with_its_definition_is_an_item() -> None:
    prompt = "Treatment: therapies, drugs, vaccines in use or in trials\nPrevention: control measures, protection, public health"
    assert labels(prompt) == ["Treatment", "Prevention"]


def test_where_a_list_stands() -> None:
    text = "The topics are:\n- Treatment\n- Prevention: masks\n\nThat is all there is to say."
    listed = list_in(text)
    assert text[listed.start : listed.end] == "- Treatment\n- Prevention: masks"
    assert listed.closed
    assert listed.reasoned
    assert not list_in("- Treatment\n- Prevention").closed
    assert not list_in("- Treatment").reasoned


def test_items_under_a_refusing_header_are_no_until_another_header() -> None:
    assert labels("Not applicable:\n- Treatment\n\nApplicable:\n- Prevention") == ["Prevention"]
    assert labels("Not applicable:\n- Treatment") == []


def test_what_is_said_first_of_a_label_counts() -> None:
    assert labels("Treatment: yes\nTreatment: no\nPrevention: no\nPrevention: yes") == ["Treatment"]
    assert labels("- Treatment\n- Treatment: not covered\n- Prevention") == ["Prevention"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Topics (pick from {all}): Prevention", ["Prevention"]),
        ("Labels [{all}]:\n- Prevention\n- Treatment", ["Prevention", "Treatment"]),
        ("Prevention; Diagnosis (chosen from {all})", ["Prevention", "Diagnosis"]),
        ("Labels: {all}", list(LITCOVID.labels)),
    ],
)
def test_all_labels_in_brackets_before_a_colon_are_those_to_choose_from(text: str, expected: list[str]) -> None:
    read = labels(without_offer(text.replace("{all}", ", ".join(LITCOVID.labels)), LITCOVID))
    assert sorted(read or []) == sorted(expected)
    few = "Labels (Prevention; Diagnosis): Prevention"
    assert without_offer(few, LITCOVID) == few


def test_json_as_models_write_it() -> None:
    structure = find_structure("""so: {'a': ["x, "y" z",], // why\n b: None, "c": {"d": 1.5}}. [1]""", 0)
    assert structure is not None and structure.closed
    members = {member.key: member.value for member in structure.group.members}
    assert list(members) == ["a", "b", "c"]
    assert isinstance(members["a"], Group) and members["a"].members[0].value == Word('x, "y" z', True)
    assert members["b"] == Word("None", True)
    broken = find_structure('[["a", "b', 0)
    assert broken is not None and not broken.closed and broken.end == len('[["a", "b')
    assert find_structure("see [12] and {x}", 0) is None
    assert find_structure('["' * 40, 0) is not None
    assert find_structure("[" * 40 + '"', 0) is None


def test_json_that_says_no_label_applies_and_json_that_says_nothing() -> None:
    nothing = read_objects('The labels: {"labels": [], "reason": "none is covered"}', LITCOVID)
    assert nothing is not None and nothing.items == ()
    assert read_objects('{"title": "Masks"}', LITCOVID) is None
    assert read_objects("f({}) = 1", LITCOVID) is None
