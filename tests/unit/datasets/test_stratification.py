from __future__ import annotations

from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from quantbench.config import DatasetEntry
from quantbench.contracts.records import Sample
from quantbench.datasets import count_strata, limit_samples, strata_of

LABELS = ["DDI-effect", "DDI-mechanism", "DDI-advise", "DDI-int", "DDI-false"]


def single(counts: dict[str, int]) -> list[Sample]:
    """Samples grouped by label, as the published files are."""
    golds = [label for label, count in counts.items() for _ in range(count)]
    return [Sample(str(n), {"sentence": f"sentence {n}"}, gold, f"d{n}") for n, gold in enumerate(golds)]


def test_strata_are_labels_answers_or_the_presence_of_entities(entries):
    hoc, ner, ddi = entries["hoc"], entries["ncbi_disease"], entries["ddi2013"]
    assert strata_of(Sample("0", {}, ["cellular energetics"], "g"), hoc) == ["cellular energetics"]
    assert strata_of(Sample("0", {}, [], "g"), hoc) == ["without labels"]
    assert strata_of(Sample("0", {}, [], "g"), ner) == ["without entities"]
    assert strata_of(Sample("0", {}, [{"start": 0, "end": 1, "text": "a"}], "g"), ner) == ["with entities"]
    assert strata_of(Sample("0", {}, "DDI-int", "g"), ddi) == ["DDI-int"]


def test_counts_come_in_inventory_order(entries):
    counts = count_strata(single({"DDI-false": 3, "DDI-effect": 1}), entries["ddi2013"])
    assert list(counts.items()) == [("DDI-effect", 1), ("DDI-false", 3)]
    counts = count_strata(single({"yes": 3, "maybe": 2}), entries["pubmedqa"])
    assert list(counts.items()) == [("maybe", 2), ("yes", 3)]


def test_no_limit_and_a_large_limit_return_everything(entries):
    samples = single({"yes": 3, "no": 2})
    assert limit_samples(samples, entries["pubmedqa"], None, 1) == samples
    assert limit_samples(samples, entries["pubmedqa"], 5, 1) == samples
    assert limit_samples(samples, entries["pubmedqa"], 6, 1) == samples


def test_the_published_proportions_of_ddi_at_limit_100(entries):
    counts = {"DDI-effect": 360, "DDI-mechanism": 302, "DDI-advise": 221, "DDI-int": 96, "DDI-false": 4782}
    part = limit_samples(single(counts), entries["ddi2013"], 100, 7)
    assert Counter(sample.gold for sample in part) == {
        "DDI-effect": 6,
        "DDI-mechanism": 5,
        "DDI-advise": 4,
        "DDI-int": 2,
        "DDI-false": 83,
    }


def test_a_file_sorted_by_answer_still_gives_every_answer(entries):
    part = limit_samples(single({"yes": 276, "no": 169, "maybe": 55}), entries["pubmedqa"], 10, 1)
    assert Counter(sample.gold for sample in part) == {"yes": 6, "no": 3, "maybe": 1}


def test_fewer_than_labels_gives_the_most_frequent_ones_once(entries):
    counts = {"DDI-int": 5, "DDI-effect": 50, "DDI-false": 500, "DDI-advise": 20, "DDI-mechanism": 30}
    part = limit_samples(single(counts), entries["ddi2013"], 3, 1)
    assert sorted(sample.gold for sample in part) == ["DDI-effect", "DDI-false", "DDI-mechanism"]


def test_the_seed_decides_and_the_draw_repeats(entries):
    samples = single({"yes": 200, "no": 200})
    first = limit_samples(samples, entries["pubmedqa"], 20, 1)
    assert limit_samples(samples, entries["pubmedqa"], 20, 1) == first
    assert limit_samples(samples, entries["pubmedqa"], 20, 2) != first


def test_a_label_that_stands_only_beside_rarer_ones_is_kept(entries):
    one, two, both, other = list(entries["hoc"].labels)[:4]
    # "both" is more frequent than "one" and "two", and never stands alone.
    golds = [[one]] * 4 + [[one, both]] * 6 + [[two]] * 4 + [[two, both]] * 6 + [[other]] * 90
    samples = [Sample(str(n), {"text": str(n)}, gold, str(n)) for n, gold in enumerate(golds)]
    for seed in range(20):
        part = limit_samples(samples, entries["hoc"], 4, seed)
        assert {label for sample in part for label in sample.gold} == {one, two, both, other}


@given(
    counts=st.dictionaries(st.sampled_from(LABELS), st.integers(1, 60), min_size=1),
    limit=st.integers(1, 120),
    seed=st.integers(0, 5),
)
def test_any_limit_is_met_exactly_in_order_with_every_label_and_in_proportion(entries, counts, limit, seed):
    samples = single(counts)
    part = limit_samples(samples, entries["ddi2013"], limit, seed)
    positions = [int(sample.sample_id) for sample in part]
    assert len(part) == min(limit, len(samples))
    assert positions == sorted(set(positions))
    drawn = Counter(sample.gold for sample in part)
    if limit >= len(counts):
        assert set(drawn) == set(counts)
    for label, count in counts.items():
        share = len(part) * count / len(samples)
        # Rounding, and the one sample each label is owed, move a share by no more than the number of labels.
        assert abs(drawn[label] - share) <= len(counts)


@given(data=st.data())
def test_any_multi_label_part_has_its_size_and_every_label(data, entries):
    entry: DatasetEntry = entries["hoc"]
    inventory = list(entry.labels)
    golds = data.draw(st.lists(st.lists(st.sampled_from(inventory), min_size=1, max_size=3, unique=True), min_size=1))
    samples = [Sample(str(n), {"text": str(n)}, gold, str(n)) for n, gold in enumerate(golds)]
    limit = data.draw(st.integers(1, len(samples) + 1))
    part = limit_samples(samples, entry, limit, data.draw(st.integers(0, 3)))
    present = {label for gold in golds for label in gold}
    assert len(part) == min(limit, len(samples))
    if limit >= len(present):
        assert {label for sample in part for label in sample.gold} == present


def test_multi_label_shares_stay_closer_to_the_whole_than_a_plain_draw(entries):
    inventory = list(entries["hoc"].labels)
    golds = [[inventory[n % 10]] if n % 3 else sorted({inventory[n % 10], inventory[n // 7 % 10]}) for n in range(900)]
    samples = [Sample(str(n), {"text": str(n)}, gold, str(n)) for n, gold in enumerate(golds)]
    whole = count_strata(samples, entries["hoc"])

    def distance(part: list[Sample]) -> float:
        drawn = count_strata(part, entries["hoc"])
        return sum(abs(drawn[label] - whole[label] / 3) for label in inventory)

    stratified = sum(distance(limit_samples(samples, entries["hoc"], 300, seed)) for seed in range(5))
    plain = sum(distance(Random(seed).sample(samples, 300)) for seed in range(5))
    assert stratified < plain / 3
