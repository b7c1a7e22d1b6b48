from __future__ import annotations

from collections import Counter
from statistics import quantiles

import pytest

from quantbench.config import DatasetEntry, find_file
from quantbench.contracts.records import Sample
from quantbench.datasets import SplitSamples, draw_shots, few_shot_pool, read_split_samples

DATASETS = ["hoc", "litcovid", "bc5cdr_chemical", "ncbi_disease", "chemprot", "ddi2013", "medqa", "pubmedqa"]
SPLITS = {"ddi2013": "dev", "medqa": "dev"}


@pytest.fixture
def splits(entries, small_data):
    def read(name: str) -> tuple[DatasetEntry, SplitSamples, SplitSamples]:
        entry, folder = entries[name], small_data / name
        train, test = find_file(entry, SPLITS.get(name, "train"), folder), find_file(entry, "test", folder)
        assert train is not None and test is not None
        return entry, *(read_split_samples(folder / file.name, entry, None) for file in (train, test))

    return read


NOTHING = SplitSamples([], documents_known=True)


def apart(samples: list[Sample]) -> SplitSamples:
    """A split whose samples are each of a document of their own."""
    return SplitSamples(samples, documents_known=True)


def key_text(sample: Sample) -> str:
    return str(sample.inputs.get("text") or sample.inputs.get("sentence") or sample.inputs.get("question"))


@pytest.mark.parametrize("name", DATASETS)
def test_no_text_of_the_test_split_and_no_text_twice(splits, name):
    entry, train, test = splits(name)
    pool = few_shot_pool(train, entry, 1, 100, test=test)
    texts = [key_text(sample).casefold() for sample in pool]
    assert texts
    assert len(set(texts)) == len(texts)
    assert not set(texts) & {key_text(sample).casefold() for sample in test.samples}


def test_the_traps_in_the_small_files_are_refused(splits):
    dropped = {}
    for name in DATASETS:
        entry, train, test = splits(name)
        kept = {sample.sample_id for sample in few_shot_pool(train, entry, 1, 100, test=test)}
        dropped[name] = [sample.sample_id for sample in train.samples if sample.sample_id not in kept]
    # A test text in capitals and a part of a test document; a test sentence; a pair with two labels and a test
    # document; a test question with other options; a test question under another pmid.
    assert dropped == {name: [] for name in DATASETS} | {
        "hoc": ["30", "31"],
        "bc5cdr_chemical": ["3"],
        "chemprot": ["18", "19", "20"],
        "medqa": ["10"],
        "pubmedqa": ["6"],
    }


@pytest.mark.parametrize("name", DATASETS)
@pytest.mark.parametrize("seed", [1, 2])
def test_shots_are_nested_and_repeat(splits, name, seed):
    entry, train, test = splits(name)
    pool = few_shot_pool(train, entry, seed, 64, test=test)
    ten = draw_shots(pool, entry, 10, seed)
    assert len({sample.sample_id for sample in ten}) == min(10, len(pool))
    for shots in range(11):
        assert draw_shots(pool, entry, shots, seed) == ten[:shots]


def test_another_seed_draws_other_examples(splits):
    entry, train, test = splits("hoc")
    pool = few_shot_pool(train, entry, 1, 64, test=test)
    assert draw_shots(pool, entry, 5, 1) != draw_shots(pool, entry, 5, 2)


@pytest.mark.parametrize(("name", "labels"), [("ddi2013", 5), ("chemprot", 6), ("medqa", 5), ("pubmedqa", 3)])
def test_labels_take_turns(splits, name, labels):
    entry, train, test = splits(name)
    shots = draw_shots(few_shot_pool(train, entry, 3, 64, test=test), entry, 2 * labels, 3)
    assert len({sample.gold for sample in shots[:labels]}) == labels
    assert set(Counter(sample.gold for sample in shots).values()) == {2}


def test_a_frequent_label_takes_no_more_turns_than_a_rare_one(entries):
    golds = ["DDI-false"] * 300 + ["DDI-effect"] * 5 + ["DDI-int"] * 3
    samples = [Sample(str(n), {"sentence": f"number {n}"}, gold, f"d{n}") for n, gold in enumerate(golds)]
    pool = few_shot_pool(apart(samples), entries["ddi2013"], 1, 30, test=NOTHING)
    assert Counter(sample.gold for sample in draw_shots(pool, entries["ddi2013"], 9, 1)) == {
        "DDI-false": 3,
        "DDI-effect": 3,
        "DDI-int": 3,
    }


def test_ten_shots_of_hoc_show_every_label(splits):
    entry, train, test = splits("hoc")
    shots = draw_shots(few_shot_pool(train, entry, 5, 64, test=test), entry, 10, 5)
    assert {label for sample in shots for label in sample.gold} == set(entry.labels)


@pytest.mark.parametrize("name", ["bc5cdr_chemical", "ncbi_disease"])
@pytest.mark.parametrize("seed", range(6))
def test_entity_shots_show_one_sentence_without_entities_from_three_on(splits, name, seed):
    entry, train, test = splits(name)
    shots = draw_shots(few_shot_pool(train, entry, seed, 64, test=test), entry, 3, seed)
    assert [bool(sample.gold) for sample in shots] in ([True, True, False], [True, False, True])


def equally_many(entry: DatasetEntry, golds: list[object]) -> list[Sample]:
    """Twelve samples of each gold answer, each of its own document."""
    field = {"multiple_choice": "question", "entity_pairs": "sentence"}.get(entry.reader, "text")
    return [Sample(str(n), {field: f"number {n}"}, golds[n % len(golds)], str(n)) for n in range(12 * len(golds))]


@pytest.mark.parametrize(("name", "labels"), [("medqa", "ABCDE"), ("ddi2013", None)])
def test_no_round_of_labels_foretells_the_next(entries, name, labels):
    """Examples whose answers came round in one order would be a pattern for the model to continue."""
    entry = entries[name]
    inventory = list(labels or entry.labels)
    orders = set()
    for seed in range(20):
        golds = [s.gold for s in draw_shots(equally_many(entry, inventory), entry, 4 * len(inventory), seed)]
        rounds = [tuple(golds[at : at + len(inventory)]) for at in range(0, len(golds), len(inventory))]
        assert all(sorted(drawn) == sorted(inventory) for drawn in rounds), "every round shows every label"
        assert len(set(rounds)) > 1, "no fixed cycle"
        orders.add(rounds[0])
    assert len(orders) > 10  # of 120: another seed begins otherwise too


def test_labels_of_several_a_sample_have_no_fixed_cycle_either(entries):
    golds = [[label] for label in entries["litcovid"].labels]
    shots = draw_shots(equally_many(entries["litcovid"], golds), entries["litcovid"], 21, 1)
    rounds = [tuple(sample.gold[0] for sample in shots[at : at + 7]) for at in (0, 7, 14)]
    assert [set(drawn) for drawn in rounds] == [set(entries["litcovid"].labels)] * 3
    assert len(set(rounds)) > 1


def test_sentences_without_entities_stand_in_no_fixed_place(entries):
    marked = {"start": 0, "end": 6, "text": "number"}
    samples = equally_many(entries["ncbi_disease"], [[marked], [marked], []])
    places = []
    for seed in range(10):
        shots = draw_shots(samples, entries["ncbi_disease"], 15, seed)
        fives = [[bool(sample.gold) for sample in shots[at : at + 5]] for at in (0, 5, 10)]
        assert all(five.count(False) == 1 for five in fives)
        places.append([five.index(False) for five in fives])
    assert all(first in (1, 2) for first, *_ in places)
    assert len({tuple(found) for found in places}) > 5


def test_lengths_from_first_quartile_to_median_are_preferred(entries):
    samples = [Sample(str(n), {"question": "x" * n, "options": {"A": "a"}}, "AB"[n % 2], str(n)) for n in range(1, 101)]
    low, middle, _ = quantiles(range(1, 101), n=4)
    pool = few_shot_pool(apart(samples), entries["medqa"], 1, 20, test=NOTHING)
    assert len(pool) == 20
    assert all(low - 1 <= len(sample.inputs["question"]) <= middle + 1 for sample in pool)


def test_a_label_that_only_long_samples_have_is_still_shown(entries):
    samples = [Sample(str(n), {"sentence": f"{n} " + "x" * n}, "DDI-false", f"d{n}") for n in range(50)]
    samples.append(Sample("50", {"sentence": "y" * 500}, "DDI-int", "d50"))
    pool = few_shot_pool(apart(samples), entries["ddi2013"], 1, 10, test=NOTHING)
    assert "DDI-int" in {sample.gold for sample in draw_shots(pool, entries["ddi2013"], 2, 1)}


def test_shots_come_from_different_documents_where_they_can(entries):
    samples = [Sample(str(n), {"sentence": f"s {n}"}, "DDI-int", f"d{n // 10}") for n in range(40)]
    shots = draw_shots(samples, entries["ddi2013"], 4, 1)
    assert len({sample.group for sample in shots}) == 4


def test_an_empty_pool_draws_nothing_and_a_pool_of_one_is_used(entries):
    sample = Sample("0", {"sentence": "only"}, "DDI-int", "d0")
    assert draw_shots([], entries["ddi2013"], 3, 1) == []
    assert few_shot_pool(NOTHING, entries["ddi2013"], 1, 5, test=NOTHING) == []
    assert few_shot_pool(apart([sample]), entries["ddi2013"], 1, 5, test=NOTHING) == [sample]
    assert few_shot_pool(apart([sample]), entries["ddi2013"], 1, 5, test=apart([sample])) == []


@pytest.mark.parametrize(
    ("known_in_train", "known_in_test", "kept"),
    [(True, True, 1), (True, False, 2), (False, True, 2), (False, False, 2)],
)
def test_a_test_documents_sentences_are_refused_where_both_splits_know_their_documents(
    entries, known_in_train, known_in_test, kept
):
    """Where a split does not, the same name in both is a coincidence."""
    train = [Sample(str(n), {"text": f"train {n}"}, [], f"d{n}") for n in range(2)]
    test = [Sample("0", {"text": "test 0"}, [], "d1")]
    pool = few_shot_pool(
        SplitSamples(train, known_in_train), entries["ncbi_disease"], 1, 5, test=SplitSamples(test, known_in_test)
    )
    assert len(pool) == kept
