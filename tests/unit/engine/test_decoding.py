"""Thoughts that special tokens mark stay marked, and no answer ends inside one: a real tokenizer, a real model."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.scripted_model import make_scripted

from quantbench.config import FAMILIES, ModelEntry, PrecisionEntry, Reasoning, load_datasets, read_entries
from quantbench.contracts.records import Prediction, Sample
from quantbench.engine.batches import Request
from quantbench.engine.decoding import Decoder
from quantbench.engine.decoding_settings import GenerationSettings
from quantbench.engine.generation import Generator
from quantbench.engine.kinds.continuous import answer_continuously
from quantbench.engine.stopping import AnswerCheck
from quantbench.models.loading import LoadedModel, load_model
from quantbench.models.synthetic_tokenizer import SyntheticTokenizer
from quantbench.models.tokenizing import load_tokenizer
from quantbench.tasks import Task, get
from quantbench.tasks.origin import Origin

MISTRAL = FAMILIES["mistral"]
# What a reader takes for the start of a new example stands in the thought and behind the answer.
SCRIPT = ["[THINK]", " DDI-int", "\n\nSentence:", " so what?", "[/THINK]", " DDI-effect", "\n\nText:", " and more"]
CHANNELS = [
    "<|channel|>",
    "analysis",
    "<|message|>",
    "We see.",
    "<|end|>",
    "<|start|>",
    "assistant",
    "final",
    "DDI-int",
]
SAMPLE = Sample("0", {"sentence": "@DRUG$ raises the level of @DRUG$ ."}, "DDI-effect", "d")
Load = Callable[[list[str], list[str]], LoadedModel]


@pytest.fixture(scope="module")
def load(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Load:
    full = read_entries(repository / "config/precisions", PrecisionEntry)["full"]

    def made(script: list[str], special: list[str]) -> LoadedModel:
        folder = tmp_path_factory.mktemp("model")
        entry: ModelEntry = make_scripted(folder, script, special)
        return load_model(folder, entry, full, load_tokenizer(folder), "cpu")

    return made


@pytest.fixture(scope="module")
def mistral(load: Load) -> LoadedModel:
    return load(SCRIPT, ["[THINK]", "[/THINK]"])


@pytest.fixture(scope="module")
def relations(repository: Path) -> Task:
    return get(load_datasets(repository)["ddi2013"])


def answers(
    loaded: LoadedModel, prompt: str, reasoning: Reasoning | None, task: Task | None = None
) -> list[Prediction]:
    """The answers of both engines; with a task, ended where they are complete."""
    check = AnswerCheck(task, {"0": SAMPLE}, Origin(reasoning=reasoning)) if task else None
    generator = Generator(loaded, GenerationSettings(20, reasoning=reasoning), check)
    request = Request("0", prompt, loaded.tokenizer(prompt)["input_ids"])
    return [*generator.answer([request]), *answer_continuously(generator, [request], 512, "cell")]


@given(st.lists(st.integers(0, 307), max_size=12))
@example([129, 300, 97])  # the two bytes of one character, with a marker between them
@settings(max_examples=50)
def test_without_markers_decoding_is_the_tokenizers(mistral: LoadedModel, tokens: list[int]) -> None:
    usual = mistral.tokenizer.decode(tokens, skip_special_tokens=True)
    assert Decoder(mistral.tokenizer)(tokens) == usual
    assert Decoder(mistral.tokenizer, FAMILIES["think"])(tokens) == usual
    kept = Decoder(mistral.tokenizer, MISTRAL)(tokens)
    markers = mistral.tokenizer("[THINK][/THINK]", add_special_tokens=False)["input_ids"]
    parts = [list(part) for marks, part in groupby(tokens, key=lambda token: token in markers) if not marks]
    between = [mistral.tokenizer.decode(part, skip_special_tokens=True) for part in parts]
    assert kept.replace("[THINK]", "").replace("[/THINK]", "") == "".join(between)


def test_only_the_special_tokens_of_the_named_markers_stay(load: Load) -> None:
    tokenizer = load(CHANNELS, [text for text in CHANNELS if text.startswith("<|")]).tokenizer
    written = "<|channel|>analysis<|message|>We see.<|end|><|start|>assistant<|channel|>final<|message|>DDI-int</s>"
    tokens = tokenizer(written)["input_ids"]
    assert Decoder(tokenizer)(tokens) == "analysisWe see.assistantfinalDDI-int"
    kept = "<|channel|>analysis<|message|>We see.assistant<|channel|>final<|message|>DDI-int"
    assert Decoder(tokenizer, FAMILIES["gpt-oss"])(tokens) == kept


def test_a_stand_ins_tokenizer_has_no_markers() -> None:
    tokenizer = SyntheticTokenizer(600)
    for family in FAMILIES.values():
        assert Decoder(tokenizer, family)([0, 5, 599, 1]) == "<5> <599>"


def test_markers_that_are_special_tokens_stay_in_outputs(mistral: LoadedModel) -> None:
    for answer in answers(mistral, "Class?", None):
        assert answer.outputs == ["".join(SCRIPT).replace("[THINK]", "").replace("[/THINK]", "")]
    for answer in answers(mistral, "Class?", MISTRAL):
        assert answer.outputs == ["".join(SCRIPT)]
        assert (answer.new_tokens, answer.finish_reason) == ([len(SCRIPT) + 1], ["stop"])


def test_no_answer_ends_inside_a_thought(mistral: LoadedModel, relations: Task) -> None:
    for answer in answers(mistral, "Class?", MISTRAL, relations):
        assert answer.outputs == ["".join(SCRIPT[:-1])]
        assert (answer.new_tokens, answer.finish_reason) == ([len(SCRIPT) - 1], ["stop"])
        assert relations.parse(answer.outputs[0], SAMPLE, Origin(reasoning=MISTRAL)).value == "DDI-effect"
    # Unnamed, its markers vanish, and the thought is taken for the answer.
    assert answers(mistral, "Class?", None, relations)[0].outputs == ["".join(SCRIPT[1:3])]


def test_nor_inside_one_that_the_prompt_opened(mistral: LoadedModel, relations: Task) -> None:
    """What the prompt opened stands before the output, so that whoever reads it knows of it."""
    for answer in answers(mistral, "Class?[THINK]", MISTRAL, relations):
        assert answer.outputs == ["".join(SCRIPT[:-1])]
        assert answer.new_tokens == [len(SCRIPT) - 2]


def test_a_family_of_plain_text_needs_no_name(load: Load, relations: Task) -> None:
    script = [" DDI-int", "\n\nSentence:", " so what?", "</think>", " DDI-effect", "\n\nText:", " and more"]
    loaded = load(script, [])
    for answer in answers(loaded, "Class?<think>\n", None, relations):
        assert answer.outputs == ["<think>\n" + "".join(script[:-1])]
        assert relations.parse(answer.outputs[0], SAMPLE).value == "DDI-effect"
    # The template's switch is off: the prompt has closed it already.
    assert answers(loaded, "Class?<think>\n\n</think>\n", None, relations)[0].outputs == ["".join(script[:2])]


def test_a_thought_that_is_cut_leaves_no_answer(load: Load, relations: Task) -> None:
    loaded = load([" DDI-int", " DDI-int, surely", " or", " DDI-mechanism"], [])
    generator = Generator(loaded, GenerationSettings(2))
    request = Request("0", "Class?<think>\n", loaded.tokenizer("Class?<think>\n")["input_ids"])
    (answer,) = generator.answer([request])
    assert (answer.outputs, answer.finish_reason) == (["<think>\n DDI-int DDI-int, surely"], ["length"])
    assert not relations.parse(answer.outputs[0], SAMPLE, Origin(cut=True)).ok
