"""What holds for every gold answer and every text: styles of output parse back, and nothing raises."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import inventories
import pytest
from hang import ended
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from quantbench import tasks
from quantbench.contracts.records import Sample
from quantbench.tasks.origin import Origin

MULTI = tasks.get(inventories.multi_label(inventories.HOC))
RELATION = tasks.get(inventories.relations(inventories.CHEMPROT, "false"))
LETTER = tasks.get(inventories.lettered())
WORD = tasks.get(inventories.yes_no_maybe())
ENTITY = tasks.get(inventories.entities("chemical"))

TEXTS = {
    "multi": (MULTI, inventories.sample(text="Masks in trams and trains .")),
    "relation": (RELATION, inventories.sample(sentence="@CHEMICAL$ blocks @GENE$ .")),
    "letter": (LETTER, inventories.sample(question="Which of these drugs helps?", options=inventories.OPTIONS)),
    "word": (WORD, inventories.sample(question="Does zintol help the patients?", context="")),
    "entity": (ENTITY, inventories.sample(text="Zintol ( 0 . 05 mg ) lowered tremor more than L - dopa .")),
}
# Pieces that outputs are made of, so that random texts reach deeper than random characters would.
PIECES = st.sampled_from([
    "CPR:3", "CPR:4", "false", "CPR:7", "yes", "no", "maybe", "A", "C.", "(C)", "Aspirin", "resisting cell death", "inducing angio",
    "Final answer:", "Therefore,", "The answer is", "Class:", "Sentence:", "Explanation:", "not", "or", "and", ";", ",", ".", ":", "\n",
    "\n\n", "- ", "1. ", "{", "}", "[", "]", '"', "'", "**", "```", "<span>", "</span>", "<b>", "</b>", "&lt;", "&", "<", "\\boxed{", "1", "0",
    "true", "none", "Zintol", "L-dopa", "lowered tremor", "<think>", "</think>", "<|im_end|>", "\u200b", "é", "ß", "İ", "\x00", "\u2028",
])  # fmt: skip
OUTPUTS = st.one_of(
    st.text(max_size=80), st.lists(PIECES, max_size=25).map("".join), st.lists(PIECES, max_size=25).map(" ".join)
)

AROUND = st.sampled_from([
    "{}", " {}\n", "{}\n\nSentence: other\nAnswer: other", "Final answer: {}", "Some thoughts first.\nFinal answer: {}", "```\n{}\n```",
    "<think>hm</think>{}", "{}<|im_end|>", "Answer: {}", "{}\n\nExplanation: because of the text.",
])  # fmt: skip


@pytest.mark.parametrize("name", list(TEXTS))
@given(output=OUTPUTS)
@settings(max_examples=150, deadline=None)
def test_no_text_raises_and_every_answer_is_of_its_kind(name: str, output: str) -> None:
    task, sample = TEXTS[name]
    for answer in (task.parse(output, sample), task.parse_strict(output, sample)):
        assert answer.ok or answer.value == task.empty
        json.dumps(answer.value)
        gold = {"multi": [], "relation": "false", "letter": "A", "word": "no", "entity": []}[name]
        assert task.counts([answer.value], [gold]).shape == (1, len(task.labels), 3)


@given(gold=st.sets(st.sampled_from(inventories.HOC)), style=st.integers(0, 8), around=AROUND)
@settings(max_examples=200, deadline=None)
def test_multi_label_styles_parse_back(gold: set[str], style: int, around: str) -> None:
    labels = [label for label in inventories.HOC if label in gold]
    flags: dict[str, Any] = {label: int(label in gold) for label in inventories.HOC}
    styles = [
        MULTI.render(labels, TEXTS["multi"][1]),
        ", ".join(labels) or "None",
        "\n".join(f"- {label.capitalize()}" for label in labels) or "none",
        json.dumps(labels),
        str(labels),
        json.dumps(flags, indent=2),
        str({label: bool(value) for label, value in flags.items()}),
        "\n".join(f"{label}: {'yes' if value else 'no'}" for label, value in flags.items()),
        "\n".join(f"{number}. **{label}**" for number, label in enumerate(labels, start=1)) or "none",
    ]
    assert MULTI.parse(around.format(styles[style]) if "{}" in around else around, TEXTS["multi"][1]) == tasks.Answer(
        labels, True
    )


@given(gold=st.sampled_from(list(inventories.CHEMPROT)), style=st.integers(0, 5), around=AROUND)
@settings(max_examples=200, deadline=None)
def test_relation_styles_parse_back(gold: str, style: int, around: str) -> None:
    styles = [gold, f"**{gold}**", f'"{gold}"', json.dumps({"class": gold}), f"The class is {gold}.", f"{gold}."]
    assert RELATION.parse(around.format(styles[style]), TEXTS["relation"][1]) == tasks.Answer(gold, True)


@given(gold=st.sampled_from(list(inventories.OPTIONS)), style=st.integers(0, 6), around=AROUND)
@settings(max_examples=200, deadline=None)
def test_letter_styles_parse_back(gold: str, style: int, around: str) -> None:
    text = inventories.OPTIONS[gold]
    styles = [
        gold,
        f"({gold})",
        f"{gold}. {text}",
        f"**{gold}) {text}**",
        f"{text} ({gold})",
        text,
        json.dumps({"answer": gold}),
    ]
    assert LETTER.parse(around.format(styles[style]), TEXTS["letter"][1]) == tasks.Answer(gold, True)


@given(gold=st.sampled_from(["yes", "no", "maybe"]), style=st.integers(0, 4), around=AROUND)
@settings(max_examples=150, deadline=None)
def test_word_styles_parse_back(gold: str, style: int, around: str) -> None:
    styles = [
        gold,
        f"{gold.capitalize()}.",
        f"**{gold.upper()}**",
        f"{gold.capitalize()}, because of the data.",
        json.dumps({"answer": gold}),
    ]
    assert WORD.parse(around.format(styles[style]), TEXTS["word"][1]) == tasks.Answer(gold, True)


# No "b": a sentence that itself holds "<b>" cannot be told from a marked one.
TOKENS = st.text(alphabet=st.sampled_from("acdXYZ0129.,()-'<>&%αβ"), min_size=1, max_size=8)


@st.composite
def sentences(draw: st.DrawFn) -> Sample:
    """Draw a tokenised sentence with gold entities, adjacent and repeated ones among them."""
    tokens = draw(st.lists(TOKENS, min_size=3, max_size=14))
    tags = draw(st.lists(st.sampled_from("BIOO"), min_size=len(tokens), max_size=len(tokens)))
    gold: list[dict[str, Any]] = []
    end, inside = 0, False
    for token, tag in zip(tokens, tags, strict=True):
        start, end = end, end + len(token)
        if tag == "I" and inside:
            gold[-1] = {"start": gold[-1]["start"], "end": end, "text": f"{gold[-1]['text']} {token}"}
        elif tag == "B":
            gold.append({"start": start, "end": end, "text": token})
        inside = tag == "B" or (tag == "I" and inside)
    return Sample("0", {"text": " ".join(tokens)}, gold, "g")


def restyled(shown: str, opens: str, closes: str) -> str:
    return shown.replace("<span>", opens).replace("</span>", closes)


@given(sample=sentences(), style=st.integers(0, 9))
@settings(max_examples=300, deadline=None)
def test_entity_styles_parse_back(sample: Sample, style: int) -> None:
    shown = ENTITY.render(sample.gold, sample)
    # Mere emphasis on all of the sentence marks no part of it.
    assume(style < 6 or [entity["text"] for entity in sample.gold] != [sample.inputs["text"]])
    styles = [
        shown,
        f"Marked: {shown}",
        shown.replace("<span>", '<span class="x">'),
        "".join(shown.split()),
        f"Final answer: {shown}\n\nSentence: another one\nFinal answer: another one",
        restyled(shown, "<drug>", "</drug>"),
        restyled(shown, "<em> ", " </em>"),
        restyled(shown, "**", "**"),
        restyled(shown, "[[", "]]"),
        restyled(shown, "<hit>", "</hit>").replace("Z", "\uff3a"),
    ]
    assert ENTITY.parse(styles[style], sample) == tasks.Answer(sample.gold, True)
    assert ENTITY.parse_strict(shown, sample) == tasks.Answer(sample.gold, True)


@given(sample=sentences())
@settings(max_examples=100, deadline=None)
def test_gold_entities_count_as_right(sample: Sample) -> None:
    counts = ENTITY.counts([sample.gold], [sample.gold])
    assert counts[0, 0].tolist() == [len(sample.gold), 0, 0]


@pytest.mark.parametrize("name", list(TEXTS))
@pytest.mark.parametrize(
    "piece",
    [
        " ",
        "\n",
        '"',
        "<span>",
        "<span>a</span> ",
        "A. ",
        "CPR:3 ",
        "therefore ",
        "final answer ",
        "{",
        "x",
        "no ",
        "- a\n",
    ],
)
def test_long_monotonous_outputs_are_read(name: str, piece: str) -> None:
    task, sample = TEXTS[name]
    output = piece * (4000 // len(piece))
    ended(partial(task.parse, output, sample))


# Each piece is as good as any other here, so that nothing repeats itself and everything is read.
def _mixed(pieces: str) -> str:
    return "".join(pieces[(number * number // 7) % len(pieces)] for number in range(3_000))


BLANKS = _mixed(" \t")


@pytest.mark.parametrize("name", list(TEXTS))
@pytest.mark.parametrize(
    "output",
    [
        f"Sentence{BLANKS}(:",
        f"Question 1{BLANKS}*(:",
        f"user{BLANKS}x",
        f"## Thinking{BLANKS}x",
        f"```{BLANKS}(",
        f"{BLANKS}(x",
        f"$${BLANKS}x",
        f"final answer{BLANKS}",
        "yes," + _mixed(" \x85"),
        "A" + _mixed(" \u2028"),
        _mixed(" \u2028\u2029\x1c"),
        _mixed("\"')]"),
        _mixed("(["),
        _mixed("*_`"),
        _mixed('"{[:,'),
        _mixed("<>/&;"),
        "".join(f"also-{number}-" for number in range(600)),
        "".join(f"[{number} " for number in range(900)),
        '{"a": "resisting cell death", ' + "".join(f'"b{number}": "apoptosis", ' for number in range(300)),
        "".join(f"CPR:{3 + number * number // 7 % 2} " for number in range(600)),
    ],
)
@pytest.mark.parametrize("origin", [Origin(), Origin(cut=True, reasoned=True, prompts="as_published")])
def test_hard_texts_that_do_not_repeat_are_read(name: str, output: str, origin: Origin) -> None:
    task, sample = TEXTS[name]
    ended(partial(task.parse, output, sample, origin))
