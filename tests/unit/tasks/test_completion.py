"""Stopping where an answer is complete never changes what is read from it, and never comes before there is an answer."""

from __future__ import annotations

from functools import partial

import inventories
import pytest
from hang import ended
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from quantbench import tasks
from quantbench.contracts.records import Sample
from quantbench.tasks.completion import ENDINGS
from quantbench.tasks.origin import Origin
from quantbench.tasks.thoughts import in_thought

MULTI = tasks.get(inventories.multi_label(inventories.HOC))
RELATION = tasks.get(inventories.relations(inventories.CHEMPROT, "false"))
LETTER = tasks.get(inventories.lettered())
WORD = tasks.get(inventories.yes_no_maybe())
ENTITY = tasks.get(inventories.entities("chemical"))
SENTENCE = "Zintol ( 0 . 05 mg ) lowered tremor more than L - dopa ."
MARKED = SENTENCE.replace("Zintol", "<span>Zintol</span>")

ASKED = {
    "multi": (MULTI, inventories.sample(text="Masks in trams and trains .")),
    "relation": (RELATION, inventories.sample(sentence="@CHEMICAL$ blocks @GENE$ .")),
    "letter": (LETTER, inventories.sample(question="Which of these drugs helps?", options=inventories.OPTIONS)),
    "word": (WORD, inventories.sample(question="Does zintol help the patients?", context="")),
    "entity": (ENTITY, inventories.sample(text=SENTENCE)),
}
ANSWERS = {
    "multi": ["resisting cell death; cellular energetics", "none", "resisting cell death, inducing angiogenesis"],
    "relation": ["CPR:4", "false", "The class is CPR:3."],
    "letter": ["C", "B. Aspirin", "warfarin"],
    "word": ["yes", "Maybe.", "no, it does not"],
    "entity": [MARKED, SENTENCE, "none"],
}
# What outputs are made of: answers, next examples, conclusions, thoughts, and what could be half a tag or a box.
PIECES = st.sampled_from([
    "\n", "\n\n", " ", "\nSentence: ", "\nQuestion: ", "Question 2:", "\nArticle:", "\nUser\n", "\nuser", "Context:", "Final answer: ",
    "\nFinal answer: ", "Therefore, ", "The answer is ", "\nClass: ", "Explanation: ", "<think>", "</think>", "<span>", "</span>", "<b ",
    "\\boxed{", "}", "**", "CPR:3", "CPR:5: the chemical is an agonist", "yes", "no", "A", "D.", "inducing angiogenesis", "Zintol", SENTENCE,
    MARKED, "@CHEMICAL$ blocks @GENE$ .", "Which of these drugs helps?", "</s>", "none", "?", ":", "not ", "Answer with exactly one class.",
])  # fmt: skip


def stop(task: tasks.Task, sample: Sample, output: str, reasoned: bool) -> str | None:
    """What a model would have written up to its stop, looked for as generation does: after each ending."""
    for place, char in enumerate(output, start=1):
        if char in ENDINGS and task.answer_end(output[:place], sample, Origin(reasoned=reasoned)) is not None:
            return output[:place]
    return None


@pytest.mark.parametrize("name", list(ASKED))
@given(data=st.data(), reasoned=st.booleans())
@settings(max_examples=200, deadline=None)
def test_the_answer_is_the_same_stopped_or_not(name: str, data: st.DataObject, reasoned: bool) -> None:
    task, sample = ASKED[name]
    pieces = st.one_of(PIECES, st.sampled_from(ANSWERS[name]))
    output = "".join(data.draw(st.lists(pieces, max_size=14)))
    written = stop(task, sample, output, reasoned)
    if written is None:
        return
    # A thought that was never opened: models that write such have it opened by their prompt.
    assume("</think>" not in output[len(written) :] or "<think>" in output[: output.find("</think>")])
    origin = Origin(reasoned=reasoned)
    assert task.parse(written, sample, origin) == task.parse(output, sample, origin)
    assert task.parse_strict(written, sample, origin) == task.parse_strict(output, sample, origin)
    assert task.parse(written, sample, origin).ok


@pytest.mark.parametrize("name", list(ASKED))
@pytest.mark.parametrize("which", [0, 1, 2])
@pytest.mark.parametrize("opens", ["\n\nSentence:", "\nQuestion 2:", "\n### Input:", "\n\nuser\n"])
def test_an_invented_example_ends_the_answer(name: str, which: int, opens: str) -> None:
    task, sample = ASKED[name]
    answer = ANSWERS[name][which]
    written = stop(task, sample, f"{answer}{opens} more of it\nFinal answer: CPR:9", reasoned=False)
    if answer == "none" and name == "entity":  # words about a sentence are not yet its copy
        assert written is None
    else:
        assert written == answer + opens


@pytest.mark.parametrize("name", list(ASKED))
def test_a_chain_of_thought_waits_for_its_final_answer(name: str) -> None:
    task, sample = ASKED[name]
    first, second = ANSWERS[name][0], ANSWERS[name][1]
    thoughts = f"{first}\n\nSentence: let me see.\n\n"
    assert stop(task, sample, thoughts, reasoned=True) is None
    exact = f"{thoughts}Final answer: {first}\n\n"
    assert stop(task, sample, f"{exact}Final answer: {second}\n\n", reasoned=True) == exact
    loose = f"So I conclude.\n## Final Response: {first}\n\nQuestion:"
    assert stop(task, sample, loose + " another?", reasoned=True) == loose


@pytest.mark.parametrize(
    "output",
    [
        "",
        "\n\n\n",
        "Sentence: @CHEMICAL$ blocks @GENE$ .\nClass:",  # the prompt's own last lines
        "Let me see.\nSentence: @CHEMICAL$ blocks @GENE$ .\nClass:",  # nothing said so far is an answer
        "What does the sentence say? CPR:3\n\nSentence: @CHEMICAL$ blocks @GENE$ .\nClass:",  # instructions again
        "<think>CPR:3\n\nSentence: a\n\nFinal answer: CPR:3\n\n",
        "CPR:3",
        "CPR:3\n\nThe chemical activates the gene.\n\n",  # a conclusion may follow
        "Final answer: CPR:3\n",
        "Final answer: perhaps CPR:3\n\n",
    ],
)
def test_where_nothing_is_complete_yet(output: str) -> None:
    task, sample = ASKED["relation"]
    assert stop(task, sample, output, reasoned=False) is None


def test_a_thought_the_prompt_opened_is_no_answer() -> None:
    task, sample = ASKED["letter"]
    assert in_thought("<|user|>Which?<|assistant|><think>\n")
    assert not in_thought("<think></think>Which?")
    output = "A\n\nQuestion: is it?\n</think>\nC\n\nQuestion: next"
    assert task.parse(output, sample) == tasks.Answer("C", True)
    assert task.answer_end(output, sample) == output.rindex("Question")


def test_hundreds_of_invented_examples_are_read() -> None:
    task, sample = ASKED["multi"]
    ended(partial(task.parse, "prose\nText: x\n" * 500, sample))
