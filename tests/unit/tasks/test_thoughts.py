"""Thoughts are found by their markers, whole, cut or opened by the prompt, and ordinary text is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantbench.config import FAMILIES, Reasoning
from quantbench.tasks.thoughts import find_thoughts, in_thought, opened_by, without_thoughts

NAMES = list(FAMILIES)
TAGS = [name for name in NAMES if name != "huatuo"]
THOUGHT = "\nCould it be A?\n\nQuestion: is it?\nNo.\n"
ANSWER = "\nFinal answer: B\n"
OWN = Reasoning(open="<musing>", close="</musing>")


def whole(family: Reasoning, thought: str = THOUGHT, answer: str = ANSWER) -> str:
    return f"{family.open}{thought}{family.close}{answer}"


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_a_closed_thought_is_taken_off(name: str, named: bool) -> None:
    own = FAMILIES[name] if named else None
    output = whole(FAMILIES[name])
    assert without_thoughts(output, own) == ANSWER
    assert without_thoughts(f"Well.\n{output}", own) == f"Well.\n{ANSWER}"
    assert not in_thought(output, own)
    assert find_thoughts(output, own).start == 0


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_of_an_unclosed_thought_nothing_is_left(name: str, named: bool) -> None:
    own = FAMILIES[name] if named else None
    output = f"{FAMILIES[name].open}{THOUGHT}"
    assert without_thoughts(output, own) == ""
    assert without_thoughts(f"B\n{output}", own) == "B\n"
    assert in_thought(output, own)


@pytest.mark.parametrize("name", NAMES)
def test_cut_anywhere_no_thought_is_left(name: str) -> None:
    family = FAMILIES[name]
    output = whole(family)
    behind = len(output) - len(ANSWER)
    for place in range(len(output)):
        left = without_thoughts(output[:place], family)
        if place < len(family.open):
            assert left == output[:place], "half a marker is no marker, and no answer"
        else:
            assert left == output[behind:place]
        assert in_thought(output[:place], family) == (len(family.open) <= place < behind)


@pytest.mark.parametrize("name", TAGS)
def test_what_the_prompt_opened_ends_at_the_closing_marker(name: str) -> None:
    output = whole(FAMILIES[name]).removeprefix(FAMILIES[name].open)
    assert without_thoughts(output) == ANSWER
    assert output[find_thoughts(output).start :] == ANSWER


def test_a_heading_closes_only_what_it_opened() -> None:
    output = "It is B.\n\n## Final Response\nB"
    assert without_thoughts(output) == output
    assert find_thoughts(output).start == 0


@pytest.mark.parametrize("space", ["", "\n", " \n\n"])
@pytest.mark.parametrize("name", NAMES)
def test_a_prompt_that_ends_with_a_marker_opens_a_thought(name: str, space: str) -> None:
    opened = FAMILIES[name].open + space
    assert opened_by(f"Which?\n{opened}") == opened
    assert opened_by(opened) == opened
    assert in_thought(f"Which?\n{opened}")
    assert without_thoughts(opened_by(f"Which?\n{opened}") + THOUGHT) == ""


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        "Which?",
        "Think between <think> and </think>. Which?",
        "Which?<think>\n\n</think>\n\n",  # a switch that is off
        "Text: the tag <think> opens it.\nClass:",
        "## Thinking about drugs\n",
    ],
)
def test_other_prompts_open_none(prompt: str) -> None:
    assert opened_by(prompt) == ""


@given(
    st.lists(
        st.tuples(
            st.sampled_from(TAGS[:-1]), st.sampled_from(["", " B ", "\nNo.\n"]), st.sampled_from(["", "C", "\nD:"])
        )
    )
)
def test_of_several_thoughts_what_stands_between_is_left(parts: list[tuple[str, str, str]]) -> None:
    output = "".join(whole(FAMILIES[name], thought, answer) for name, thought, answer in parts)
    assert without_thoughts(output) == "".join(answer for _, _, answer in parts)
    assert not in_thought(output)
    assert in_thought(f"{output}<think>")


@pytest.mark.parametrize(
    "inner", ["<analysis>", "</think> ", "[THINK] [/THINK]", "<|channel|>final<|message|>", "</reasoning>"]
)
def test_inside_a_thought_no_other_marker_counts(inner: str) -> None:
    output = f"## Thinking\nI might write {inner}\n\n## Final Response\n\nB"
    assert without_thoughts(output, FAMILIES["huatuo"]).strip() == "B"
    assert without_thoughts(output).strip() == "B"


@pytest.mark.parametrize(
    "output",
    [
        "<THINK>A</Think>B",
        "## Thinking\nA\n## Final Response\nB",
        "### **Thinking**\nA\n### **Final Response**\nB",
        "# thinking:\nA\n#### Final  response :\nB",
        "##Thinking\nA\n##Final Response\nB",
    ],
)
def test_letter_case_and_marks_of_headings_do_not_matter(output: str) -> None:
    assert without_thoughts(output).strip() == "B"


@pytest.mark.parametrize(
    ("output", "answer"),
    [
        ("analysisWe need one letter. A? No.assistantfinalB", "B"),
        ("analysisWe need a word.assistantfinalmaybe", "maybe"),
        ("analysisFirst.assistantanalysisSecond.assistantfinal**B**", "**B**"),
        ("We need one letter.assistantfinalB", "B"),  # the prompt opened it
        ("finalYes", "Yes"),  # without a thought
        ("analysisWe need one letter. Is it A", ""),
        ("<|channel|>final<|message|>B", "B"),
        ("<|channel|>analysis<|message|>A?<|end|><|start|>assistant<|channel|>final<|message|>B", "B"),
    ],
)
def test_channels_are_known_with_and_without_their_special_tokens(output: str, answer: str) -> None:
    assert without_thoughts(output) == answer
    assert without_thoughts(output, FAMILIES["gpt-oss"]) == answer


@pytest.mark.parametrize(
    "output",
    [
        "analysis of the abstract shows DDI-int",
        "Analysis: DDI-int",
        "analysis: DDI-int",
        "analysis\n\nThe answer is B",
        "analysis, in short, B",
        "ANALYSIS B",
        "The analysisThe is a misprint. B",
        "final answer: B",
        "Final answer: B",
        "finally B",
        "I think </ think > B",
        "Thinking about it, B",
        "Thinking\n\nB",
        "## Thinking about the options\nB",
        "THINK: B",
        "The reasoning is short: B",
        "1 < 2 thinking > B",
    ],
)
def test_ordinary_text_is_left_alone(output: str) -> None:
    assert without_thoughts(output) == output
    assert not in_thought(output)
    assert find_thoughts(output).start == 0


@pytest.mark.parametrize("opens", ["Final answer:", "**Final answer:**", "### Final Answer\n", "- Final response:"])
def test_a_heading_of_a_model_that_names_none_hides_no_final_answer(opens: str) -> None:
    output = f"## Thinking\nIt may be A.\n{opens} B"
    assert without_thoughts(output) == f"{opens} B"
    assert without_thoughts(output, FAMILIES["huatuo"]) == ""
    assert without_thoughts("## Thinking\nSo the final answer is B") == ""


@pytest.mark.parametrize(
    "own",
    [
        OWN,
        Reasoning(open="\u25c1muse\u25b7", close="\u25c1/muse\u25b7"),
        Reasoning(open="<|begin_of_musing|>", close="<|end_of_musing|>"),
        Reasoning(open="# Notes", close="# Answer"),
    ],
)
def test_a_models_own_markers_count_where_they_are_named(own: Reasoning) -> None:
    output = whole(own)
    assert without_thoughts(output) == output
    assert without_thoughts(output, own) == ANSWER
    assert without_thoughts(whole(FAMILIES["think"]), own) == ANSWER
    assert without_thoughts(f"{own.open}{THOUGHT}", own) == ""
    assert opened_by(f"Which?\n{own.open}\n", own) == f"{own.open}\n"
    assert without_thoughts("The answer is B.", own) == "The answer is B."


def test_own_markers_take_the_place_of_a_family_that_opens_alike() -> None:
    own = Reasoning(open="<think>", close="<answer>")
    assert without_thoughts("<think>A<answer>B", own) == "B"
    assert without_thoughts("<think>A<answer>B") == ""
    heading = Reasoning(open="# Thinking", close="# Answer")
    assert without_thoughts("## Thinking\nA\n## Answer\nB", heading).strip() == "B"


@given(st.text(alphabet="<>/[]#|thinkTHINKanalysis \n"), st.sampled_from([None, OWN, *FAMILIES.values()]))
def test_what_follows_within_a_thought_adds_nothing(text: str, own: Reasoning | None) -> None:
    left = without_thoughts(text, own)
    assert len(left) <= len(text)
    followed = without_thoughts(f"{text}\nB", own)
    assert followed == (left if in_thought(text, own) else f"{left}\nB")
