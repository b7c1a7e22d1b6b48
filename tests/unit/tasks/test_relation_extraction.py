"""What outputs for a relation mean, case by case (conventions: quantbench.tasks.kinds.relation_extraction)."""

from __future__ import annotations

import inventories
import pytest

from quantbench import tasks

CHEMPROT = tasks.get(inventories.relations(inventories.CHEMPROT, "false"))
DDI = tasks.get(inventories.relations(inventories.DDI, "DDI-false"))
SENTENCE = "Strong binding of @CHEMICAL$ had the effect of blocking @GENE$ in most cells."
SAMPLE = inventories.sample(sentence=SENTENCE)
PROMPT = (
    "What does the sentence say about the chemical @CHEMICAL$ and the gene or protein @GENE$?\n\nClasses:\n"
    + "".join(f"- {label}: {text}\n" for label, text in inventories.CHEMPROT.items())
    + f"\nAnswer with exactly one class.\n\nSentence: {SENTENCE}\nClass:"
)

CHEMPROT_CASES = [
    # the class itself, however it is written
    ("CPR:3", "CPR:3"),
    (" cpr:4\n", "CPR:4"),
    ("CPR-4", "CPR:4"),
    ("CPR 4.", "CPR:4"),
    ("cpr_9", "CPR:9"),
    ("CPR4", "CPR:4"),
    ("**CPR:5**", "CPR:5"),
    ("`CPR:5`", "CPR:5"),
    ('"CPR:6"', "CPR:6"),
    ("\u201cCPR:6\u201d", "CPR:6"),
    ("['CPR:6']", "CPR:6"),
    ("<class>CPR:6</class>", "CPR:6"),
    ("False", "false"),
    ("false.", "false"),
    ("'false'", "false"),
    ("4", "CPR:4"),
    ("- CPR:3", "CPR:3"),
    ("1. CPR:3", "CPR:3"),
    ("Class: CPR:3", "CPR:3"),
    ("Answer: false", "false"),
    ("Relation: false", "false"),
    ("```\nCPR:3\n```", "CPR:3"),
    ('```json\n{"class": "CPR:3"}\n```', "CPR:3"),
    ('{"relation": "false"}', "false"),
    ('{"relation": "CPR:4",}', "CPR:4"),
    ('{"class": "CPR:4", "explanation": "it inhi', "CPR:4"),
    ("CPR:3<|im_end|>\n<|im_start|>user\nCPR:4", "CPR:3"),
    ("CPR:3</s>CPR:4", "CPR:3"),
    # what is added after the first answer does not count
    ("CPR:3\n\nSentence: @CHEMICAL$ inhibits @GENE$.\nClass: CPR:4", "CPR:3"),
    ("CPR:3\nSentence: @CHEMICAL$ inhibits @GENE$.\nClass: CPR:4\n\nSentence: x", "CPR:3"),
    ("CPR:3\n\nExplanation: unlike CPR:4 it does not inhibit.", "CPR:3"),
    ("CPR:3\nExplanation: CPR:4 would need inhibition.", "CPR:3"),
    ("CPR:3 because the chemical activates the gene, which CPR:4 does not cover.", "CPR:3"),
    ("CPR:3: the chemical upregulates or activates the gene", "CPR:3"),
    ("CPR:3 (upregulator)", "CPR:3"),
    ("CPR:3, not CPR:4", "CPR:3"),
    ("CPR:3. CPR:4 would mean inhibition, which is absent.", "CPR:3"),
    ("CPR:3\n\nCPR:4", "CPR:3"),
    ("CPR:3\n\n### Example 2\nCPR:9", "CPR:3"),
    # prose around the answer
    ("The class is CPR:4.", "CPR:4"),
    ("The relation between the chemical and the gene is CPR:9.", "CPR:9"),
    ("The sentence describes a relation of class **CPR:4**, since the chemical blocks the gene.", "CPR:4"),
    ("I would classify this as false.", "false"),
    ("This sentence should be classified as CPR:4 rather than CPR:3.", "CPR:4"),
    ("Sure! Here is the answer:\n\nCPR:4", "CPR:4"),
    ("Based on the sentence, the answer is: CPR:4", "CPR:4"),
    ("It is not CPR:3. It is CPR:4.", "CPR:4"),
    ("The class is CPR:3. CPR:4 would require inhibition.", "CPR:3"),
    # conclusions beat what was weighed before
    ("It could be CPR:3 or CPR:4. The gene is blocked. Final answer: CPR:4", "CPR:4"),
    ("It could be CPR:3 or CPR:4.\nTherefore, the class is CPR:4.", "CPR:4"),
    ("CPR:3 means activation. CPR:4 means inhibition. Therefore CPR:4.", "CPR:4"),
    ("Therefore CPR:3 is out. Thus, CPR:4.", "CPR:4"),
    ("- CPR:3: no sign of it.\n- CPR:4: the chemical blocks it.\n\nFinal answer: CPR:4", "CPR:4"),
    ("CPR:3\nCPR:4\n\nFinal answer: CPR:4", "CPR:4"),
    ("**Final Answer**\n\nCPR:4", "CPR:4"),
    ("### Final answer\nThe class is **CPR:4**.", "CPR:4"),
    ("My final answer is false.", "false"),
    ("The final answer is \\boxed{CPR:4}.", "CPR:4"),
    ("Reasoning about CPR:3. Final answer: CPR:4\n\nSentence: x y z\nReasoning: r\nFinal answer: CPR:9", "CPR:4"),
    ("<think>CPR:3? No, CPR:4.</think>\n\nCPR:4", "CPR:4"),
    ("maybe CPR:3 ...</think>\nCPR:4", "CPR:4"),
    ("## Thinking\n\nCPR:3 or CPR:9?\n\n## Final Response\n\nThe class is CPR:9.", "CPR:9"),
    # class: value
    ("CPR:3: 0\nCPR:4: 1\nCPR:5: 0\nfalse: 0", "CPR:4"),
    ('{"CPR:3": false, "CPR:4": true, "false": false}', "CPR:4"),
    ("CPR:3: No\nCPR:4: Yes", "CPR:4"),
    # echo of the prompt
    (PROMPT + " CPR:4", "CPR:4"),
    (f"Sentence: {SENTENCE}\nClass: CPR:4", "CPR:4"),
    (f"CPR:3\n\nSentence: {SENTENCE}\nClass: CPR:4", "CPR:3"),
    # no answer
    (PROMPT, None),
    ("", None),
    ("   \n", None),
    ("I'm sorry, but I cannot help with that.", None),
    ("none", None),
    ("no relation", None),
    ("inhibitor", None),
    ("true", None),
    ("CPR:7", None),
    ("CPR:10", None),
    ("CPR", None),
    ("CPR:", None),
    ("CPR:3 or CPR:4", None),
    ("CPR:3, CPR:4", None),
    ("CPR:3/CPR:4", None),
    ("CPR:3 and CPR:4", None),
    ("CPR:3\nCPR:4", None),
    ("- CPR:3\n- CPR:4", None),
    ("- CPR:3: activation is described\n- CPR:4: inhibition is described", None),
    ('["CPR:3", "CPR:4"]', None),
    ("Final answer: CPR:3 or CPR:4", None),
    ("The sentence could be CPR:3. It could also be CPR:4.", None),
    ("CPR:3: 1\nCPR:4: 1", None),
    ("CPR:3: 0\nCPR:4: 0", None),
    ("It is not CPR:3.", None),
    ("It is false that the sentence says anything about 4 cells.", None),
    ("<think>CPR:3 seems", None),
    ("The label for this sentence is: CPR:3", "CPR:3"),
    ("The sentence describes an antagonistic relation (CPR:6).", "CPR:6"),
    (
        "The chemical upregulates the gene, so the answer is CPR:3. This isn't CPR:4 because nothing is inhibited.",
        "CPR:3",
    ),
    ("Label: CPR:3\nLabel: CPR:4", "CPR:3"),
    ("CPR:3 CPR:3 CPR:3", "CPR:3"),
    ("CPR:3 CPR:4 CPR:5", None),
    ("CPR:3, CPR:3", "CPR:3"),
    ("CPR:4\nCPR:4\nCPR:4", "CPR:4"),
    ("The correct class is not CPR:3 but CPR:4.", "CPR:4"),
    ("Neither CPR:3 nor CPR:4 applies, so false.", "false"),
    ('Since no relation is described, the class is "false".', "false"),
    ("The class is 'false' because no relation is stated.", "false"),
    ("I think it's CPR:9", "CPR:9"),
    ("It's CPR:9, I'm sure.", "CPR:9"),
    ("Answer: **CPR:4** - the chemical inhibits", "CPR:4"),
    ("CPR:4 - Downregulator / inhibitor", "CPR:4"),
    ("CPR:4 | inhibitor", "CPR:4"),
    ("(CPR:4)", "CPR:4"),
    ("[CPR:4]", "CPR:4"),
    ("$CPR:4$", "CPR:4"),
    ("Output: {'label': 'CPR:4'}", "CPR:4"),
    ('{"label": "CPR:4", "confidence": 0.9}', "CPR:4"),
    ('{"CPR:4": "inhibitor"}', "CPR:4"),
    ('{"label": ["CPR:3", "CPR:4"]}', None),
    ('{"label": "CPR:4"', "CPR:4"),
    ("Reasoning: The chemical blocks. CPR:3 needs activation; CPR:4 needs inhibition. Class: CPR:4", "CPR:4"),
    ("Step 1: Is it CPR:3? No.\nStep 2: Is it CPR:4? Yes.\n\nAnswer: CPR:4", "CPR:4"),
    ("Final Answer: The final answer is CPR:4. I hope it is correct.", "CPR:4"),
    ("Final answer: None of these relations, i.e. false", "false"),
    ("Final answer:\n\nCPR:4\n\nThis is since CPR:3 is activation.", "CPR:4"),
    ('Final answer: "CPR:4"\n\nAbstract: ...', "CPR:4"),
    ("CPR:4<|endoftext|>Human: hi", "CPR:4"),
    ("CPR:4\n\nHuman: next\n\nAssistant: CPR:3", "CPR:4"),
    ("CPR:4### Instruction: CPR:3", "CPR:4"),
    ("CPR:4\nuser\nWhat about...\nassistant\nCPR:3", "CPR:4"),
    ("assistant\n\nCPR:4", "CPR:4"),
    ("1", None),
    ("CPR:3 and possibly CPR:4", None),
    ("Most likely CPR:4, but CPR:3 cannot be excluded.", "CPR:4"),
    ("True", None),
    ("CPR:4: True", "CPR:4"),
    ("CPR:4: Yes, the gene is inhibited", "CPR:4"),
    ("class=CPR:4", "CPR:4"),
    ("CPR:4.\n\nCPR:3 is wrong.", "CPR:4"),
    ("CPR:3 is incorrect; CPR:4 is correct.", "CPR:4"),
    ("CPR:3 (incorrect)\nCPR:4 (correct)", "CPR:4"),
]
DDI_CASES = [
    ("DDI-effect", "DDI-effect"),
    ("effect", "DDI-effect"),
    ("Effect", "DDI-effect"),
    ("DDI_effect", "DDI-effect"),
    ("ddi effect", "DDI-effect"),
    ("int", "DDI-int"),
    ("advise.", "DDI-advise"),
    ("DDI-advice", "DDI-advise"),
    ("DDI-mechanisms", "DDI-mechanism"),
    ("false", "DDI-false"),
    ("The interaction type is mechanism.", "DDI-mechanism"),
    ("The answer is effect because the effect of @DRUG$ is described.", "DDI-effect"),
    ("Class: mechanism (the effect is on clearance)", "DDI-mechanism"),
    ("The effect of the first drug on the second suggests the class DDI-mechanism.", "DDI-mechanism"),
    ('{"DDI": "false"}', "DDI-false"),
    ("DDI-false: no interaction is stated", "DDI-false"),
    ("The effect of @DRUG$ was seen.", None),
    ("Effect of @DRUG$ on @DRUG$ was small.", None),
    ("effect or mechanism", None),
    ("effect, mechanism", None),
    ("DDI-unknown", None),
    ("no interaction", None),
    ("DDI", None),
    ("Based on the sentence, the drugs interact: DDI-int", "DDI-int"),
    ("advice", "DDI-advise"),
    ("The interaction is of type 'effect'.", "DDI-effect"),
    ("Type: effect", "DDI-effect"),
    ("interaction type = mechanism", "DDI-mechanism"),
    ("ddi-FALSE", "DDI-false"),
    ("DDI: effect", "DDI-effect"),
    ("DDI - mechanism", "DDI-mechanism"),
    ("DDI_int", "DDI-int"),
    ("effect/mechanism", None),
    ("DDI-effect: 1, DDI-mechanism: 0", "DDI-effect"),
    ("DDI-false\n\nThe sentence doesn't describe an effect or a mechanism.", "DDI-false"),
    ("no", None),
    ("A mechanism is described, so DDI-mechanism is the right class.", "DDI-mechanism"),
    ("DDI-effect or DDI-mechanism? The sentence describes clearance. I choose DDI-mechanism.", "DDI-mechanism"),
    ("The correct class is: **mechanism**", "DDI-mechanism"),
    ("The sentence states that the effect is increased. Final answer: DDI-effect.", "DDI-effect"),
    ("Final answer: effect", "DDI-effect"),
    ("Final answer: the effect class", "DDI-effect"),
]


@pytest.mark.parametrize(("output", "label"), CHEMPROT_CASES)
def test_chemprot_outputs(output: str, label: str | None) -> None:
    assert CHEMPROT.parse(output, SAMPLE) == tasks.Answer(label, label is not None)


@pytest.mark.parametrize(("output", "label"), DDI_CASES)
def test_ddi_outputs(output: str, label: str | None) -> None:
    assert DDI.parse(output, SAMPLE) == tasks.Answer(label, label is not None)


@pytest.mark.parametrize(
    ("output", "label"),
    [
        ("CPR:3", "CPR:3"),
        ("CPR:3\n\nSentence: another", "CPR:3"),
        ("It blocks.\nFinal answer: CPR:4", "CPR:4"),
        ("cpr:3", None),
        ("CPR:3.", None),
        ("**CPR:3**", None),
        ("Class: CPR:3", None),
        ("", None),
    ],
)
def test_strict_reading_accepts_the_class_alone(output: str, label: str | None) -> None:
    assert CHEMPROT.parse_strict(output, SAMPLE) == tasks.Answer(label, label is not None)


def test_no_answer_counts_against_its_gold_class_and_predicts_nothing() -> None:
    counts = CHEMPROT.counts([None, "false"], ["CPR:3", "false"])
    assert counts.shape == (2, 6, 3)
    assert counts[0, 0].tolist() == [0, 0, 1]
    assert counts[0, 1:].sum() == 0
    assert counts[1, 5].tolist() == [1, 0, 0]


def test_gold_outside_the_inventory_is_named() -> None:
    assert "CPR:7" in str(CHEMPROT.check_gold(inventories.sample("CPR:7", sentence="x")))
    assert CHEMPROT.check_gold(inventories.sample("CPR:4", sentence="x")) is None
