"""What outputs for several labels mean, case by case (conventions: quantbench.tasks.kinds.multi_label_classification)."""

from __future__ import annotations

import inventories
import pytest

from quantbench import tasks

HOC = tasks.get(inventories.multi_label(inventories.HOC))
LITCOVID = tasks.get(inventories.multi_label(inventories.LITCOVID))
TEXT = "Masks in trams and treatment at home. We counted masks on 40 tram lines."
SAMPLE = inventories.sample(text=TEXT)

DEATH, VESSELS, SPREAD, MUTATION = (
    "resisting cell death",
    "inducing angiogenesis",
    "activating invasion and metastasis",
    "genomic instability and mutation",
)
INFLAMMATION, GROWTH = "tumor promoting inflammation", "sustaining proliferative signaling"
HOC_CASES = [
    # lists
    ("resisting cell death", [DEATH]),
    ("resisting cell death; inducing angiogenesis", [DEATH, VESSELS]),
    ("inducing angiogenesis; resisting cell death.", [DEATH, VESSELS]),
    ("inducing angiogenesis, resisting cell death", [DEATH, VESSELS]),
    ("Resisting Cell Death and Inducing Angiogenesis", [DEATH, VESSELS]),
    ("activating invasion and metastasis and genomic instability and mutation", [SPREAD, MUTATION]),
    ("resisting cell death\ninducing angiogenesis", [DEATH, VESSELS]),
    ("- resisting cell death\n- inducing angiogenesis", [DEATH, VESSELS]),
    ("* Resisting cell death\n* Inducing angiogenesis", [DEATH, VESSELS]),
    ("1. **Resisting cell death**\n2. **Inducing angiogenesis**", [DEATH, VESSELS]),
    ("1) resisting cell death 2) inducing angiogenesis", [DEATH, VESSELS]),
    ("resisting_cell_death; inducing-angiogenesis", [DEATH, VESSELS]),
    ('["resisting cell death", "inducing angiogenesis"]', [DEATH, VESSELS]),
    ("['resisting cell death', 'inducing angiogenesis']", [DEATH, VESSELS]),
    ('```json\n["resisting cell death",\n "inducing angiogenesis",]\n```', [DEATH, VESSELS]),
    ('{"labels": ["resisting cell death", "inducing angiogenesis"]}', [DEATH, VESSELS]),
    ('["resisting cell death", "inducing angio', [DEATH]),
    ("Labels: resisting cell death; inducing angiogenesis", [DEATH, VESSELS]),
    ("The labels are: resisting cell death, inducing angiogenesis.", [DEATH, VESSELS]),
    ("resisting cell death | inducing angiogenesis", [DEATH, VESSELS]),
    # names not quite as in the inventory
    ("tumour-promoting inflammation", [INFLAMMATION]),
    ("sustaining proliferative signalling", [GROWTH]),
    ("genome instability and mutation; resisting cell death", [MUTATION, DEATH]),
    ("genomic instability & mutation", [MUTATION]),
    ("invasion and metastasis; angiogenesis", [SPREAD, VESSELS]),
    ("inducing angiogenesis; glowing in the dark", [VESSELS]),
    # values
    ('{"resisting cell death": 1, "inducing angiogenesis": 0}', [DEATH]),
    ('{"resisting cell death": true, "inducing angiogenesis": "yes", "cellular energetics": false}', [DEATH, VESSELS]),
    ('{"resisting cell death": "1", "inducing angiogenesis": 1.0, "cellular energetics": 0.0,}', [DEATH, VESSELS]),
    ("{'resisting cell death': True, 'inducing angiogenesis': False}", [DEATH]),
    ('{"labels": {"resisting cell death": 1, "inducing angiogenesis": 0}}', [DEATH]),
    ('{"resisting cell death": 1, "inducing angiogenesis": 1, "genomic instab', [DEATH, VESSELS]),
    ('{"resisting cell death": 1, "inducing angiogenesis":', [DEATH]),
    ('{"resisting cell death": 1, "glowing in the dark": 1}', [DEATH]),
    ("resisting cell death: 1\ninducing angiogenesis: 0\n", [DEATH]),
    ("- **Resisting cell death**: Yes\n- **Inducing angiogenesis**: No", [DEATH]),
    ("resisting cell death: yes, apoptosis is reduced\ninducing angiogenesis: no", [DEATH]),
    ("| label | value |\n| --- | --- |\n| resisting cell death | 1 |\n| inducing angiogenesis | 0 |", [DEATH]),
    ("[x] resisting cell death\n[ ] inducing angiogenesis", [DEATH]),
    ('{"resisting cell death": 2, "inducing angiogenesis": 1}', [VESSELS]),
    ('{"resisting cell death": 1}\n\n{"inducing angiogenesis": 1, "resisting cell death": 0}', [DEATH]),
    ('{"resisting cell death": 0, "inducing angiogenesis": 0}', []),
    # what comes after the first answer
    ("resisting cell death\n\nAbstract: Vessels grew.\nLabels: inducing angiogenesis", [DEATH]),
    ("resisting cell death\n\nExplanation: inducing angiogenesis is not reported.", [DEATH]),
    ("resisting cell death\n\nThe abstract says nothing about inducing angiogenesis.", [DEATH]),
    (
        "- resisting cell death: apoptosis falls, unlike inducing angiogenesis\n- cellular energetics",
        [DEATH, "cellular energetics"],
    ),
    (
        "1. Resisting cell death: apoptosis falls.\n\n2. Cellular energetics: glucose rises.",
        [DEATH, "cellular energetics"],
    ),
    (
        "1. **Resisting cell death**\n   Apoptosis falls.\n2. **Cellular energetics**\n   Glucose rises.",
        [DEATH, "cellular energetics"],
    ),
    ("Labels that apply:\n- resisting cell death\n\nLabels that do not apply:\n- inducing angiogenesis", [DEATH]),
    ("Not applicable:\n- inducing angiogenesis\n\nApplicable:\n- resisting cell death", [DEATH]),
    # prose and conclusions
    ("The abstract reports on resisting cell death.", [DEATH]),
    ("The abstract reports on resisting cell death, but not on inducing angiogenesis.", [DEATH]),
    ("This is about resisting cell death rather than inducing angiogenesis.", [DEATH]),
    ("Inducing angiogenesis is not covered. Resisting cell death is.", [DEATH]),
    ("Not only resisting cell death but also inducing angiogenesis is reported.", [DEATH, VESSELS]),
    ("It could be inducing angiogenesis. Final answer: resisting cell death", [DEATH]),
    (
        "Vessels: inducing angiogenesis?\n\n**Final answer:**\n- resisting cell death\n- cellular energetics",
        [DEATH, "cellular energetics"],
    ),
    ("inducing angiogenesis is unlikely here, as no vessels are studied. Therefore, resisting cell death.", [DEATH]),
    (
        "Final answer: resisting cell death; cellular energetics\n\nAbstract: x\nFinal answer: inducing angiogenesis",
        [DEATH, "cellular energetics"],
    ),
    ("<think>inducing angiogenesis?</think>resisting cell death", [DEATH]),
    # the empty answer
    ("none", []),
    ("None.", []),
    ("[]", []),
    ("{}", []),
    ("No labels apply.", []),
    ("None of the labels apply.", []),
    ("Final answer: none", []),
    (
        "The hallmarks reported on in this abstract are:\n\n* **Resisting cell death**: apoptosis...\n* **Cellular energetics**: glycolysis...",
        ["resisting cell death", "cellular energetics"],
    ),
    (
        "Based on the abstract, the following hallmarks apply:\n1. Resisting cell death - the drug\n2. Inducing angiogenesis - VEGF",
        ["resisting cell death", "inducing angiogenesis"],
    ),
    (
        "Resisting cell death; Sustaining proliferative signaling\n\nNote: The abstract also touches on cellular energetics.",
        ["sustaining proliferative signaling", "resisting cell death"],
    ),
    ("resisting cell death;inducing angiogenesis;", ["resisting cell death", "inducing angiogenesis"]),
    ("'resisting cell death'; 'inducing angiogenesis'", ["resisting cell death", "inducing angiogenesis"]),
    ("Answer: resisting cell death", ["resisting cell death"]),
    (
        "Hallmarks: Resisting cell death (apoptosis), Inducing angiogenesis (VEGF)",
        ["resisting cell death", "inducing angiogenesis"],
    ),
    ('{"hallmarks": ["resisting cell death"], "not": []}', ["resisting cell death"]),
    ('{"resisting cell death": "present", "inducing angiogenesis": "absent"}', [DEATH]),
    ('{"resisting_cell_death": 1, "inducing_angiogenesis": 0}', ["resisting cell death"]),
    (
        '{\n  "sustaining proliferative signaling": 0,\n  "resisting cell death": 1,\n  // comment\n  "cellular energetics": 1\n}\n\nThe abstract...',
        ["resisting cell death", "cellular energetics"],
    ),
    (
        'Here is the JSON:\n{"resisting cell death": 1}\nNote that inducing angiogenesis: 1 would be wrong.',
        ["resisting cell death"],
    ),
    ("resisting cell death: 1.\ninducing angiogenesis: 0.", ["resisting cell death"]),
    ("resisting cell death = yes, inducing angiogenesis = no", ["resisting cell death"]),
    ("resisting cell death - Yes\ninducing angiogenesis - No", ["resisting cell death"]),
    ("resisting cell death: TRUE\nInducing angiogenesis: FALSE", ["resisting cell death"]),
    ("Resisting cell death, because apoptosis was reduced.", ["resisting cell death"]),
    ("The label is resisting cell death. The label inducing angiogenesis does not apply.", ["resisting cell death"]),
    (
        "Step 1: sustaining proliferative signaling? no. Step 2: resisting cell death? yes.\nFinal answer: resisting cell death",
        ["resisting cell death"],
    ),
    (
        "Final answer: Resisting cell death and activating invasion and metastasis.",
        ["resisting cell death", "activating invasion and metastasis"],
    ),
    (
        "Final answer: The abstract reports on resisting cell death, and cellular energetics.",
        ["resisting cell death", "cellular energetics"],
    ),
    ("resisting cell death\nresisting cell death\nresisting cell death", ["resisting cell death"]),
    ("resisting cell death; resisting cell death; inducing angio", ["resisting cell death"]),
    ("None of the listed hallmarks", []),
    (
        "Avoiding immune destruction, Evading growth suppressors, Tumor-promoting inflammation",
        ["evading growth suppressors", "tumor promoting inflammation", "avoiding immune destruction"],
    ),
]
UNREADABLE = [
    "",
    "  \n",
    "I'm sorry, I can't help with that.",
    "The text is about trams.",
    "glowing in the dark",
    "inducing ang",
    "<think>resisting cell death",
]
LITCOVID_CASES = [
    ("Prevention", ["Prevention"]),
    ("prevention;diagnosis", ["Diagnosis", "Prevention"]),
    ("Case Reports", ["Case Report"]),
    ("Forecasting", ["Epidemic Forecasting"]),
    ("Treatment, Vaccination, Prevention", ["Treatment", "Prevention"]),
    ("The article covers **Prevention**, although a treatment is mentioned.", ["Prevention"]),
    ("Treatment: 1, Diagnosis: 0, Prevention: 1", ["Treatment", "Prevention"]),
    ("Treatment: 1 Diagnosis: 0 Prevention: 1", ["Treatment", "Prevention"]),
    ("Treatment=1; Diagnosis=0", ["Treatment"]),
    ("Treatment (yes), Diagnosis (no)", ["Treatment"]),
    (f"Article: {TEXT}\nLabels: Prevention", ["Prevention"]),
    (f"Prevention\n\nArticle: {TEXT}\nLabels: Treatment", ["Prevention"]),
    ("Treatment and Prevention", ["Treatment", "Prevention"]),
    ("This article covers the topics of Treatment and Prevention.", ["Treatment", "Prevention"]),
    ("Topics: Treatment, Mechanism\n\nThe article describes diagnosis only in passing.", ["Treatment", "Mechanism"]),
    ("Treatment: yes\nPrevention: no\nDiagnosis: maybe", ["Treatment"]),
    ('{"Treatment": 1, "Case Report": 0, "Epidemic Forecasting": "1"}', ["Treatment", "Epidemic Forecasting"]),
    ("**Treatment**: The article evaluates remdesivir.\n**Mechanism**: It explains how.", ["Treatment", "Mechanism"]),
    ("- Treatment\n- Prevention\n\nI did not choose Diagnosis because...", ["Treatment", "Prevention"]),
    ("The main topic of this article is Prevention.", ["Prevention"]),
    ("CaseReport", ["Case Report"]),
    ("Treatment\nPrevention\n\nArticle: foo\nLabels: Mechanism", ["Treatment", "Prevention"]),
    ("Treatment; ", ["Treatment"]),
    ("Labels:\nTreatment\nPrevention", ["Treatment", "Prevention"]),
    ("Labels:\n\nTreatment; Prevention", ["Treatment", "Prevention"]),
]


@pytest.mark.parametrize(("output", "labels"), HOC_CASES)
def test_hoc_outputs(output: str, labels: list[str]) -> None:
    assert HOC.parse(output, SAMPLE) == tasks.Answer([label for label in inventories.HOC if label in labels], True)


@pytest.mark.parametrize(("output", "labels"), LITCOVID_CASES)
def test_litcovid_outputs(output: str, labels: list[str]) -> None:
    assert LITCOVID.parse(output, SAMPLE) == tasks.Answer(labels, True)


@pytest.mark.parametrize("output", UNREADABLE)
def test_outputs_without_a_label_are_unreadable(output: str) -> None:
    assert HOC.parse(output, SAMPLE) == tasks.Answer([], False)


def test_an_echo_of_the_prompt_is_no_answer() -> None:
    described = {label: f"what {label} means" for label in inventories.LITCOVID}
    task = tasks.get(inventories.multi_label(described))
    prompt = "Which topics?\n\nLabels:\n" + "".join(f"- {label}: {text}\n" for label, text in described.items())
    prompt += f"\nAnswer with the names of all labels that apply, separated by semicolons.\n\nArticle: {TEXT}\nLabels:"
    assert task.parse(prompt, SAMPLE) == tasks.Answer([], False)
    assert task.parse(f"{prompt} Transmission", SAMPLE) == tasks.Answer(["Transmission"], True)


def test_all_labels_in_order_are_an_answer_not_an_echo() -> None:
    assert HOC.parse("; ".join(inventories.HOC), SAMPLE) == tasks.Answer(list(inventories.HOC), True)


@pytest.mark.parametrize(
    ("output", "answer"),
    [
        (
            "resisting cell death; cellular energetics",
            tasks.Answer(["resisting cell death", "cellular energetics"], True),
        ),
        ("none", tasks.Answer([], True)),
        ("because\nFinal answer: resisting cell death", tasks.Answer(["resisting cell death"], True)),
        ("Resisting cell death", tasks.Answer([], False)),
        ("resisting cell death.", tasks.Answer([], False)),
        ("resisting cell death; resisting cell death", tasks.Answer([], False)),
        ("- resisting cell death", tasks.Answer([], False)),
        ("", tasks.Answer([], False)),
    ],
)
def test_strict_reading_accepts_names_and_semicolons(output: str, answer: tasks.Answer) -> None:
    assert HOC.parse_strict(output, SAMPLE) == answer


def test_counts_have_one_row_a_label() -> None:
    counts = LITCOVID.counts([["Treatment", "Diagnosis"]], [["Diagnosis", "Prevention"]])
    assert counts.shape == (1, 7, 3)
    assert counts[0, :3].tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 1]]
    assert counts[0, 3:].sum() == 0


def test_vote_compares_whole_answers() -> None:
    outputs = ["Treatment", "Diagnosis; Treatment", "treatment, diagnosis", "?"]
    assert LITCOVID.vote([LITCOVID.parse(output, SAMPLE) for output in outputs]).value == ["Treatment", "Diagnosis"]


def test_gold_outside_the_inventory_is_named() -> None:
    assert "Masks" in str(LITCOVID.check_gold(inventories.sample(["Masks"], text="x")))
    assert LITCOVID.check_gold(inventories.sample(["Prevention"], text="x")) is None
