"""What outputs for a question mean, case by case (conventions: quantbench.tasks.kinds.question_answering)."""

from __future__ import annotations

import inventories
import pytest

from quantbench import tasks

LETTERED = tasks.get(inventories.lettered())
WORDED = tasks.get(inventories.yes_no_maybe())
QUESTION = "A 40-year-old gardener has a swollen leg. Which of these is the best next step?"
SAMPLE = inventories.sample(question=QUESTION, options=inventories.OPTIONS)
ASKED = inventories.sample(question="Does zintol help patients with fever?", context="We gave zintol to 20 patients.")
LISTING = "\n".join(f"{letter}. {text}" for letter, text in inventories.OPTIONS.items())

LETTER_CASES = [
    ("C", "C"),
    ("c", "C"),
    (" C.\n", "C"),
    ("C)", "C"),
    ("(C)", "C"),
    ("[C]", "C"),
    ("**C**", "C"),
    ('"C"', "C"),
    ("C:", "C"),
    ("C. Warfarin", "C"),
    ("C) Warfarin", "C"),
    ("C: Warfarin", "C"),
    ("C - Warfarin", "C"),
    ("C Warfarin", "C"),
    ("**C. Warfarin**", "C"),
    ("Warfarin (C)", "C"),
    ("Warfarin", "C"),
    ("warfarin.", "C"),
    ("Low-dose aspirin", "D"),
    ("low dose aspirin", "D"),
    ("Disclose the error to the patient.", "A"),
    ("Answer: C", "C"),
    ("Answer: (C) Warfarin", "C"),
    ("Option C", "C"),
    ("The answer is C.", "C"),
    ("The answer is (C)", "C"),
    ("The correct answer is **C. Warfarin**.", "C"),
    ("The best next step is Warfarin.", "C"),
    ("The correct option is D, low-dose aspirin, rather than aspirin.", "D"),
    ("The correct answer is low-dose aspirin.", "D"),
    ("The correct answer is A because errors must be told.", "A"),
    ("Answer: A", "A"),
    ("A", "A"),
    ("A. Disclose the error to the patient", "A"),
    ('{"answer": "C"}', "C"),
    ('{"answer": "C", "explanation": "B is too', "C"),
    ('```json\n{"answer": "C"}\n```', "C"),
    ("\\boxed{C}", "C"),
    ("$\\boxed{\\text{C}}$", "C"),
    ("<answer>C</answer>", "C"),
    ("C\n\nQuestion: Another one?\nA. x\nB. y\nAnswer: B", "C"),
    ("C\nQuestion 2: Another one?\nAnswer: B", "C"),
    ("C\n\nExplanation: A is incorrect. Therefore the answer is not B.", "C"),
    ("C. Warfarin\n\nB. Aspirin is incorrect because it is too weak.", "C"),
    ("C. Warfarin is the correct answer because aspirin is too weak.", "C"),
    ("A. Disclose: incorrect, nothing happened.\nC. Warfarin: correct.", "C"),
    ("A. Disclose ... incorrect / C. Warfarin ... correct", "C"),
    ("A. Incorrect.\nB. Incorrect.\nC. Correct.\nD. Incorrect.\nE. Incorrect.", "C"),
    ("A is incorrect. C is correct.", "C"),
    ("Let us go through the options.\nA. is unlikely.\nB. could help.\nTherefore, the answer is C.", "C"),
    ("The patient has a clot. Aspirin is too weak. So the answer is C.", "C"),
    ("First I thought of B. Final answer: C", "C"),
    ("**Final Answer: C**", "C"),
    ("Final answer: C. Warfarin\n\nQuestion: x?\nFinal answer: D", "C"),
    ("The answer is not B. The answer is C.", "C"),
    ("I would choose C.", "C"),
    ("The leg is swollen; anticoagulation is needed, so option C fits.", "C"),
    ("A 40-year-old with a clot needs anticoagulation.\n\nC", "C"),
    (f"Question: {QUESTION}\n{LISTING}\nAnswer: C", "C"),
    (f"{LISTING}\n\nThe correct answer is C.", "C"),
    ("C<|eot_id|>D", "C"),
    # no answer
    ("", None),
    ("F", None),
    ("A or C", None),
    ("A, C", None),
    ("A and C", None),
    ("The answer is A or C.", None),
    ("A. Disclose the error to the patient\nC. Warfarin", None),
    (LISTING, None),
    (f"Question: {QUESTION}\n{LISTING}\nAnswer:", None),
    ("A 40-year-old gardener with a swollen leg should be examined.", None),
    ("I cannot answer medical questions.", None),
    ("As an AI model, I can't say.", None),
    ("None of the above", None),
    ("Hepatitis B and protein C deficiency are both possible.", None),
    ("A. Incorrect.\nB. Incorrect.", None),
    ("Aspirin or warfarin", None),
    ("The answer is not C.", None),
    ("The correct answer is:\n\nC. Warfarin", "C"),
    ("The correct answer is: C", "C"),
    ("Correct answer: C) Warfarin", "C"),
    ("**Answer:** C", "C"),
    ("C is the correct answer.", "C"),
    ("The answer is option C: Warfarin", "C"),
    ("My answer is C", "C"),
    ("I believe the answer is (C).", "C"),
    ("I think C", "C"),
    ("Letter: C", "C"),
    ("the answer is c", "C"),
    ("answer: c.", "C"),
    ("C.\nC.\nC.", "C"),
    ("C\nD", None),
    ("C, D", None),
    ("C/D", None),
    ("Both C and D", None),
    ("Either C or D.", None),
    ("(A), (C)", None),
    ("Warfarin is the best choice here.", "C"),
    ("The patient should receive warfarin.", "C"),
    ("The most appropriate next step is to disclose the error to the patient.", "A"),
    ("Aspirin is wrong; warfarin is right.", "C"),
    ("Option A: wrong. Option C: right.", "C"),
    ("A: Incorrect. ...\nB: Incorrect. ...\nC: Correct. ...", "C"),
    (
        "A) is incorrect because x.\nB) is incorrect because y.\nC) is correct because z.\nD) is incorrect.\nE) is incorrect.",
        "C",
    ),
    (
        "Let's think step by step. Option A is not good. Option B is too weak. Option C is appropriate. So, the answer is C.",
        "C",
    ),
    ("The answer is A? No. Final answer: C", "C"),
    ("Therefore, the correct answer is C. Warfarin.\n\nQuestion: foo\nAnswer: D", "C"),
    ("Answer: C\nExplanation: Option D is also tempting", "C"),
    ("Answer:\nC", "C"),
    ("E. Vitamin C", "E"),
    ("Vitamin C", "E"),
    ("The answer is vitamin C.", "E"),
    ("G", None),
    ("The answer is G.", None),
    ("A patient with a swollen leg should get Warfarin.", "C"),
    ("I would give Warfarin, not Aspirin.", "C"),
    ("C because it is an anticoagulant", "C"),
    ("C  ", "C"),
    ("C.Warfarin", "C"),
    ("C)Warfarin", "C"),
    ("<C>", "C"),
    ("Answer is C", "C"),
    ("Ans: C", "C"),
    ("The best answer is C, warfarin. A, B, D and E are incorrect.", "C"),
    ("C. Warfarin\nD. Low-dose aspirin", None),
    ("## Final Response\n\nThe best next step is **C. Warfarin**.", "C"),
    ('{"answer_idx": "C", "answer": "Warfarin"}', "C"),
    ('{"answer": "Warfarin"}', "C"),
    ('{"reasoning": "A is wrong", "answer": "C"}', "C"),
]
WORD_CASES = [
    ("yes", "yes"),
    ("Yes.", "yes"),
    ("NO", "no"),
    ("**Maybe**", "maybe"),
    ("'no'", "no"),
    ("Yes, because fever fell.", "yes"),
    ("No, the drug had no effect.", "no"),
    ("No. Yes would need more data.", "no"),
    ("Yes\n\nContext: other\nQuestion: Is it so?\nAnswer: no", "yes"),
    ("Answer: maybe", "maybe"),
    ("The answer is no.", "no"),
    ("The answer to the research question is yes.", "yes"),
    ('{"answer": "yes"}', "yes"),
    ('{"final_decision": "maybe",', "maybe"),
    ("final_decision: no", "no"),
    ("There was no difference in fever, but pain fell. Final answer: yes", "yes"),
    ("Patients had no side effects. Therefore, yes.", "yes"),
    ("It could be yes or no. Final answer: maybe.", "maybe"),
    ("No significant difference was found, so the answer is no.", "no"),
    ("No side effects were seen and fever fell, so the answer is yes.", "yes"),
    ("I would say yes.", "yes"),
    ('The data suggest that the answer would be "maybe".', "maybe"),
    ("Fever fell in all groups.\n\nYes", "yes"),
    ("<think>no?</think>yes", "yes"),
    ("\\boxed{no}", "no"),
    ("Yes - zintol helps", "yes"),
    # no answer
    ("", None),
    ("yes or no", None),
    ("yes/no/maybe", None),
    ("Yes and no.", None),
    ("No significant difference was found.", None),
    ("Possibly", None),
    ("unclear", None),
    ("The study had 20 patients.", None),
    ("true", None),
    ("Final answer:", None),
    ("nothing", None),
    ("Yes, zintol helps patients with fever.", "yes"),
    ("The answer is: Yes", "yes"),
    ("Answer: No\n\nQuestion: Does x?\nAnswer: yes", "no"),
    ("No\nNo\nNo", "no"),
    ("yes\nno", None),
    ("Yes, no", None),
    ("Maybe yes", None),
    ("Based on the context, yes.", "yes"),
    ("Based on the context, the answer is maybe, because no firm evidence exists.", "maybe"),
    ('In conclusion, the answer is "no".', "no"),
    ("The context does not answer the question with yes or no; thus maybe.", "maybe"),
    ("(yes)", "yes"),
    ("Yes!", "yes"),
    ("yes<|endoftext|>no", "yes"),
    ("YES - the data show it", "yes"),
    ("no evidence of benefit was found", None),
    ("No evidence was found that zintol helps. Answer: no", "no"),
    ("The final decision is yes.", "yes"),
    ("Not sure", None),
    ("Therefore, zintol helps: yes", "yes"),
    ("The study found no difference. So, no.", "no"),
    ("Conclusion: yes", "yes"),
    ("yes (p < 0.05)", "yes"),
    ("It depends, maybe.", "maybe"),
    ("Question: Does zintol help patients with fever?\nAnswer: no", "no"),
    ("Does zintol help patients with fever?\n\nyes", "yes"),
]


@pytest.mark.parametrize(("output", "letter"), LETTER_CASES)
def test_multiple_choice_outputs(output: str, letter: str | None) -> None:
    assert LETTERED.parse(output, SAMPLE) == tasks.Answer(letter, letter is not None)


@pytest.mark.parametrize(("output", "word"), WORD_CASES)
def test_yes_no_maybe_outputs(output: str, word: str | None) -> None:
    assert WORDED.parse(output, ASKED) == tasks.Answer(word, word is not None)


@pytest.mark.parametrize(
    ("output", "letter"),
    [
        ("C", "C"),
        ("C\nbecause", "C"),
        ("so\nFinal answer: C", "C"),
        ("c", None),
        ("C.", None),
        ("C. Warfarin", None),
        ("F", None),
    ],
)
def test_strict_reading_accepts_the_letter_alone(output: str, letter: str | None) -> None:
    assert LETTERED.parse_strict(output, SAMPLE) == tasks.Answer(letter, letter is not None)


@pytest.mark.parametrize(
    ("output", "word"), [("yes", "yes"), ("Yes", None), ("yes.", None), ("Final answer: no", "no")]
)
def test_strict_reading_accepts_the_word_alone(output: str, word: str | None) -> None:
    assert WORDED.parse_strict(output, ASKED) == tasks.Answer(word, word is not None)


def test_accuracy_has_no_false_positives() -> None:
    counts = LETTERED.counts(["A", None, "B"], ["A", "A", "A"])
    assert counts.tolist() == [[[1, 0, 0]], [[0, 0, 1]], [[0, 0, 1]]]
    assert LETTERED.metric.value(counts.sum(axis=0)) == pytest.approx(1 / 3)


def test_vote_takes_the_majority_of_readable_answers_and_the_first_of_a_tie() -> None:
    def read(*outputs: str) -> tasks.Answer:
        return LETTERED.vote([LETTERED.parse(output, SAMPLE) for output in outputs])

    assert read("B", "C", "C").value == "C"
    assert read("B", "C", "?", "C", "B").value == "B"
    assert read("?", "?", "D").value == "D"
    assert read("?", "?") == tasks.Answer(None, False)


def test_gold_outside_the_options_is_named() -> None:
    assert "'F'" in str(LETTERED.check_gold(inventories.sample("F", question="q", options=inventories.OPTIONS)))
    assert "options" in str(LETTERED.check_gold(inventories.sample("A", question="q")))
    assert "perhaps" in str(WORDED.check_gold(inventories.sample("perhaps", question="q")))
