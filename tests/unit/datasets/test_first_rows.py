"""Worked examples as the paper's authors chose them: the first rows, grouped by label where there is one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from quantbench.config import DatasetEntry, find_file
from quantbench.contracts.prepared_dataset import PreparedDataset
from quantbench.contracts.records import Sample, read_records
from quantbench.datasets import MAX_SHOTS, check_prepared, prepare, prepare_first_rows, read_split, worked_examples
from quantbench.datasets.first_rows import first_rows, first_rows_pool

CLASSES = ["CPR:3", "CPR:4", "CPR:5", "CPR:6", "CPR:9", "false"]


def rows(golds: list[str]) -> list[Sample]:
    return [Sample(str(number), {"sentence": f"s{number}"}, gold, "d") for number, gold in enumerate(golds)]


CHEMPROT = rows(["false"] * 50 + [label for label in reversed(CLASSES) for _ in range(4)])


@pytest.mark.parametrize(
    ("shots", "shown"),
    [
        (1, {"CPR:3": 1}),
        (3, {"CPR:3": 1, "CPR:4": 1, "CPR:5": 1}),
        (5, {"CPR:3": 1, "CPR:4": 1, "CPR:5": 1, "CPR:6": 1, "CPR:9": 1}),
        (6, dict.fromkeys(CLASSES, 1)),
        (10, {"CPR:3": 2, "CPR:4": 2, "CPR:5": 2, "CPR:6": 2, "CPR:9": 2}),
        (12, dict.fromkeys(CLASSES, 2)),
    ],
)
def test_labels_come_in_sorted_order_and_are_cut(shots: int, shown: dict[str, int]) -> None:
    found = first_rows(CHEMPROT, shots)
    assert Counter(sample.gold for sample in found) == shown
    assert [sample.gold for sample in found] == sorted(str(sample.gold) for sample in found)
    for label, count in shown.items():
        first = [sample for sample in CHEMPROT if sample.gold == label][:count]
        assert [sample for sample in found if sample.gold == label] == first


def test_what_is_kept_gives_every_number_of_examples_what_the_file_gives() -> None:
    pool = first_rows_pool(CHEMPROT, MAX_SHOTS)
    assert len(pool) == 6 * 3
    for shots in range(MAX_SHOTS + 1):
        assert first_rows(pool, shots) == first_rows(CHEMPROT, shots)
        assert len(first_rows(pool, shots)) == shots


def test_lists_of_labels_and_entities_are_taken_as_they_stand() -> None:
    samples = [Sample(str(number), {"text": f"t{number}"}, ["b", "a"][number % 2 :], "d") for number in range(20)]
    assert first_rows(samples, 3) == samples[:3]
    assert first_rows_pool(samples, MAX_SHOTS) == samples[:MAX_SHOTS]
    assert first_rows([], 3) == []


@pytest.mark.parametrize("name", ["hoc", "bc5cdr_chemical", "chemprot", "medqa"])
def test_prepared_samples_are_those_of_the_sound_protocol(
    entries: dict[str, DatasetEntry], small_data: Path, tmp_path: Path, name: str
) -> None:
    sound, first = tmp_path / "sound", tmp_path / "first"
    prepare(entries[name], name, small_data / name, 3, 7, sound)
    described = prepare_first_rows(entries[name], name, small_data / name, 3, 7, first)
    assert (first / "samples.jsonl").read_bytes() == (sound / "samples.jsonl").read_bytes()
    assert PreparedDataset.read(first / "dataset.json") == described
    check_prepared(first)
    split = next(split for split in described.files if split != "test")
    file = find_file(entries[name], split, small_data / name)
    assert file is not None
    everything = read_split(small_data / name / file.name, entries[name], None)
    assert read_records(first / "shots.jsonl", Sample) == first_rows_pool(everything, MAX_SHOTS)
    assert described.files == PreparedDataset.read(sound / "dataset.json").files
    assert described.shots == len(read_records(first / "shots.jsonl", Sample))


def test_nothing_of_the_test_split_is_refused(
    entries: dict[str, DatasetEntry], small_data: Path, tmp_path: Path
) -> None:
    """The small file of PubMedQA as both; its first three labels in sorted order, one each."""
    entry = entries["pubmedqa"].model_copy(update={"few_shot_splits": ["test", "train"]})
    described = prepare_first_rows(entry, "pubmedqa", small_data / "pubmedqa", None, 1, tmp_path)
    assert list(described.files) == ["test"]
    shots, samples = (read_records(tmp_path / f"{name}.jsonl", Sample) for name in ("shots", "samples"))
    assert {shot.sample_id for shot in shots} <= {sample.sample_id for sample in samples}
    told = [answer for _, answer in worked_examples(shots, entry, 3, "first_rows")]
    assert told == ["maybe", "no", "yes"]


def test_without_a_pool_there_are_no_examples(
    entries: dict[str, DatasetEntry], small_data: Path, tmp_path: Path
) -> None:
    entry = entries["hoc"].model_copy(update={"few_shot_splits": []})
    assert prepare_first_rows(entry, "hoc", small_data / "hoc", None, 1, tmp_path).shots == 0
    assert (tmp_path / "shots.jsonl").read_bytes() == b""
