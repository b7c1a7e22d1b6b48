"""What outputs for several labels mean, case by case (conventions: quantbench.tasks.kinds.multi_label_classification)."""

from __future__ import annotations

from functools import partial

import inventories
import pytest
from hang import ended

from quantbench import tasks
from quantbench.tasks.origin import UNKNOWN, Origin

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
    "Title: Resisting cell death in trams\n\nLabels:",
    "",
    "  \n",
    "I'm sorry, I can't help with that.",
    "The text is about trams.",
    "glowing in the dark",
    "inducing ang",
    "<think>resisting cell death",
]
LITCOVID_CASES = [
    ("Treatment; Prevention\n\nCorrection: Treatment; Case Report", ["Treatment", "Case Report"]),
    ("Treatment\n~~Prevention~~\nCase Report", ["Treatment", "Case Report"]),
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


# What follows names labels of LitCovid in one string, as the prompt asks for them; "" is the empty answer, None no answer.
DENIED = [
    ("- Treatment: The article does not report on drugs.\n- Prevention: Masks were worn.", "Prevention"),
    ("- Treatment: There is no mention of drugs.\n- Prevention: Masks were worn.", "Prevention"),
    ("Treatment - not applicable\nPrevention - masks were worn", "Prevention"),
    ("Treatment: no evidence\nPrevention: clear evidence", "Prevention"),
    ("Treatment (not discussed)\nPrevention (masks)", "Prevention"),
    ("Treatment: unlikely\nPrevention: likely", "Prevention"),
    ("\u274c Treatment\n\u2705 Prevention", "Prevention"),
    ("Treatment \u274c\nPrevention \u2714\ufe0f", "Prevention"),
    ("Treatment: N/A\nPrevention: masks", "Prevention"),
    ("Treatment: Irrelevant.\nPrevention: Relevant.", "Prevention"),
    ("Treatment: not enough information\nPrevention: masks", "Prevention"),
    ("Treatment: I don't see this in the article.\nPrevention: masks", "Prevention"),
    ("Treatment: cannot be determined from the text\nPrevention: masks", "Prevention"),
    ("**Treatment:** There's no information on this.\n\n**Prevention:** Masks were worn.", "Prevention"),
    ("Treatment: lacks any mention of drugs\nPrevention: masks", "Prevention"),
    ("- Treatment is covered.\n- Prevention is not covered.", "Treatment"),
    ("- Treatment: This label refers to drugs. The article does not mention any.\n- Prevention: masks", "Prevention"),
    ("- Treatment: Drugs are named, so this label does not apply.\n- Prevention: masks", "Prevention"),
    ("Treatment: maybe\nPrevention: possibly\nDiagnosis: present", "Diagnosis"),
    ("Treatment: High\nPrevention: Low\nDiagnosis: None", "Treatment"),
    # a negation about something else
    ("Treatment: The authors did not find a benefit of remdesivir.\nPrevention: masks", "Treatment; Prevention"),
    ("Treatment: No benefit was seen.\nPrevention: masks", "Treatment; Prevention"),
    ("Treatment: Remdesivir fell. It did not change in controls.\nPrevention: masks", "Treatment; Prevention"),
    ("Treatment: drugs, although the article does not report on doses\nPrevention: masks", "Treatment; Prevention"),
    ("Treatment: Although doses are not mentioned, drugs are.\nPrevention: masks", "Treatment; Prevention"),
    ("Treatment: It is not directly mentioned, but remdesivir was given.\nPrevention: masks", "Treatment; Prevention"),
    ("- Treatment\n- Prevention\n\nThe article does not mention Diagnosis.", "Treatment; Prevention"),
    ("- Treatment\n- Prevention\n\nThe article does not mention any other labels.", "Treatment; Prevention"),
    ("Case Report: 2 patients were described.\nTreatment: 1 drug was given.", "Treatment; Case Report"),
]
OVER_LINES = [
    ("### Treatment\nRemdesivir is tested.\n\n### Prevention\nMasks are worn.", "Treatment; Prevention"),
    ("## Treatment\n\nRemdesivir is tested.\n\n## Prevention\n\nThe article does not discuss masks.", "Treatment"),
    ("The article covers the following topics:\n\n**Treatment**\n\n**Prevention**", "Treatment; Prevention"),
    ("**Treatment**\nRemdesivir is tested.\n\n**Prevention**\nMasks are worn.", "Treatment; Prevention"),
    ("Treatment\nRemdesivir is tested.\n\nPrevention\nMasks are worn.", "Treatment; Prevention"),
    (
        "Treatment. Remdesivir is tested in a trial of 40.\n\nPrevention. Masks are worn in 40 trams.",
        "Treatment; Prevention",
    ),
    (
        "Treatment: Remdesivir is tested.\n\nPrevention: Masks are worn.\n\nOther topics are not covered.",
        "Treatment; Prevention",
    ),
    ("The topics are:\n\n1. Treatment\n\n2. Prevention\n\n3. Diagnosis", "Treatment; Diagnosis; Prevention"),
    (
        "- Treatment\n  - Remdesivir is tested\n- Prevention\n  - Masks are worn\n- Diagnosis\n  - Not mentioned",
        "Treatment; Prevention",
    ),
    (
        "1. Treatment:\n   - Remdesivir was tested.\n   - It did not help.\n2. Diagnosis:\n   - PCR was used.",
        "Treatment; Diagnosis",
    ),
    ("Label: Treatment\nReason: remdesivir\n\nLabel: Prevention\nReason: masks", "Treatment; Prevention"),
    ("Topic 1: Treatment\n\nTopic 2: Prevention", "Treatment; Prevention"),
    ("Topic 1: Treatment\nTopic 2: Prevention\nTopic 3: none", "Treatment; Prevention"),
    ("Treatment:\nYes\nPrevention:\nNo", "Treatment"),
    ("Topic: Treatment\nVerdict: Present\n\nTopic: Prevention\nVerdict: Not present", "Treatment"),
    ("| Label | Reason |\n|---|---|\n| Treatment | remdesivir |\n| Prevention | masks |", "Treatment; Prevention"),
    (
        "| Label | Applies? |\n|:--|:-:|\n| Treatment | Yes |\n| Prevention | No |\n| Diagnosis | \u2713 |",
        "Treatment; Diagnosis",
    ),
    (
        "| # | Label | Applies | Why |\n|---|---|---|---|\n| 1 | Treatment | Yes | drugs |\n| 2 | Prevention | No | - |",
        "Treatment",
    ),
    (
        "| Label | Reason |\n|---|---|\n| Treatment | remdesivir |\n| Prevention | Not mentioned in the article |",
        "Treatment",
    ),
    ("Treatment\n---\nPrevention", "Treatment; Prevention"),
    ("Primary topics:\n- Treatment\n\nSecondary topics:\n- Prevention", "Treatment; Prevention"),
    # where a list ends
    ("Treatment; Prevention\n\nTreatment; Diagnosis", "Treatment; Prevention"),
    ("Treatment; Prevention\n\nOther labels considered:\n- Diagnosis\n- Mechanism", "Treatment; Prevention"),
    ("- Treatment\n\nLabels considered but rejected:\n- Diagnosis", "Treatment"),
    ("- Treatment\n\n### Labels not covered\n- Diagnosis", "Treatment"),
    ("Labels: Treatment\nNot applicable: Diagnosis; Mechanism", "Treatment"),
    ("Applies: Treatment\nDoes not apply: Diagnosis, Mechanism", "Treatment"),
    ("- Treatment\n- Prevention\n\nExplanation:\n- Diagnosis: PCR is named as background", "Treatment; Prevention"),
    ("Treatment\nPrevention\n\nHere's why:\n- Mechanism: only touched on", "Treatment; Prevention"),
    ("Treatment, Prevention. The article is on masks, not on diagnosis.", "Treatment; Prevention"),
    ("The labels are: Treatment; Prevention. The following are not: Diagnosis; Mechanism.", "Treatment; Prevention"),
]
SCORED = [
    ("Treatment: 0.9\nPrevention: 0.1\nDiagnosis: 0.5\nMechanism: 0.49", "Treatment; Diagnosis"),
    ("Treatment: 90%\nPrevention: 10 %", "Treatment"),
    ("Treatment (0.9)\nPrevention (0.2)", "Treatment"),
    ("Treatment (score: 0.9), Prevention (score: 0.2)", "Treatment"),
    ("Treatment (confidence 95%); Prevention (confidence 20%)", "Treatment"),
    ("Treatment: 4/5\nPrevention: 1/5", "Treatment"),
    ('{"Treatment": 0.93, "Prevention": 0.07, "Diagnosis": 2}', "Treatment"),
    ('{"Treatment": "applies", "Prevention": "relevant", "Diagnosis": "absent"}', "Treatment; Prevention"),
    ("Treatment: \u2713\nPrevention: \u2717", "Treatment"),
    ("Treatment -> yes\nPrevention \u2192 does not apply", "Treatment"),
    ("Treatment? Yes\nPrevention? No", "Treatment"),
    ("Treatment [yes], Prevention [no]", "Treatment"),
    ("Treatment: Yes. Prevention: No. Diagnosis: Yes.", "Treatment; Diagnosis"),
    ("\u2611 Treatment\n\u2610 Prevention", "Treatment"),
    ("Treatment: 1\n\nPrevention: 0\n\nDiagnosis: 1", "Treatment; Diagnosis"),
    ("Case Report: no\nTreatment: no", ""),
]
JSON = [
    ('Drugs come first.\n\n```json\n{"labels": ["Treatment"]}\n```\nPrevention is not covered.', "Treatment"),
    (
        '{"topics": [{"label": "Treatment", "reason": "drugs"}, {"label": "Prevention", "reason": "masks"}]}',
        "Treatment; Prevention",
    ),
    ('[{"label": "Treatment", "applies": true}, {"label": "Prevention", "applies": false}]', "Treatment"),
    (
        '[{"rank": 2, "topic": "Treatment", "confidence": 0.9}, {"rank": 1, "topic": "Prevention", "confidence": 0.3}]',
        "Treatment",
    ),
    ("{'labels': ['Treatment', 'Prevention',],}", "Treatment; Prevention"),
    ('{"result": {"topics": ["Treatment"]}}', "Treatment"),
    ('{"reasoning": "It also mentions Diagnosis.", "labels": ["Treatment"]}', "Treatment"),
    ('{"labels": "Treatment; Prevention"}', "Treatment; Prevention"),
    ('{"applicable": ["Treatment"], "not_applicable": ["Diagnosis", "Prevention"]}', "Treatment"),
    ('{"Treatment": {"present": true, "why": "drugs"}, "Prevention": {"present": false, "why": ""}}', "Treatment"),
    ('{"Treatment": "Remdesivir is tested.", "Prevention": "The article does not mention masks."}', "Treatment"),
    ('{"Treatment": ["remdesivir"], "Prevention": []}', "Treatment"),
    ('[["Treatment", 0.9], ["Prevention", 0.2]]', "Treatment"),
    ('{"label": "Treatment", "reason": "it says that "standard care" failed"}', "Treatment"),
    ("{\n  Treatment: true,\n  Prevention: false\n}", "Treatment"),
    ("[Treatment, Prevention]", "Treatment; Prevention"),
    ('labels = ["Treatment", "Prevention"]\nprint(labels)', "Treatment; Prevention"),
    ('{"labels": ["Treatment"]}\n\n{"labels": ["Prevention"]}', "Treatment"),
    ('{"predictions": [{"label": "Treatment"}, {"label": "Prevention"}', "Treatment; Prevention"),
    ("labels:\n  - Treatment\n  - Prevention", "Treatment; Prevention"),
    ('Here it is:\n{"labels": []}', ""),
    ('{"labels": "none"}', ""),
    ('{"labels": null}', ""),
    ("See [12] and {x}.", None),
]
WALK = [
    "1. **Treatment**: Remdesivir is tested. Present.", "2. **Diagnosis**: PCR was used on all. Not present as a topic.",
    "3. **Prevention**: Nothing on masks. Absent.", "4. **Mechanism**: No mention of viral biology.",
    "5. **Transmission**: Spread in households is measured. This label applies.", "6. **Epidemic Forecasting**: Not addressed.",
    "7. **Case Report**: No.",
]  # fmt: skip
DESCRIBED = (
    "Treatment: what is done against the disease.\nDiagnosis: how it is found.\nPrevention: how it is kept away.\n"
    "Mechanism: how the virus works.\nTransmission: how people catch it.\nEpidemic Forecasting: models of the future.\n"
    "Case Report: what single patients had."
)
WALKS = [
    ("\n".join(WALK), "Treatment; Transmission"),
    ("\n\n".join(WALK), "Treatment; Transmission"),
    ("Let's go through the labels.\n\n" + "\n".join(WALK), "Treatment; Transmission"),
    ("\n".join(WALK) + "\n\nThe labels that apply are: Treatment; Prevention.", "Treatment; Prevention"),
    (DESCRIBED, None),
    (DESCRIBED + "\n\nTherefore, the labels are Treatment and Prevention.", "Treatment; Prevention"),
    (
        DESCRIBED.replace("how it is found", "not mentioned"),
        "; ".join(x for x in inventories.LITCOVID if x != "Diagnosis"),
    ),
    ("; ".join(inventories.LITCOVID), "; ".join(inventories.LITCOVID)),
    ("\n".join(f"- {x} - {'Yes' if x == 'Mechanism' else 'No'}" for x in inventories.LITCOVID), "Mechanism"),
]
PROSE = [
    ("The article could be about Treatment, but it is about Prevention.", "Prevention"),
    ("It is unclear whether the article covers Treatment. It covers Prevention.", "Prevention"),
    ("This might be Treatment or possibly Prevention.", None),
    ("Is Treatment covered? No. Is Prevention covered? Yes.", "Prevention"),
    ("Which of these labels apply: Treatment, Diagnosis, Prevention?", None),
    ("Treatment?", None),
    ("The article is mainly about Treatment. Prevention, Mechanism and Diagnosis are not addressed.", "Treatment"),
    ("The article does not cover Treatment, Diagnosis or Prevention.", None),
    ("It isn't about Treatment; it's about Prevention.", "Prevention"),
    ("Neither Treatment nor Prevention applies; the article is on Diagnosis.", "Diagnosis"),
    ("Treatment of patients with remdesivir is evaluated. Prevention is not the focus.", "Treatment"),
    ("It tests drugs (Treatment) and masks (Prevention), but does not cover Diagnosis.", "Treatment; Prevention"),
    ("Treatment, since Prevention is not covered", "Treatment"),
    ("- Treatment: drugs.\n- Prevention: masks.\n\nOverall, diagnosis remains difficult.", "Treatment; Prevention"),
    ("- Treatment: drugs.\n- Prevention: masks.\n\nThe label that applies is: Prevention.", "Prevention"),
    ("The article covers Treatment and Prevention.\n\n- Diagnosis: not mentioned", "Treatment; Prevention"),
    ("- Diagnosis: not mentioned\n- Mechanism: not mentioned\n\nIt covers Treatment.", "Treatment"),
    ("- Diagnosis: not mentioned\n- Mechanism: not mentioned\n\nIt does not cover Treatment.", ""),
    ("The article does not report on any of the listed topics.", ""),
    ("This article doesn't cover any of these topics; it is about trams.", ""),
    ("Based on the article, none of the labels apply.", ""),
    ("There is no topic covered by this article.", ""),
    ("None of these topics except Prevention apply.", "Prevention"),
]
STYLES = [
    ("As it does not touch on drugs, the article has these topics: Prevention; Diagnosis", "Diagnosis; Prevention"),
    ("**Labels:** Treatment; Prevention", "Treatment; Prevention"),
    ("**Answer:**\n\nTreatment; Prevention\n\n**Explanation:** Diagnosis is not covered.", "Treatment; Prevention"),
    ("## Final Response\n\nThe labels that apply are **Treatment** and **Prevention**.", "Treatment; Prevention"),
    ("<think>\nDiagnosis?\n</think>\n\nTreatment; Prevention", "Treatment; Prevention"),
    ("I think the labels are Treatment; Prevention", "Treatment; Prevention"),
    ("Sure! Treatment; Prevention", "Treatment; Prevention"),
    ("(1) Treatment (2) Prevention", "Treatment; Prevention"),
    ("a) Treatment\nb) Prevention", "Treatment; Prevention"),
    ("[Treatment] [Prevention]", "Treatment; Prevention"),
    ("Treatment / Prevention", "Treatment; Prevention"),
    ("#Treatment #Prevention", "Treatment; Prevention"),
    ("\U0001f449 Treatment\n\U0001f449 Prevention", "Treatment; Prevention"),
    ("\\boxed{Treatment; Prevention}", "Treatment; Prevention"),
    ("<labels>\n<label>Treatment</label>\n<label>Prevention</label>\n</labels>", "Treatment; Prevention"),
    ("Labels (2): Prevention & Treatment", "Treatment; Prevention"),
    ("Prevention; Public Health; Treatment etc.", "Treatment; Prevention"),
    ("Drugs -> Treatment\nMasks -> Prevention", "Treatment; Prevention"),
    ("Epidemic forecast; Case reports; Transmision", "Transmission; Epidemic Forecasting; Case Report"),
]
CUT = [
    # mere labels and values: what was complete
    ("Treatment; Prevention; Diagn", "Treatment; Prevention"),
    ("Treatment; Prevention; Diagnosis", "Treatment; Diagnosis; Prevention"),
    ("- Treatment\n- Prevention\n- Case Rep", "Treatment; Prevention"),
    ("The topics are:\n\n1. **Treatment**\n2. **Prevention**\n3. **Diag", "Treatment; Prevention"),
    ("Treatment: yes\nDiagnosis: no\nPrevention: yes\nMecha", "Treatment; Prevention"),
    ("Treatment: 1\nDiagnosis: 0\nPrevention:", "Treatment"),
    ("| Label | Applies |\n|---|---|\n| Treatment | Yes |\n| Preven", "Treatment"),
    ('["Treatment", "Prevention", "Diag', "Treatment; Prevention"),
    ('{"Treatment": true, "Diagnosis": false, "Prevention": tr', "Treatment"),
    ("None of the labels apply because the", ""),
    # the list is complete, what explains it is not
    ("Treatment; Prevention\n\nThe article reports on a trial of", "Treatment; Prevention"),
    ("Treatment\n\nThe article reports on a trial of", "Treatment"),
    ("Treatment\nExplanation: The article reports on a trial of", "Treatment"),
    ("Labels: Treatment; Prevention\nThe article reports", "Treatment; Prevention"),
    ("- Treatment: Remdesivir is tested.\n- Prevention: Masks are worn.\n\nThese labels apply because", "Treatment; Prevention"),
    # prose and lists with reasons
    ("The article reports on a trial, so Treatment applies. It also covers", None),
    ("- Treatment: a trial of remdesivir is reported.\n- Prevention: masks are", None),
    ("\n".join(WALK[:3]) + "\n4. Mecha", None),
    ("### Treatment\nRemdesivir is tested.\n\n### Preven", None),
    ('[{"label": "Treatment", "reason": "drugs"}, {"label": "Prevention", "reason": "mas', None),
    ("Diagn", None),
    # a final answer before the cut
    ("Masks and drugs.\n\nFinal answer: Treatment; Prevention\n\nThe article", "Treatment; Prevention"),
    ("Final answer: Treatment; Prevention; Case Rep", "Treatment; Prevention"),
    ("Final answer: The article covers Prevention and", None),
]  # fmt: skip
REASONED = [
    ("1. Treatment: drugs are named in passing.\n2. Prevention: masks are tested.\n\nTherefore, the article covers Prevention.", "Prevention"),
    ("Masks are worn, so Prevention applies. Treatment could apply too.\n\n**Final answer:**\n\n- Prevention\n- Transmission", "Prevention; Transmission"),
    ("Final answer: Prevention. Treatment is not covered.", "Prevention"),
    ('Final answer: {"labels": ["Prevention"]}', "Prevention"),
    ("Final answer: The article covers Prevention.\n\nReasons:\n- Treatment: only background", "Prevention"),
    ("Final answer: The labels that apply are:\n\n1. Prevention\n\n2. Transmission", "Prevention; Transmission"),
    ("Final answer: Prevention (masks), Transmission (spread in trams)", "Prevention; Transmission"),
    ("Final answer:", None),
]  # fmt: skip


def read(task: tasks.Task, output: str, origin: Origin = UNKNOWN) -> str | None:
    """The labels read from an output as the prompt asks for them; None where it is unreadable."""
    answer = task.parse(output, SAMPLE, origin)
    assert answer.ok or answer.value == []
    return "; ".join(answer.value) if answer.ok else None


def expected(labels: str | None) -> str | None:
    return labels and "; ".join(label for label in inventories.LITCOVID if label in labels.split("; "))


@pytest.mark.parametrize(("output", "labels"), [*DENIED, *OVER_LINES, *SCORED, *JSON, *WALKS, *PROSE, *STYLES])
def test_what_outputs_say_of_labels(output: str, labels: str | None) -> None:
    assert read(LITCOVID, output) == expected(labels)


@pytest.mark.parametrize(("output", "labels"), CUT)
def test_outputs_cut_at_the_token_limit(output: str, labels: str | None) -> None:
    assert read(LITCOVID, output, Origin(cut=True)) == expected(labels)


@pytest.mark.parametrize(("output", "labels"), REASONED)
def test_chains_of_thought(output: str, labels: str | None) -> None:
    assert read(LITCOVID, output, Origin(reasoned=True)) == expected(labels)


def test_an_output_that_was_not_cut_is_taken_as_it_is() -> None:
    assert read(HOC, "genomic instability") == MUTATION
    assert read(HOC, "genomic instability", Origin(cut=True)) is None
    assert read(LITCOVID, "- Treatment: drugs.\n- Prevention: masks are") == "Treatment; Prevention"


def test_a_label_that_begins_another_one_is_not_complete_at_a_cut() -> None:
    task = tasks.get(inventories.multi_label(("Mechanism", "Mechanism of action", "Treatment")))
    assert read(task, "Treatment; Mechanism", Origin(cut=True)) == "Treatment"
    assert read(task, "Treatment; Mechanism") == "Mechanism; Treatment"
    assert read(task, "Treatment; Mechanism;", Origin(cut=True)) == "Mechanism; Treatment"


def test_definitions_stand_for_their_labels() -> None:
    task = tasks.get(
        inventories.multi_label({"Treatment": "drugs, vaccines, and care", "Prevention": "masks, distance, and care"})
    )
    assert read(task, "masks, distance and care") == "Prevention"
    assert read(task, "- drugs, vaccines, and care\n- masks, distance, and care") == "Treatment; Prevention"
    assert read(task, "Treatment: drugs, vaccines, and care") == "Treatment"
    assert read(task, "care") is None


LONG = 100_000
PIECES = [
    "resisting cell death; ", "resisting cell death ", "- resisting cell death\n", "resisting cell death: ", "resisting cell deat, ",
    "- ", "label: ", "labels are ", "{", "[", "{}", '["a", ', '{"a": ', "['", "not ", "not cellular energetics ", "it could be cellular energetics, ",
    "cellular energetics is not ", "cellular energetics: not ", "\n", "\n \nx", "x\n\n", ", ", "a, ", ". ", "| a ", "[x] ", "0.9 ", "1. ", "and ",
    "The abstract does not ", "Not applicable:\n", "Explanation: ", "words of prose, and more. ", "cellular energetics" + " " * 99,
]  # fmt: skip


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("origin", [Origin(), Origin(cut=True)])
def test_a_hundred_thousand_characters_of_anything_are_read(piece: str, origin: Origin) -> None:
    ended(partial(HOC.read, piece * (LONG // len(piece)), SAMPLE, origin))


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


EVERY = ", ".join(inventories.LITCOVID)
EVERY_LINE = "\n".join(f"- {label}" for label in inventories.LITCOVID)


@pytest.mark.parametrize(
    ("output", "labels"),
    [
        ('{"positive": ["Treatment"], "negative": ["Diagnosis", "Mechanism"]}', ["Treatment"]),
        ('{"negatives": [{"label": "Diagnosis"}], "positives": [{"label": "Treatment"}]}', ["Treatment"]),
        ('{"negative": ["Diagnosis", "Treatment"], "positive": []}', []),
        ('{"true": ["Treatment"], "false": ["Diagnosis"]}', ["Treatment"]),
        ('{"matched": ["Treatment"], "unmatched": ["Diagnosis"]}', ["Treatment"]),
        ('{"Treatment": "positive", "Diagnosis": "negative"}', ["Treatment"]),
        ("Positive: Treatment\nNegative: Diagnosis, Mechanism", ["Treatment"]),
        ("Treatment\n\nNo aplica: Diagnosis, Prevention", ["Treatment"]),
        ("Treatment\nNicht zutreffend: Diagnosis", ["Treatment"]),
        ("Treatment\nNon applicable : Diagnosis", ["Treatment"]),
        ("Treatment\nNão se aplica: Diagnosis", ["Treatment"]),
        ("Treatment\nNon applicabile: Diagnosis", ["Treatment"]),
        ("Treatment\nNiet van toepassing: Diagnosis", ["Treatment"]),
        ("适用\uff1aTreatment\n不适用\uff1aDiagnosis", ["Treatment"]),
        ("Treatment\n該当なし\uff1aDiagnosis", ["Treatment"]),
        ("Treatment\n해당 없음: Diagnosis", ["Treatment"]),
        ("Treatment: ja\nDiagnosis: nein", ["Treatment"]),
        ("Treatment: oui\nDiagnosis: non", ["Treatment"]),
        ("Treatment: 是\nDiagnosis: 否", ["Treatment"]),
        ("Treatment: se menciona\nDiagnosis: no se menciona", ["Treatment"]),
        ("Treatment: wird behandelt\nDiagnosis: nicht erwähnt", ["Treatment"]),
        ("Diagnosis: 未提及\nTreatment: 是", ["Treatment"]),
        (f"Possible labels: {EVERY}", None),
        (f"Possible labels:\n{EVERY_LINE}", None),
        (f"The possible labels are: {EVERY}.", None),
        (f"Available labels: {EVERY}\n\nLabels: Treatment", ["Treatment"]),
        (f"Candidate labels:\n{EVERY_LINE}\n\nTreatment; Mechanism", ["Treatment", "Mechanism"]),
        (f"Labels to choose from: {EVERY}\nAnswer: Treatment", ["Treatment"]),
        (f"The available labels are {EVERY}. The text is about Treatment.", ["Treatment"]),
        ("Possible labels: Treatment, Mechanism", ["Treatment", "Mechanism"]),
        (f"Labels: {EVERY}", list(inventories.LITCOVID)),
    ],
)
def test_what_is_refused_or_merely_offered_does_not_apply(output: str, labels: list[str] | None) -> None:
    answer = LITCOVID.parse(output, SAMPLE)
    assert (answer.value if answer.ok else None) == labels


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


@pytest.mark.parametrize("behind", ["No, none of the others apply.", "No, no other label applies."])
def test_that_no_other_label_applies_takes_nothing_back(behind: str) -> None:
    assert LITCOVID.parse(f"Treatment\n\n{behind}", SAMPLE).value == ["Treatment"]
