"""Scores as the paper's authors scored: each convention by small examples, scikit-learn's own values, the anchors of real files."""

from __future__ import annotations

import random
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import inventories
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score
from sklearn.preprocessing import MultiLabelBinarizer

from quantbench import tasks
from quantbench.config import DatasetEntry, load_datasets
from quantbench.datasets import read_split
from quantbench.errors import ConfigError
from quantbench.tasks import PublishedConvention, published_answer, published_convention, published_metric

MULTI = inventories.multi_label(inventories.LITCOVID)
DDI = inventories.relations(inventories.DDI, "DDI-false")
# Of three classes, so that macro F1 over the inventory is that over the labels that occur.
THREE = inventories.relations(dict.fromkeys(["CPR:3", "CPR:4", "false"], ""), "false")
ENTITY = inventories.entities("chemical")
LETTER = inventories.lettered()
WORD = inventories.yes_no_maybe()


def convention(entry: DatasetEntry) -> PublishedConvention:
    found = published_convention(entry)
    assert found is not None
    return found


def mentions(*names: str) -> list[Any]:
    return [{"start": 10 * n, "end": 10 * n + len(name), "text": name} for n, name in enumerate(names)]


def marked(names: Any) -> str:
    return " and ".join(f'<span class="chemical">{name}</span>' for name in names)


def by_scikit_learn(answers: list[Any], golds: list[Any]) -> float:
    """Macro F1 of the collections that a binarizer takes answers for, over the classes of gold."""
    binarizer = MultiLabelBinarizer()
    true = binarizer.fit_transform(golds)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # classes that are unknown to gold
        told = binarizer.transform(answers)
    return float(f1_score(true, told, average="macro", zero_division=0))


@pytest.mark.parametrize(
    ("raw", "answer"),
    [
        ("DDI-false", "DDI-false"),
        ("\n\n  yes \nbecause", "yes"),
        ("yes\r\nno", "yes"),
        ("Treatment; Prevention # and so on", "Treatment; Prevention"),
        ("## Answer\nyes", ""),
        ("  \n ", ""),
        ("", ""),
        ("[yes]", "[yes]"),
    ],
)
def test_an_answer_at_once_is_the_first_line_up_to_a_hash(raw: str, answer: str) -> None:
    assert published_answer([raw], reasoned=False) == answer


@pytest.mark.parametrize(
    ("raw", "answer"),
    [
        ("It lowers fever, so [ yes ].", "yes"),
        ("Either [no] or, rather, [yes]", "no"),
        ("[Treatment;\nPrevention]", "Treatment;\nPrevention"),
        ("so the answer is yes\n", "so the answer is yes"),
        ("] not [closed", "] not [closed"),
        ("a [list [in] a list]", "list [in"),
        ("[]", ""),
    ],
)
def test_an_answer_after_reasoning_is_the_first_pair_of_brackets_or_the_whole(raw: str, answer: str) -> None:
    assert published_answer([raw], reasoned=True) == answer


def test_of_several_chains_the_most_frequent_text_wins_and_of_equals_the_first() -> None:
    assert published_answer(["so [no]", "hm [yes]", "[yes]", "[no]", "[ yes ]"], reasoned=True) == "yes"
    assert published_answer(["so [no]", "[yes]", "[yes]", "[no]"], reasoned=True) == "no"
    assert published_answer(["[Yes]", "[yes]", "[no]"], reasoned=True) == "Yes"


def test_labels_stand_between_semicolons_and_those_that_gold_never_has_are_neither_asked_nor_counted() -> None:
    golds = [["Treatment"], ["Treatment", "Prevention"]]
    score = convention(MULTI).value
    assert score(["Treatment.", " Treatment ;Prevention"], golds) == 1.0
    assert score(["Treatment; Diagnosis; vaccines", "Treatment; Prevention"], golds) == 1.0
    assert score(["treatment", "Treatment; Prevention"], golds) == pytest.approx((2 / 3 + 1) / 2)
    assert score(["Treatment, Prevention", ""], golds) == 0.0


def test_entities_are_sets_of_strings_and_invented_ones_cost_nothing() -> None:
    golds = [mentions("aspirin", "NaCl", "aspirin"), mentions("zintol"), mentions()]
    right = ['<span>NaCl</span> or <span class="chemical">aspirin</span>', "<span>zintol</span>", ""]
    score = convention(ENTITY).value
    assert score(right, golds) == 1.0
    assert score([f"{right[0]} {marked(['fever', 'the dose', 'pain'])}", *right[1:]], golds) == 1.0
    assert score([right[0].replace("NaCl", "nacl"), *right[1:]], golds) == pytest.approx(2 / 3)
    # Wrong only where another sentence has it: aspirin is then told twice, and right once.
    assert score([right[0], right[1] + "<span>aspirin</span>", ""], golds) == pytest.approx((2 / 3 + 1 + 1) / 3)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("<span>a b</span>", {"a b"}),
        ('<span class="x" id=y>a</span><span\n>b</span>', {"a", "b"}),
        ("<span>a", set()),
        ("a</span>", set()),
        ("<b>a</b> <spanner>a</spanner> <SPAN>b</SPAN>", set()),
        ("<span>a <span>b</span> c</span>", {"a <span>b"}),
        ("<span><span>a</span>", {"<span>a"}),
        ("<span></span>", {""}),
    ],
)
def test_an_entity_is_what_a_span_encloses_up_to_the_next_end(answer: str, told: set[str]) -> None:
    assert convention(ENTITY).parts(answer) == told


def test_relations_are_scored_by_the_characters_of_their_names() -> None:
    golds: list[Any] = ["CPR:3", "CPR:3", "CPR:4", "false"]
    answers = ["CPR:3", "CPR:4", "false", "false"]
    task = tasks.get(THREE)
    by_label = task.metric.value(task.counts(answers, golds).sum(axis=0))
    assert by_label == pytest.approx(f1_score(golds, answers, average="macro")) == pytest.approx(0.444, abs=5e-4)
    assert convention(THREE).value(answers, golds) == pytest.approx(0.655, abs=5e-4)
    # C, P, R and the colon: F1 of 4/5 each; 3: 2/3; 4: 0; the letters of "false": 2/3.
    assert convention(THREE).value(answers, golds) == pytest.approx((4 * 0.8 + 2 / 3 + 0 + 5 * 2 / 3) / 11)
    # Any text is a collection of characters; those that no class has are dropped, so these two are the same answer.
    assert convention(THREE).value(["RP:3C!"] * 4, golds) == convention(THREE).value(["CPR:3"] * 4, golds)


def test_questions_are_answered_by_the_text_before_a_full_stop_letter_case_and_all() -> None:
    word, letter = convention(WORD).value, convention(LETTER).value
    assert word(["yes", "yes. The trial says so.", " yes ", "no"], ["yes"] * 4) == 0.75
    assert word(["Yes", "Yes.", "YES", "yes, it does", "The answer is yes", ""], ["yes"] * 6) == 0.0
    assert letter(["C", "C. Warfarin", "C .", "(C)", "c", "C: Warfarin", "Warfarin", ""], ["C"] * 8) == 3 / 8


def test_what_gold_never_has_is_unknown() -> None:
    assert convention(DDI).unknown_rate(["", "???", "DDI-int", "x i"], ["DDI-false", "DDI-int"] * 2) == 0.5
    assert convention(WORD).unknown_rate(["Yes", "no", "yes", "maybe"], ["yes", "no", "no", "yes"]) == 0.5
    assert convention(MULTI).unknown_rate(["Treatment", "Diagnosis"], [["Treatment"], []]) == 0.5
    assert convention(ENTITY).unknown_rate([marked(["a", "x"]), marked(["y"])], [mentions("a"), mentions("b")]) == 0.5


def test_the_best_constant_answer_names_everything_or_one_class_or_one_answer() -> None:
    golds: list[Any] = ["CPR:3", "CPR:3", "CPR:4", "false"]
    always = {label: convention(THREE).value([label] * 4, golds) for label in THREE.labels}
    assert convention(THREE).constant_value(golds) == pytest.approx(max(always.values()))
    # More than any class: all characters at once, which names none.
    assert convention(THREE).value(["CPR:34false"] * 4, golds) > max(always.values())
    labels = [["Treatment"], ["Treatment", "Prevention"], []]
    assert convention(MULTI).constant_value(labels) == pytest.approx(
        convention(MULTI).value(["Treatment; Prevention"] * 3, labels)
    )
    entities = [mentions("a", "b"), mentions("a"), mentions()]
    assert convention(ENTITY).constant_value(entities) == pytest.approx(
        convention(ENTITY).value([marked("ab")] * 3, entities)
    )
    assert convention(WORD).constant_value(["yes", "no", "no"]) == pytest.approx(2 / 3)


def test_gold_without_anything_to_find_scores_zero() -> None:
    assert convention(ENTITY).value([marked("a"), ""], [[], []]) == 0.0
    assert convention(ENTITY).constant_value([[], []]) == 0.0
    assert convention(MULTI).value(["Treatment"], [[]]) == 0.0


def test_metrics_are_named_for_what_they_measure() -> None:
    titles = {entry.task: convention(entry).metric.title for entry in (MULTI, DDI, ENTITY, WORD)}
    assert titles == {
        "multi_label_classification": "macro F1 over labels present in gold",
        "relation_extraction": "macro F1 over characters",
        "named_entity_recognition": "macro F1 over distinct gold mentions",
        "question_answering": "accuracy, letter case counted",
    }
    assert published_metric(convention(DDI).metric.name) is convention(DDI).metric
    with pytest.raises(ConfigError, match="macro_f1_over_characters"):
        published_metric("macro_f1_over_character")


@pytest.mark.parametrize("name", ["macro_f1_over_characters", "case_sensitive_accuracy"])
def test_a_dataset_cannot_ask_for_a_published_metric(name: str) -> None:
    with pytest.raises(ConfigError, match="unknown metric"):
        tasks.get(DDI.model_copy(update={"metric": name}))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["multi", "relation", "entity"])
def test_values_are_those_of_scikit_learn(kind: str, seed: int) -> None:
    generator = random.Random(seed)
    names = [f"drug {number}" for number in range(40)]

    def some(things: Any) -> list[Any]:
        return sorted(generator.sample(things, generator.choice([0, 1, 1, 2, 3])))

    golds: list[Any]
    texts: list[str]
    if kind == "relation":
        golds = [generator.choice(["CPR:3", "CPR:4", "false", "false"]) for _ in range(100)]
        texts = [generator.choice(["CPR:3", "CPR:9", "false", "It is CPR:4", "activator", ""]) for _ in golds]
        binarized = (texts, golds)
    else:
        golds = [some(names[:30]) for _ in range(100)]
        told = [gold if generator.random() < 0.5 else some(names) for gold in golds]
        texts = [marked(each) if kind == "entity" else "; ".join(each) for each in told]
        binarized = (told, golds)
        golds = [mentions(*gold) for gold in golds] if kind == "entity" else golds
    entry = {"multi": MULTI, "relation": THREE, "entity": ENTITY}[kind]
    value = convention(entry).value(texts, golds)
    assert 0 < value < 1
    assert value == pytest.approx(by_scikit_learn(*binarized), abs=1e-12)


def read(name: str, repository: Path, real_data: Path) -> tuple[DatasetEntry, list[Any]]:
    entry = load_datasets(repository)[name]
    path = real_data / name / ("test.reconstructed.tsv" if name == "chemprot" else "test.tsv")
    return entry, [sample.gold for sample in read_split(path, entry, None)]


@pytest.mark.parametrize(
    ("name", "negative", "by_characters", "by_label", "all_characters"),
    [("ddi2013", "DDI-false", 0.4850, 0.1814, 0.5489), ("chemprot", "false", 0.3142, 0.1466, 0.4439)],
)
def test_published_relations_answered_in_the_negative(
    name: str,
    negative: str,
    by_characters: float,
    by_label: float,
    all_characters: float,
    repository: Path,
    real_data: Path,
) -> None:
    entry, golds = read(name, repository, real_data)
    task, answers = tasks.get(entry), [negative] * len(golds)
    assert convention(entry).value(answers, golds) == pytest.approx(by_characters, abs=5e-5)
    assert by_scikit_learn(answers, golds) == pytest.approx(by_characters, abs=5e-5)
    assert convention(entry).constant_value(golds) == pytest.approx(by_characters, abs=5e-5)
    assert task.metric.value(task.counts(answers, golds).sum(axis=0)) == pytest.approx(by_label, abs=5e-5)
    text = "".join(sorted(set("".join(golds))))
    assert convention(entry).value([text] * len(golds), golds) == pytest.approx(all_characters, abs=5e-5)


@pytest.mark.parametrize(
    ("name", "distinct", "left", "all_mentions"),
    [("bc5cdr_chemical", 1241, 4960, 5385), ("ncbi_disease", 423, 922, 960)],
)
def test_published_entities_as_sets_of_strings(
    name: str, distinct: int, left: int, all_mentions: int, repository: Path, real_data: Path
) -> None:
    entry, golds = read(name, repository, real_data)
    counts = convention(entry).counts([""] * len(golds), golds)
    assert counts.total().sum(axis=0).tolist() == [0, 0, left]
    assert (counts.labels, sum(map(len, golds))) == (distinct, all_mentions)
    generator = random.Random(7)
    told = [[m["text"] for m in (gold if generator.random() < 0.7 else generator.choice(golds))] for gold in golds]
    value = convention(entry).value([marked(each) for each in told], golds)
    assert value == pytest.approx(by_scikit_learn(told, [[m["text"] for m in gold] for gold in golds]), abs=1e-12)


@pytest.mark.parametrize("name", ["hoc", "litcovid"])
def test_published_labels_are_written_as_their_file_has_them(name: str, repository: Path, real_data: Path) -> None:
    entry, golds = read(name, repository, real_data)
    # The last column, as read without any reader of ours.
    lines = (real_data / name / "test.tsv").read_text(encoding="utf-8").splitlines()[1:]
    written = [re.split(r"\t", line)[-1] for line in lines]
    assert {part for cell in written for part in cell.split(";")} == set(entry.labels)
    assert convention(entry).value(written, golds) == 1.0


@pytest.mark.parametrize("name", ["medqa", "pubmedqa"])
def test_published_answers_are_letters_and_words_in_lower_case(name: str, repository: Path, real_data: Path) -> None:
    entry, golds = read(name, repository, real_data)
    assert set(golds) == ({"yes", "no", "maybe"} if name == "pubmedqa" else set("ABCDE"))
    answers = [generator_answer(gold, number) for number, gold in enumerate(golds)]
    expected = accuracy_score(golds, [answer.split(".")[0].strip() for answer in answers])
    assert convention(entry).value(answers, golds) == pytest.approx(expected)
    assert 0 < expected < 1


def generator_answer(gold: str, number: int) -> str:
    """The gold answer in one of four forms, two of which are right."""
    return [gold, f"{gold}. Because of the text", f"The answer is {gold}", gold.swapcase()][number % 4]


PIECES = st.sampled_from([
    "<span", "<span>", '<span class="chemical">', "</span>", ">", "[", "]", "#", ";", ".", "\n", "\r", "DDI-false", "yes", "x", " ",
    "\u2028", "\x00", "é", "\ud800",
])  # fmt: skip


@given(
    outputs=st.lists(
        st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=30).map("".join)), min_size=1, max_size=5
    )
)
@settings(max_examples=300, deadline=None)
def test_no_text_raises_and_every_score_is_a_share(outputs: list[str]) -> None:
    golds: dict[str, Any] = {"multi": ["Treatment"], "relation": "DDI-int", "entity": mentions("x"), "word": "yes"}
    entries = {"multi": MULTI, "relation": DDI, "entity": ENTITY, "word": WORD}
    for reasoned in (False, True):
        answer = published_answer(outputs, reasoned)
        for kind, entry in entries.items():
            assert 0 <= convention(entry).value([answer, ""], [golds[kind]] * 2) <= 1
            assert convention(entry).unknown_rate([answer], [golds[kind]]) in (0, 1)


@pytest.mark.parametrize(
    "make",
    [
        lambda: "<span>" * 20_000,
        lambda: "<span " * 20_000,
        lambda: "<span>x</span>" * 20_000,
        lambda: "</span>" * 20_000,
        lambda: "[" * 50_000 + "]",
        lambda: "a; " * 50_000,
        lambda: "# . ; \n" * 50_000,
    ],
    ids=["open", "half open", "closed", "ends", "brackets", "labels", "mixed"],
)
def test_long_outputs_are_read(make: Callable[[], str]) -> None:
    text = make()
    for entry, gold in ((ENTITY, mentions("x")), (MULTI, ["a"]), (DDI, "DDI-int"), (WORD, "yes")):
        for reasoned in (False, True):
            assert 0 <= convention(entry).value([published_answer([text] * 3, reasoned)], [gold]) <= 1
