"""What outputs for a sentence's entities mean, case by case (conventions: quantbench.tasks.kinds.named_entity_recognition)."""

from __future__ import annotations

from functools import partial

import inventories
import pytest
from hang import ended

from quantbench import tasks
from quantbench.tasks.origin import Origin

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
    ("The patient with **Parkinson's disease** had diabetes mellitus and diabetes.", ["Parkinson ' s disease"]),
    (
        "The patient with <disease>Parkinson's disease</disease> had diabetes mellitus and diabetes.",
        ["Parkinson ' s disease"],
    ),
    ("The <drug>patient</drug> with Parkinson's disease had diabetes mellitus and diabetes.", []),
    (
        "The <person>patient</person> with <disorder>Parkinson's disease</disorder> had diabetes mellitus and diabetes.",
        ["Parkinson ' s disease"],
    ),
    ("The conditions are **Parkinson's disease** and **diabetes**.", None),
    ("Diseases: none", []),
    ("This sentence doesn't mention any medical conditions.", []),
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


# What opens and closes a mark of the kind asked for, whatever the form.
MARKS = [
    ("<chemical>", "</chemical>"),
    ("<Chemical>", "</Chemical>"),
    ("<CHEM>", "</CHEM>"),
    ("<drug>", "</drug>"),
    ("<compound>", "</compound>"),
    ("<chemical_name>", "</chemical_name>"),
    ("<B-Chemical>", "</B-Chemical>"),
    ('<entity type="chemical">', "</entity>"),
    ("<entity>", "</entity>"),
    ("<ent label='DRUG'>", "</ent>"),
    ('<mark class="entity chemical">', "</mark>"),
    ("<u>", "</u>"),
    ("<i>", "</i>"),
    ("<code>", "</code>"),
    ("<font color='red'>", "</font>"),
    ("<antihypertensive>", "</antihypertensive>"),
    ("<x1>", "</x1>"),
    ("< chemical >", "< / chemical >"),
    ("&lt;chemical&gt;", "&lt;/chemical&gt;"),
    ("\uff1cspan\uff1e", "\uff1c/span\uff1e"),
    ('<span class=\\"hit\\">', "<\\/span>"),
    ("[chemical]", "[/chemical]"),
    ("[", "](chemical)"),
    ("[", "](drug)"),
    ("[", "]"),
    ("[[", "]]"),
    ("**", "**"),
    ("** ", " **"),
    ("__", "__"),
    ("*", "*"),
    ("_", "_"),
    ("***", "***"),
    ("`", "`"),
    ("==", "=="),
    ("{", "}"),
    ("{{", "}}"),
    ("{chemical: ", "}"),
    ("\\textbf{", "}"),
    ("<<", ">>"),
    ("\u00ab", "\u00bb"),
    ("\u3010", "\u3011"),
    ("@@", "##"),
    ("<", ">"),
]


@pytest.mark.parametrize(("opens", "closes"), MARKS)
def test_any_mark_counts(opens: str, closes: str) -> None:
    output = BOTH.replace("<span>", opens).replace("</span>", closes)
    assert texts(output) == ["Zintol", "L - dopa"]
    assert texts(output.replace("L - dopa", "L-dopa").replace("lowered", "reduced")) == ["Zintol", "L - dopa"]
    assert not CHEMICAL.parse_strict(output, SAMPLE).ok


OTHERS = ["disease", "Disorder", "gene", "protein", "cell_type", "species", "symptom", "dose", "person", "procedure"]


@pytest.mark.parametrize("name", OTHERS)
def test_a_mark_of_another_kind_is_none(name: str) -> None:
    other = marked("L - dopa").replace("span>", f"{name}>")
    assert texts(other) == []
    assert texts(other.replace("Zintol", "<chemical>Zintol</chemical>")) == ["Zintol"]
    assert texts(other.replace(f"<{name}>", f'<entity type="{name}">').replace(f"</{name}>", "</entity>")) == []
    assert texts(other.replace(f"<{name}>", "[").replace(f"</{name}>", f"]({name})")) == []


def test_a_kind_nobody_listed_is_asked_for_by_its_own_name() -> None:
    reaction = tasks.get(inventories.entities("adverse drug reaction"))
    sample = inventories.sample(text="zintol caused a rash .")
    for name, found in (("adverse-drug-reaction", ["rash"]), ("reaction", ["rash"]), ("drug", [])):
        answer = reaction.parse(f"zintol caused a <{name}>rash</{name}> .", sample)
        assert [entity["text"] for entity in answer.value] == found


def test_any_kind_counts_where_entities_of_every_kind_are_asked_for() -> None:
    anything = tasks.get(inventories.entities("entity"))
    output = marked("Zintol").replace("span>", "drug>").replace("tremor", "<disease>tremor</disease>")
    assert [entity["text"] for entity in anything.parse(output, SAMPLE).value] == ["Zintol", "tremor"]


@pytest.mark.parametrize(
    "output",
    [
        BOTH.replace("tremor", "<i>tremor</i>"),
        BOTH.replace("tremor", "*tremor*"),
        BOTH.replace("tremor", "**tremor**"),
        BOTH.replace("span>", "chemical>").replace("tremor", "<purpose>tremor</purpose>"),
        BOTH.replace("mg", "m<sub>g</sub>"),
        f"**{BOTH}**",
        f"`{BOTH}`",
        f"<answer>{BOTH}</answer>",
        f"<b>{BOTH}</b>",
        f"**Marked sentence:** {BOTH}",
        f"**Marked sentence:**\n\n{BOTH}\n\n**Note:** **tremor** is no chemical.",
        f"## Marked sentence\n{BOTH}",
        BOTH.replace("<span>", "**<span>").replace("</span>", "</span>**"),
        BOTH.replace("L - dopa", "L-d\u00f3pa"),
        BOTH.replace("Zintol", "Zint\u00adol"),
        BOTH.replace("Zintol", "\uff3aintol"),
        BOTH.replace("<span>Zintol</span>", "Zi<span>ntol</span>"),
        BOTH.replace("<span>Zintol</span> (", "<span>Zintol (</span>").replace("(</span>", "</span>("),
    ],
)
def test_what_else_stands_around_or_within_marks(output: str) -> None:
    assert texts(output) == ["Zintol", "L - dopa"]


def test_what_stands_in_the_sentence_itself_is_no_markup() -> None:
    written = "* P < 0 . 01 versus [ 3H ] zintol , < b > and L - dopa ( p < 0 . 05 > ) ."
    sample = inventories.sample(text=written)
    assert texts_of(written, sample) == []
    assert texts_of(written.replace(" ", ""), sample) == []
    assert texts_of(written.replace("[ 3H ]", "[3H]").replace("< b >", "<b>"), sample) == []
    for opens, closes in (("<span>", "</span>"), ("<b>", "</b>"), ("**", "**"), ("[[", "]]"), ("__", "__")):
        assert texts_of(written.replace("zintol", f"{opens}zintol{closes}"), sample) == ["zintol"]
        if opens != "[[":
            both = written.replace("[ 3H ] zintol", f"{opens}[3H]zintol{closes}")
            assert texts_of(both, sample) == ["[ 3H ] zintol"]


def test_a_bullet_and_a_sign_of_significance_are_no_emphasis() -> None:
    sample = inventories.sample(text="zintol lowered tremor ( P < 0 . 05 ) .")
    assert texts_of("* zintol lowered tremor (P < 0.05*).", sample) == []
    assert texts_of("* zintol lowered *tremor* (P < 0.05*).", sample) == ["tremor"]
    assert texts_of("zintol_lowered_tremor ( P < 0 . 05 ) .", sample) == []


@pytest.mark.parametrize(
    ("written", "output", "found"),
    [
        ("beta - endorphin fell .", "<span>\u03b2-endorphin</span> fell.", ["beta - endorphin"]),
        ("\u03b2 - endorphin fell .", "<span>beta-endorphin</span> fell.", ["\u03b2 - endorphin"]),
        ("\u03b2 - endorphin fell .", "**\u03b2**-endorphin fell.", ["\u03b2"]),
        ("beta - endorphin fell .", "<span>&beta;-endorphin</span> fell.", ["beta - endorphin"]),
        ("beta - endorphin fell .", "<span>\U0001d6fd-endorphin</span> fell.", ["beta - endorphin"]),
        ("alpha - tocopherol in 5 \u00b5g", "<span>\u0391-tocopherol</span> in 5 \u03bcg", ["alpha - tocopherol"]),
        ("\u2206 9 - THC rose .", "<span>delta9-THC</span> rose.", ["\u2206 9 - THC"]),
        ("Sigma receptors and \u03c3 - ligands", "Sigma receptors and <b>sigma-ligands</b>", ["\u03c3 - ligands"]),
        ("fluoxetine helped .", "<span>\ufb02uoxetine</span> helped.", ["fluoxetine"]),
        ("\ufb02uoxetine helped .", "<span>fluoxetine</span> helped.", ["\ufb02uoxetine"]),
        ("3H - zintol bound .", "<span>\u00b3H-zintol</span> bound.", ["3H - zintol"]),
        ("Ca2 + rose .", "<span>Ca\u00b2\u207a</span> rose.", ["Ca2 +"]),
        ("na\u00efve rats got caf\u00e9ine .", "naive rats got <span>cafeine</span>.", ["caf\u00e9ine"]),
        ("nai\u0308ve rats got cafe\u0301 .", "naive rats got <span>cafe</span>.", ["cafe\u0301"]),
        ("At P &lt; 1 zintol &amp; dopa helped .", "At P < 1 <b>zintol &amp; dopa</b> helped.", ["zintol &amp; dopa"]),
        ("an aspirin - induced rash", "an <span>aspirin</span>-induced rash", ["aspirin"]),
        ("an aspirin - induced rash", "an asp<span>irin</span>-induced rash", ["aspirin"]),
        ("an aspirin - induced rash", "an aspir<span>in</span>-induced rash", []),
        ("an aspirin - induced rash", "an <span>aspirin-i</span>nduced rash", ["aspirin -"]),
        ("the opioids helped", "the <span>opioid</span>s helped", ["opioids"]),
        ("the opioids hurt", "the <span>opio</span><span>ids</span> hurt", ["opioids"]),
    ],
)
def test_letters_written_otherwise_and_borders_of_tokens(written: str, output: str, found: list[str]) -> None:
    answer = CHEMICAL.parse(output, inventories.sample(text=written))
    assert answer.ok
    assert [entity["text"] for entity in answer.value] == found
    for entity in answer.value:
        assert "".join(written.split())[entity["start"] : entity["end"]] == "".join(entity["text"].split())


def test_without_tokens_a_mark_ends_where_it_ends() -> None:
    records = inventories.entry(
        "named_entity_recognition", "records", "entity_f1", entity_type="chemical", title="own dataset"
    )
    task, sample = tasks.get(records), inventories.sample(text="An aspirin-induced, 5-HT2A-mediated rash.")
    output = "An <span>aspirin</span>-induced, <span>5-HT</span>2A-mediated rash."
    assert [entity["text"] for entity in task.parse(output, sample).value] == ["aspirin", "5-HT"]
    listed = task.parse("<span>aspirin</span>, <span>5-HT</span>", sample)
    assert [entity["text"] for entity in listed.value] == ["aspirin"]


CUT = Origin(cut=True)
SHORT, LONG = BOTH.index(" mg"), BOTH.index(" tremor")


@pytest.mark.parametrize(
    ("output", "found"),
    [
        (BOTH[:SHORT], None),
        (BOTH[:LONG], ["Zintol", "L - dopa"]),
        (BOTH[:LONG].replace("lowered", "reduced"), ["Zintol", "L - dopa"]),
        (BOTH[:LONG].replace("<span>", "**").replace("</span>", "**"), ["Zintol", "L - dopa"]),
        (BOTH[: BOTH.index("zintol") + 2].replace("more", "<span>more"), ["Zintol", "L - dopa"]),
        (f"{BOTH}\n\nI marked Zintol and L-do", ["Zintol", "L - dopa"]),
        (f"Final answer: {BOTH[:SHORT]}", None),
        (f"Final answer: {BOTH[:LONG]}", ["Zintol", "L - dopa"]),
        (f"{WRITTEN}\n\n{BOTH[:SHORT]}", None),
        (f"{WRITTEN}\nMarked: <span>Zint", None),
        (f"Sentence: {WRITTEN}\nMarked: Zintol ( 0", None),
        (f"Sentence: {WRITTEN}", None),
        (f"Okay, so the sentence is: {WRITTEN} We need", None),
        (f"Okay, so the sentence is:\n{WRITTEN}\nWe need", None),
        (f"Okay, so the sentence is:\n{WRITTEN}", None),
        (WRITTEN[: WRITTEN.index(" mg")], None),
        (WRITTEN[: WRITTEN.index(" alone")], []),
        (WRITTEN, []),
        ("<span>Zintol</span>, <span>L - do", None),
        ("<span>Zintol</span>, <span>L - dopa</span>\n\nBoth are chem", ["Zintol", "L - dopa"]),
        ("<think>The sentence is: " + BOTH, None),
        ("## Thinking\n\nOkay, the sentence is: " + BOTH + " We", None),
        ("", None),
    ],
)
def test_outputs_cut_at_the_token_limit(output: str, found: list[str] | None) -> None:
    answer = CHEMICAL.parse(output, SAMPLE, CUT)
    assert ([entity["text"] for entity in answer.value] if answer.ok else None) == found


@pytest.mark.parametrize(
    "output",
    [
        f"Okay, so the sentence is: {WRITTEN} We need to mark the chemicals.",
        f"Okay, so the sentence is:\n{WRITTEN}\nWe need to mark the chemicals.",
        f"Let me repeat it. {WRITTEN} It names Zintol.",
        f"The task says to mark chemicals.\nSentence: {WRITTEN}\nThe first word is Zintol.",
        WRITTEN[: WRITTEN.index(" mg")],
    ],
)
def test_a_sentence_merely_repeated_is_no_answer(output: str) -> None:
    assert CHEMICAL.parse(output, SAMPLE) == tasks.Answer([], False)


@pytest.mark.parametrize(
    "output",
    [
        f"**Marked sentence:** {WRITTEN}",
        f"**Marked sentence:**\n\n{WRITTEN}\n\nNo chemicals are named.",
        f"## Marked Sentence\n\n{WRITTEN}\n\nNothing to mark.",
        f"Here is the sentence with the chemicals marked:\n\n{WRITTEN}\n\nIt names none.",
        f"Sure! Here's the sentence: {WRITTEN}",
        f"There is nothing to mark, so the sentence stays unchanged:\n{WRITTEN}\nThat is all.",
        f"The sentence names no chemical.\n\n{WRITTEN}",
        f'{{"marked": "{WRITTEN}"}}',
        f"Sentence: {WRITTEN}",
        f"Sentence: {WRITTEN}\nMarked: {WRITTEN}",
        f"{WRITTEN}\n\nExplanation: <b>tremor</b> is no chemical.",
        f"**{WRITTEN}**",
        "Chemicals: none",
        "The sentence does not mention any chemicals.",
        "No drugs are mentioned.",
        "Nothing to mark.",
    ],
)
def test_a_copy_where_an_answer_stands_says_that_there_are_none(output: str) -> None:
    assert CHEMICAL.parse(output, SAMPLE) == tasks.Answer([], True)


def test_a_marked_copy_beats_one_without_marks() -> None:
    assert texts(f"{WRITTEN}\n\n{BOTH}") == ["Zintol", "L - dopa"]


def test_a_chain_of_thought_answers_last() -> None:
    reasoned = Origin(reasoned=True)
    output = f"{marked('tremor')}\nNo, tremor is no chemical.\n{BOTH}"
    assert [entity["text"] for entity in CHEMICAL.parse(output, SAMPLE, reasoned).value] == ["Zintol", "L - dopa"]
    assert texts(output) == ["tremor"]
    assert not CHEMICAL.parse(f"{WRITTEN}\nThe first word may be a chemical.", SAMPLE, reasoned).ok
    assert CHEMICAL.parse(f"I see none.\nFinal answer: {WRITTEN}\nThat is it.", SAMPLE, reasoned).ok


def test_lists_without_tags_name_nothing() -> None:
    for output in (
        "Chemicals: Zintol, L - dopa",
        "- **Zintol**\n- **L - dopa**",
        "The chemicals are `Zintol` and `L - dopa`.",
        '{"chemicals": ["Zintol", "L - dopa"]}',
        '[{"text": "Zintol", "type": "chemical"}]',
        "I put names between <span> and </span>.",
    ):
        assert CHEMICAL.parse(output, SAMPLE) == tasks.Answer([], False)
    assert texts("<chemical>Zintol</chemical> and <chemical>L-dopa</chemical>; <disease>tremor</disease>") == [
        "Zintol",
        "L - dopa",
    ]


def test_a_sentence_that_speaks_of_a_final_answer_or_of_a_result() -> None:
    sample = inventories.sample(text="Result: zintol was the final choice: it beat dopa.")
    output = "Result: <span>zintol</span> was the final choice: it beat <span>dopa.</span>"
    assert texts_of(output, sample) == ["zintol", "dopa."]
    assert texts_of(f"Final answer: {output}", sample) == ["zintol", "dopa."]


LONG_PIECES = [
    " ", "\n", "\t", "x", "\x00", "\x1b\x07", "\u2028", "\u0301", "\u03b2", "\ufdfa", "\ufb01", "\U0001f600", "<", "< ", "</", "<b", "<span>",
    "</span>", "<span></span>", "<span>a</span> ", "<a>", "</a>", "<x y=", "&lt;", "&lt;b&gt;", "&beta;", "**", "** ", "*", "* ", "*a* ", "_",
    "__a__ ", "`", "` ", "==", "[", "[ ", "]", "[a]", "[[", "[a](drug)", "[b]", "[/b]", "chemical: ", "<span>chemical: ", "Marked: ",
    "Marked:\n", "Sentence: a\n", "a\n", "- <span>a</span>\n", "Final answer: ", "Here is the sentence: ", "none ", "between <span> and </span> ",
    "<think>", "</think>", "## Thinking\n", "Zintol ", "Zintol\n", "Zintol ( 0\n", "<span>Zintol\n", f"{WRITTEN}\n", f"{WRITTEN} ", f"{BOTH}\n",
    f"Marked: {BOTH}\n", f"Sentence: {WRITTEN}\n",
]  # fmt: skip


@pytest.mark.parametrize("piece", LONG_PIECES)
@pytest.mark.parametrize("before", ["", "<b>", f"{WRITTEN}\n"])
def test_a_hundred_thousand_characters_of_anything_are_read(piece: str, before: str) -> None:
    output = (before + piece * (100_000 // len(piece) + 1))[:100_000]
    for origin in (Origin(), CUT, Origin(reasoned=True)):
        ended(partial(CHEMICAL.read, output, SAMPLE, origin))


def test_of_a_text_without_end_the_beginning_and_the_end_are_read() -> None:
    prose = "The patients were seen again after a while. " * 3000
    assert texts(f"{BOTH}\n{prose}") == ["Zintol", "L - dopa"]
    assert texts(f"{prose}\n{BOTH}") == ["Zintol", "L - dopa"]
    long = inventories.sample(text=" ".join(f"word{number}" for number in range(5000)))
    output = str(long.inputs["text"]).replace("word4321", "<span>word4321</span>")
    assert texts_of(output, long) == ["word4321"]


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


@pytest.mark.parametrize(
    "output",
    [
        "Zintol (5 mg/kg) and havodrin reversed Huntington's chorea less than havorin combined (P = 0.3).",
        "<span>Havodrin</span> ( 0 . 05 mg / kg ) and R - mova lowered Parkinson ' s tremor more than others alone ( P < 0 . 05 ) .",
        BOTH.replace("<span>L - dopa</span>", "L - dopa {chemical}").replace(
            "<span>Zintol</span>", "Zintol {chemical}"
        ),
        WRITTEN.replace("L - dopa", "L - dopa (chemical)"),
    ],
)
def test_another_sentence_and_marks_of_nobody_knows_what_are_unreadable(output: str) -> None:
    assert not CHEMICAL.parse(output, SAMPLE).ok


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (WRITTEN.replace("Zintol", "|Zintol|").replace("L - dopa", "|L - dopa|"), ["Zintol", "L - dopa"]),
        (WRITTEN.replace("Zintol", "Zintol {chemical}"), ["Zintol"]),
        (WRITTEN.replace("than zintol", "than zintol (drug)"), ["zintol"]),
        (WRITTEN.replace("Zintol", "Zintol (hormone)"), []),
        (f"| {WRITTEN} |", []),
        (WRITTEN.replace("tremor", "shaking"), []),
    ],
)
def test_bars_mark_and_so_does_the_kind_behind_a_word(output: str, expected: list[str]) -> None:
    assert texts(output) == expected
