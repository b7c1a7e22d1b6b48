"""What outputs for a sentence's entities mean, case by case (conventions: quantbench.tasks.kinds.named_entity_recognition)."""

from __future__ import annotations

import inventories
import pytest

from quantbench import tasks

CHEMICAL = tasks.get(inventories.entities("chemical"))
WRITTEN = "Zintol ( 0 . 05 mg / kg ) and L - dopa lowered Parkinson ' s tremor more than zintol alone ( P < 0 . 05 ) ."
SAMPLE = inventories.sample(text=WRITTEN)
BARE = "".join(WRITTEN.split())


def marked(*entities: str) -> str:
    """Return the sentence with these stretches in ``<span>``, each the first one not yet marked."""
    output, position = "", 0
    for entity in entities:
        place = WRITTEN.index(entity, position)
        output += WRITTEN[position:place] + f"<span>{entity}</span>"
        position = place + len(entity)
    return output + WRITTEN[position:]


def texts(output: str, sample: object = SAMPLE) -> list[str]:
    answer = CHEMICAL.parse(output, sample)  # type: ignore[arg-type]
    assert answer.ok
    for entity in answer.value:
        assert BARE[entity["start"] : entity["end"]] == "".join(entity["text"].split())
    return [entity["text"] for entity in answer.value]


BOTH = marked("Zintol", "L - dopa")
TAGGED = [
    BOTH,
    BOTH.replace("<span>", '<span class="chemical">'),
    BOTH.replace("<span>", "<span style='background: #ff0'>"),
    BOTH.replace("span>", "SPAN>"),
    BOTH.replace("span>", "b>"),
    BOTH.replace("span>", "mark>"),
    BOTH.replace("span>", "strong>"),
    BOTH.replace("span>", "em>"),
    BOTH.replace("<span>", "<span> ").replace("</span>", " </span>"),
    BOTH.replace("<span>", "< span >").replace("</span>", "< / span >"),
    BOTH.replace("<span>", "&lt;span&gt;").replace("</span>", "&lt;/span&gt;"),
    BOTH.replace(" - ", "-").replace(" ' s", "'s").replace("0 . 05", "0.05").replace("( ", "("),
    BOTH.replace(" ' s", "\u2019s"),
    BOTH.replace(" < ", " &lt; "),
    BOTH.replace(" < ", "<"),
    BOTH.lower(),
    BOTH.replace(" and ", "\nand "),
    "".join(BOTH.split()),
    f"Marked: {BOTH}",
    f"Marked sentence:\n{BOTH}",
    f"```html\n{BOTH}\n```",
    f"```\n{BOTH}\n```\nI marked two chemicals.",
    f"Here is the sentence with the chemicals marked:\n\n{BOTH}",
    f"Here is the sentence: {BOTH} I marked two chemicals.",
    f"Sentence: {WRITTEN}\nMarked: {BOTH}",
    f"Sentence: {WRITTEN} Marked: {BOTH}",
    f"Put each chemical name between <span> and </span>.\n\nSentence: {WRITTEN}\nMarked: {BOTH}",
    f"{BOTH}\n\nSentence: Brontin helped .\nMarked: <span>Brontin</span> helped .",
    f"{BOTH}\n\nExplanation: <span>tremor</span> is no chemical.",
    f"There are two chemicals.\nFinal answer: {BOTH}",
    f"<think>{marked('tremor')}</think>\n{BOTH}",
    BOTH.replace("lowered", "reduced"),
    BOTH.replace("lowered ", ""),
    BOTH.replace("more than", "far more than"),
    BOTH.replace("mg / kg", "mg per kilogram"),
    BOTH.split(" tremor")[0],
    BOTH.replace("lowered", "reduced").split(" tremor")[0],
    BOTH.replace("<span>Zintol</span>", "<span><span>Zintol</span></span>"),
    BOTH.replace("<span>L - dopa</span>", "<span><b>L</b> - dopa</span>"),
    BOTH.replace("<span>Zintol", "<span>chemical: Zintol"),
    BOTH.replace("<span>L", "<span>Chemical L"),
    BOTH.replace("alone", "<span>alone"),
    BOTH.replace("alone", "alone</span>"),
    BOTH.replace("alone", "<span></span>alone"),
    "<span>Zintol</span>, <span>L-dopa</span>",
    "- <span>Zintol</span>\n- <span>L - dopa</span>",
    BOTH + "</s>" + marked("tremor"),
]
NOT_MARKED = [
    WRITTEN,
    f"Marked: {WRITTEN}",
    "None",
    "none.",
    "No chemicals",
    "There are no chemicals in the sentence.",
    WRITTEN.replace("lowered", "reduced"),
    f"{WRITTEN}\n\nSentence: Brontin helped .\nMarked: <span>Brontin</span> helped .",
]
UNREADABLE = [
    "",
    "  ",
    "Zintol, L - dopa",
    "- Zintol\n- L - dopa",
    '["Zintol", "L - dopa"]',
    "<span>Zintol and L - dopa",
    marked("Zintol").replace("</span>", ""),
    "<span>brontin</span>",
    "I'm sorry, I can't help.",
    "Put each chemical name between <span> and </span>.",
]

DISEASE = tasks.get(inventories.entities("disease"))
PATIENT = inventories.sample(text="The patient with Parkinson ' s disease had diabetes mellitus and diabetes .")
# None: unreadable.
DISEASE_CASES = [
    (
        "The patient with <span>Parkinson's disease</span> had <span>diabetes mellitus</span> and <span>diabetes</span>.",
        ["Parkinson ' s disease", "diabetes mellitus", "diabetes"],
    ),
    ("<span>Parkinson's disease</span>\n<span>diabetes</span>", ["Parkinson ' s disease", "diabetes"]),
    ("1. <span>diabetes</span>\n2. <span>diabetes mellitus</span>", ["diabetes mellitus", "diabetes"]),
    (
        'The patient with <span class="disease">Parkinson\'s disease</span> had <span class="disease">diabetes mellitus</span> and <span class="disease">diabetes',
        ["Parkinson ' s disease", "diabetes mellitus"],
    ),
    ("The patient with **Parkinson's disease** had diabetes mellitus and diabetes.", []),
    ("The patient with <disease>Parkinson's disease</disease> had diabetes mellitus and diabetes.", []),
    (
        "The patient with <span>disease: Parkinson's disease</span> had diabetes mellitus and diabetes.",
        ["Parkinson ' s disease"],
    ),
    (
        "The patient with <span>Disease Parkinson's disease</span> had diabetes mellitus and diabetes.",
        ["Parkinson ' s disease"],
    ),
    (
        "The patient with <span>Parkinson's <span>disease</span></span> had diabetes mellitus and diabetes.",
        ["Parkinson ' s disease"],
    ),
    ("The patient with <span>Parkinson's disease had diabetes mellitus and <span>diabetes</span>.", ["diabetes"]),
    ("The patient with Parkinson's disease had diabetes mellitus and <span>diabetes</span>.", ["diabetes"]),
    ("The man with Parkinson's disease had diabetes mellitus and <span>diabetes</span>.", ["diabetes"]),
    (
        "<span>The patient with Parkinson ' s disease had diabetes mellitus and diabetes .</span>",
        ["The patient with Parkinson ' s disease had diabetes mellitus and diabetes ."],
    ),
    (
        "<p>The patient with <b>Parkinson's disease</b> had diabetes mellitus and diabetes.</p>",
        ["Parkinson ' s disease"],
    ),
    (
        "<html><body>The patient with <mark>Parkinson&#39;s disease</mark> had diabetes mellitus and diabetes.</body></html>",
        ["Parkinson ' s disease"],
    ),
    ('"The patient with <em>Parkinson\'s disease</em> had diabetes mellitus and diabetes."', ["Parkinson ' s disease"]),
    (
        '{"marked": "The patient with <span>Parkinson\'s disease</span> had diabetes mellitus and diabetes."}',
        ["Parkinson ' s disease"],
    ),
    (
        'The patient with <span class=\\"x\\">Parkinson\'s disease</span> had diabetes mellitus and diabetes.',
        ["Parkinson ' s disease"],
    ),
    (
        "**Marked:** The patient with <span>Parkinson's disease</span> had diabetes mellitus and diabetes.",
        ["Parkinson ' s disease"],
    ),
    (
        "The sentence with marks is: The patient with <span>Parkinson's disease</span> had diabetes mellitus and diabetes.\n\nNote that <span>patient</span> isn't a disease.",
        ["Parkinson ' s disease"],
    ),
    (
        "There are three diseases: <span>Parkinson's disease</span>, <span>diabetes mellitus</span> and <span>diabetes</span>.",
        ["Parkinson ' s disease", "diabetes mellitus", "diabetes"],
    ),
    ("The diseases are Parkinson's disease and diabetes.", None),
    ("No diseases are named.", []),
    ("The sentence contains no diseases.", []),
    ("Answer: none", []),
    ("Final answer: The patient with <span>Parkinson's disease</span> had", ["Parkinson ' s disease"]),
    ("The patient with <span>parkinsons disease</span> had diabetes mellitus and diabetes.", ["Parkinson ' s disease"]),
    (
        "The patient with <span>Parkinson's disease (PD)</span> had diabetes mellitus and diabetes.",
        ["Parkinson ' s disease"],
    ),
    (
        "The patient with <span>Parkinson's disease</span> had <span>diabetes mellitus</span> and <span>diabetes</spa",
        ["Parkinson ' s disease", "diabetes mellitus"],
    ),
    ("The patient with <span>Parkinson's disease</span> had <spa", ["Parkinson ' s disease"]),
    (
        "The patient with <SPAN CLASS='x'>Parkinson's disease</SPAN> had diabetes mellitus and diabetes.",
        ["Parkinson ' s disease"],
    ),
    (
        "The patient with <span>Parkinson's disease</span>had<span>diabetes mellitus</span>and diabetes.",
        ["Parkinson ' s disease", "diabetes mellitus"],
    ),
    ("the patient had <span>diabetes</span>", ["diabetes"]),
    (
        "The patient with <span>Parkinson ' s</span> <span>disease</span> had diabetes mellitus and diabetes .",
        ["Parkinson ' s", "disease"],
    ),
]


@pytest.mark.parametrize(("output", "found"), DISEASE_CASES)
def test_disease_outputs(output: str, found: list[str] | None) -> None:
    answer = DISEASE.parse(output, PATIENT)
    assert ([entity["text"] for entity in answer.value] if answer.ok else None) == found


@pytest.mark.parametrize("output", TAGGED)
def test_tagged_outputs(output: str) -> None:
    assert texts(output) == ["Zintol", "L - dopa"]


@pytest.mark.parametrize("output", NOT_MARKED)
def test_outputs_that_say_there_is_nothing(output: str) -> None:
    assert CHEMICAL.parse(output, SAMPLE) == tasks.Answer([], True)


@pytest.mark.parametrize("output", UNREADABLE)
def test_outputs_without_a_readable_answer(output: str) -> None:
    assert CHEMICAL.parse(output, SAMPLE) == tasks.Answer([], False)


def test_each_occurrence_of_a_repeated_entity_is_its_own() -> None:
    first, second = BARE.index("Zintol"), BARE.index("zintol")
    starts = {
        output: [entity["start"] for entity in CHEMICAL.parse(output, SAMPLE).value]
        for output in (
            marked("Zintol"),
            marked("zintol"),
            marked("zintol").replace("lowered", "reduced"),
            marked("Zintol", "zintol"),
            "<span>zintol</span>",
            "<span>zintol</span>; <span>Zintol</span>",
        )
    }
    assert list(starts.values()) == [[first], [second], [second], [first, second], [first], [first, second]]


def test_entities_side_by_side_stay_two() -> None:
    sample = inventories.sample(text="L - dopa zintol helped .")
    assert texts_of("<span>L - dopa</span> <span>zintol</span> helped .", sample) == ["L - dopa", "zintol"]
    assert texts_of("<span>L - dopa</span><span>zintol</span> helped .", sample) == ["L - dopa", "zintol"]
    assert texts_of("<span>L - dopa zintol</span> helped .", sample) == ["L - dopa zintol"]


def texts_of(output: str, sample: object) -> list[str]:
    return [entity["text"] for entity in CHEMICAL.parse(output, sample).value]  # type: ignore[arg-type]


def test_a_marked_stretch_with_a_slip_is_kept_and_another_word_is_not() -> None:
    assert texts(marked("Zintol").replace("<span>Zintol", "<span>Zintoll")) == ["Zintol"]
    assert texts(marked("Zintol", "tremor").replace("<span>tremor", "<span>aspirin")) == ["Zintol"]


def test_an_unclosed_tag_marks_nothing_and_leaves_later_tags_alone() -> None:
    assert texts(marked("Zintol", "L - dopa").replace("Zintol</span>", "Zintol<span>")) == ["L - dopa"]


def test_a_type_name_of_the_sentence_itself_stays() -> None:
    sample = inventories.sample(text="The chemical weapon VX was found .")
    assert texts_of("The <span>chemical weapon VX</span> was found .", sample) == ["chemical weapon VX"]


def test_escapes_of_the_sentence_itself_stay() -> None:
    sample = inventories.sample(text="At P &lt; 0 . 05 zintol helped .")
    for output in ("At P &lt; 0 . 05 <span>zintol</span> helped .", "At P < 0 . 05 <span>zintol</span> helped ."):
        assert CHEMICAL.parse(output, sample).value == [{"start": 11, "end": 17, "text": "zintol"}]


def test_a_comparison_with_b_is_no_tag() -> None:
    sample = inventories.sample(text="zintol < b > zintol < / b > helped .")
    assert texts_of("zintol < b > <span>zintol</span> < / b > helped .", sample) == ["zintol"]


@pytest.mark.parametrize(
    ("output", "found"),
    [
        (BOTH, ["Zintol", "L - dopa"]),
        (WRITTEN, []),
        (f"so\nFinal answer: {BOTH}", ["Zintol", "L - dopa"]),
        (BOTH.replace("span>", "b>"), None),
        (BOTH.replace("L - dopa", "L-dopa"), None),
        (BOTH.replace("lowered", "reduced"), None),
        (BOTH.replace("<span>L - dopa</span>", "<span>L - dopa"), None),
        (BOTH.replace("<span>Zintol</span>", "<span><span>Zintol</span></span>"), None),
        ("", None),
    ],
)
def test_strict_reading_accepts_the_sentence_with_spans(output: str, found: list[str] | None) -> None:
    answer = CHEMICAL.parse_strict(output, SAMPLE)
    assert answer.ok == (found is not None)
    assert [entity["text"] for entity in answer.value] == (found or [])


def test_counts_and_judgement_compare_spans_only() -> None:
    gold = [{"start": 0, "end": 6, "text": "Zintol"}, {"start": 9, "end": 12, "text": "x"}]
    told = [{"start": 0, "end": 6, "text": "zintol"}, {"start": 9, "end": 13, "text": "x"}]
    assert CHEMICAL.counts([told, [], told], [gold, [], []]).tolist() == [[[1, 1, 1]], [[0, 0, 0]], [[0, 2, 0]]]
    assert CHEMICAL.correct(told[:1], gold[:1])
    assert not CHEMICAL.correct(told, gold)


@pytest.mark.parametrize("entity", [{"start": 0, "end": 99, "text": ""}, {"start": 3, "end": 3, "text": ""}, "Zintol"])
def test_gold_outside_the_sentence_is_named(entity: object) -> None:
    assert "entity" in str(CHEMICAL.check_gold(inventories.sample([entity], text="zintol helped")))
