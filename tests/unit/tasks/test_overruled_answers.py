"""Answers that are overruled, denied, conditional, or not meant as answers (docs/protocol.md#answers); and boxes that are ticked."""

from __future__ import annotations

import inventories
import pytest

from quantbench import tasks

LETTERED = tasks.get(inventories.lettered())
WORDED = tasks.get(inventories.yes_no_maybe())
CHEMPROT = tasks.get(inventories.relations(inventories.CHEMPROT, "false"))
ASKED = inventories.sample(
    question="A 58-year-old woman with kidney failure has a painful, swollen wrist. Which drug suits her best?",
    options={"A": "Ibuprofen", "B": "Colchicine", "C": "Celecoxib", "D": "Naproxen", "E": "Prednisolone"},
)
COUNTED = inventories.sample(
    question="How many of the children had been exposed?",
    options={"A": "10", "B": "20", "C": "30", "D": "45", "E": "60"},
)
RESEARCH = inventories.sample(question="Does borvane lower fever in children?", context="It did not.")
PAIR = inventories.sample(sentence="@CHEMICAL$ inhibited @GENE$ in rat liver.")

VIEWS = [
    (
        "Some guidelines state that the best treatment is A. But in this patient with kidney failure the safest drug is E.",
        None,
    ),
    ("Older textbooks say the answer is B. However, given her kidneys, the best choice is E.", "E"),
    ("According to most handbooks and guidelines, the best drug is C. However, her kidneys fail. Hence E.", "E"),
    ("The best treatment for most patients is D. But in this patient it is unsafe.", None),
    ("Normally the answer would be A. Here, though, the answer is E.", "E"),
    ("In general, the most appropriate drug is D. Nevertheless, the correct answer is E.", "E"),
    ("The best treatment is E. But watch her blood sugar.", "E"),
    ("According to the guidelines, the best treatment is E.", "E"),
    ("The answer is E. However, in patients without kidney failure, B is preferred.", "E"),
    ("Answer: E. Some guidelines prefer B. However, her kidneys matter.", "E"),
]
ALL_BUT = [
    ("All except E are harmful.", None),
    ("The answer is all except A.", None),
    ("Any but C.", None),
    ("The correct answer is anything but D.", None),
    ("All except E are harmful. The answer is E.", "E"),
]
CORRECTIONS = [
    ("C\n\nActually, since her kidneys fail, E.", "E"),
    ("A\n\nWait, she has kidney failure, so E.", "E"),
    ("C. Actually, because of her kidneys, E", "E"),
    ("C\n\nHmm, wait. With her kidneys it should be E.", "E"),
    ("D\n\nSorry, that is wrong: with failing kidneys one gives E.", "E"),
    ("C\n\nActually, in view of her kidneys, not C but E.", "E"),
    ("A\n\nNo wait, her kidneys. So prednisolone.", "E"),
    ("The answer is C. Actually, since her kidneys fail, E.", "E"),
    ("C\n\nActually, since her kidneys fail, I wonder about E or B.", None),
    ("C\n\nActually, this is a hard question.", "C"),
    ("C\n\nNo, because her kidneys fail, E.", "E"),
    ("Answer: D\nNo, with failing kidneys one gives E.", "E"),
    ("C\n\nNo, celecoxib would harm her kidneys.", None),
    ("C\n\nNo other drug spares the stomach.", "C"),
    ("A. I'd rather go with E instead.", "E"),
    ("The answer is A.\n\nWait, her kidneys. I would choose E instead", "E"),
    ("I'll pick E instead.", "E"),
    ("C\n\nActually, celecoxib spares the stomach.", "C"),
]
IN_ORDER = [
    ("The first option is A. It eases pain. The next best option is B.", None),
    ("The first option is A. The next best option is A", None),
    ("The third option is C. The fourth option is D.", None),
    ("The first choice is A. The second choice is B. The best choice is E.", "E"),
    ("The next best step in management is E.", "E"),
    ("First, the option is A. It eases pain.\n\nNext, the option is C. It spares the stomach.", None),
    ("Now, the choice is B\nIt suits gout", None),
    ("First, the option is A. It eases pain. Then the option is E. The answer is E.", "E"),
    ("Option A harms her kidneys. Next, the option is E.", "E"),
]
CONDITIONS = [
    ("Wenn ihre Nieren gesund wären, wäre A richtig.", None),
    ("Wenn ihre Nieren gesund wären, wäre die richtige Antwort A. Die richtige Antwort ist E.", "E"),
    ("Si ses reins allaient bien, la bonne réponse serait A.", None),
    ("Si no tuviera daño renal, la respuesta correcta sería A. La respuesta correcta es E.", "E"),
    ("Se os rins não tivessem falhado, a resposta correta seria A.", None),
    ("Se i reni fossero sani, la risposta corretta sarebbe A.", None),
    ("Als haar nieren gezond waren, was het juiste antwoord A.", None),
    ("如果肾功能正常\uff0c答案是A。但是答案是E。", "E"),
    ("もし腎臓が正常なら、正解はAです。", None),
    ("만약 신장이 정상이라면 정답은 A입니다. 정답은 E입니다.", "E"),
    ("신장이 정상이라면 정답은 A입니다.", None),
]
ANNOUNCED = [
    ("The answer is as follows: E", "E"),
    ("The correct answer is given below:\nE. Prednisolone", "E"),
    ("The rationale for E is as follows:", None),
    ("the answer is generally E", "E"),
    ("The correct choice is usually (E).", "E"),
    ("The answer is often A. But here it is unsafe.", None),
]
LETTERS_TICKED = [
    ("- [ ] A. Ibuprofen\n- [ ] B. Colchicine\n- [ ] C. Celecoxib\n- [ ] D. Naproxen\n- [x] E. Prednisolone", "E"),
    ("☐ A\n☐ B\n☑ C\n☐ D\n☐ E", "C"),
    ("☐ A\n☐ B\n☐ C\n☒ D\n☐ E", "D"),
    ("( ) A\n( ) B\n(x) C", "C"),
    ("Answer:\n- [ ] A\n- [x] B\n- [ ] C", "B"),
    ("[x] A\n[x] B\n[ ] C", None),
    ("- [ ] A\n- [ ] B\n- [ ] C\n- [ ] D\n- [ ] E", None),
    ("- [ ] E", None),
    ("The answer is [E].", "E"),
]
LETTERS = VIEWS + ALL_BUT + CORRECTIONS + IN_ORDER + CONDITIONS + ANNOUNCED + LETTERS_TICKED
NUMBERS = [
    ("So 10 children were exposed at the beginning and 35 came later.", None),
    ("Thus 30 of the children were exposed. The others came later.", None),
    ("There were 45 children in the study.", None),
    ("So 45 children were exposed. Answer: D", "D"),
    ("The answer is 45 children.", "D"),
    ("Therefore, 45.", "D"),
    ("So 10 + 35 = 45.", "D"),
]
WORDS = [
    ("- [x] yes\n- [ ] no\n- [ ] maybe", "yes"),
    ("[ ] yes [ ] no [x] maybe", "maybe"),
    ("**Answer:**\n- [ ] yes\n- [x] no\n- [ ] maybe", "no"),
    ("- Yes: [ ]\n- No: [x]\n- Maybe: [ ]", "no"),
    ("[ ] yes\n\nThe answer is no.", "no"),
    ("- [ ] yes", None),
    ("Si l'étude était plus grande, la réponse serait oui.", None),
]
CLASSES = [
    ("All except CPR:4", None),
    ("Any class but CPR:3.", None),
    ("The answer is anything but CPR:9.", None),
    ("CPR:3\n\nActually, since it inhibits, CPR:4.", "CPR:4"),
    ("Usually this is CPR:3. But here the class is CPR:4.", "CPR:4"),
    ("- [ ] CPR:3\n- [x] CPR:4\n- [ ] CPR:5\n- [ ] false", "CPR:4"),
    ("[ ] CPR:3", None),
]


@pytest.mark.parametrize(("output", "letter"), LETTERS)
def test_letters(output: str, letter: str | None) -> None:
    assert LETTERED.parse(output, ASKED).value == letter


@pytest.mark.parametrize(("output", "letter"), NUMBERS)
def test_options_that_are_numbers(output: str, letter: str | None) -> None:
    assert LETTERED.parse(output, COUNTED).value == letter


@pytest.mark.parametrize(("output", "word"), WORDS)
def test_words(output: str, word: str | None) -> None:
    assert WORDED.parse(output, RESEARCH).value == word


@pytest.mark.parametrize(("output", "label"), CLASSES)
def test_classes(output: str, label: str | None) -> None:
    assert CHEMPROT.parse(output, PAIR).value == label


@pytest.mark.parametrize(
    "output", ["45 patients", "45 patients.", "**45 patients**", "Answer: 45 patients", "The answer is 45 patients."]
)
def test_a_number_with_its_unit_is_an_option_that_reads_so(output: str) -> None:
    asked = inventories.sample(
        question="How many?", options={"A": "5 patients", "B": "45 patients", "C": "145 patients"}
    )
    assert LETTERED.parse(output, asked).value == "B"
