"""The miniature datasets: what the generator makes is what is shipped, and nothing is shared between splits."""

from __future__ import annotations

import hashlib
from itertools import combinations, pairwise
from pathlib import Path
from random import Random

import generate
import names
import pytest
import yaml
from slots import DATASETS, SPLITS, words

from quantbench.config import load_datasets
from quantbench.datasets import read_split


@pytest.fixture(scope="module")
def items():
    return {d: {s: generate.shipped(d, s) for s in SPLITS} for d in DATASETS}


@pytest.mark.parametrize("dataset", DATASETS)
def test_shipped_files_are_what_the_generator_makes(demo: Path, items, dataset: str) -> None:
    for split in SPLITS:
        shipped = (demo / "datasets" / dataset / f"{split}.tsv").read_bytes()
        assert shipped == generate.as_file(dataset, items[dataset][split]).encode()


@pytest.mark.parametrize("dataset", DATASETS)
def test_checksums_and_counts_match(demo: Path, repository: Path, dataset: str) -> None:
    entry = load_datasets(repository, demo / "datasets")[dataset]
    assert {split: files[0].rows for split, files in entry.files.items()} == {"train": 200, "dev": 60, "test": 200}
    for files in entry.files.values():
        path = demo / "datasets" / dataset / files[0].name
        assert hashlib.sha256(path.read_bytes()).hexdigest() == files[0].sha256
        assert len(read_split(path, entry, files[0].rows)) == files[0].rows


@pytest.mark.parametrize("dataset", DATASETS)
def test_splits_share_no_rows_no_templates_no_names(items, dataset: str) -> None:
    for first, second in combinations(SPLITS, 2):
        one, other = items[dataset][first], items[dataset][second]
        assert not {generate.content(i).casefold() for i in one} & {generate.content(i).casefold() for i in other}
        assert not set().union(*(i.frames for i in one)) & set().union(*(i.frames for i in other))
        assert not set().union(*(i.names for i in one)) & set().union(*(i.names for i in other))


@pytest.mark.parametrize("dataset", DATASETS)
def test_no_text_twice_within_a_split(items, dataset: str) -> None:
    for split in SPLITS:
        texts = [generate.content(item) for item in items[dataset][split]]
        assert len(set(texts)) == len(texts)


def test_templates_are_used_and_filled(items) -> None:
    for dataset in DATASETS:
        for split in SPLITS:
            assert all(item.frames for item in items[dataset][split])
            assert not any("{" in generate.content(item) for item in items[dataset][split])


def test_names_belong_to_one_split() -> None:
    makers = (names.chemical, names.protein, names.gene, names.cell_line, names.place, names.surname)
    for make in makers:
        made = {split: {make(split, Random(seed)) for seed in range(200)} for split in SPLITS}
        assert all(names.split_of(name) == split for split, found in made.items() for name in found)
        assert all(len(found) > 5 for found in made.values())


def test_label_inventories_are_the_real_ones(repository: Path) -> None:
    entries = load_datasets(repository)
    for dataset in ("hoc", "litcovid"):
        assert list(words(dataset)["labels"]) == list(entries[dataset].labels)
    for dataset in ("chemprot", "ddi2013"):
        assert set(words("relations")[dataset]["labels"]) == set(entries[dataset].labels)


def test_every_label_stands_in_every_split(items, repository: Path) -> None:
    entries = load_datasets(repository)
    for dataset, key in (("hoc", "labels"), ("litcovid", "labels"), ("chemprot", "label"), ("ddi2013", "label")):
        for split in SPLITS:
            found = {label for item in items[dataset][split] for label in item.fields[key].split(";")}
            assert found == set(entries[dataset].labels)


def test_traps_of_the_published_files_are_there(demo: Path) -> None:
    """Each of these broke a naive reader of the real files."""
    text = {d: (demo / "datasets" / d / "test.tsv").read_bytes().decode() for d in DATASETS}
    assert '""' in text["hoc"] and "&lt;" in text["hoc"]
    assert any("\t" in item.fields["text"] for item in generate.shipped("hoc", "test"))
    assert "@CHEM-GENE$" in text["chemprot"] and "@DRUG-DRUG$" in text["ddi2013"]
    assert text["chemprot"].count("\r\n") == 201 and text["ddi2013"].count("\r\n") == 201
    assert any("\n" in item.fields["question"] for item in generate.shipped("medqa", "test"))
    for dataset in ("bc5cdr_chemical", "ncbi_disease"):
        assert text[dataset].endswith("\n\n\n")  # two blank lines at the end
        sentences = [item.fields["tokens"] for item in generate.shipped(dataset, "test")]
        assert any(all(tag == "O" for _, tag in tokens) for tokens in sentences)
        assert any(a != "O" and b == "B" for tokens in sentences for (_, a), (_, b) in pairwise(tokens))
        assert any(token in "<>" for tokens in sentences for token, _ in tokens)
    decisions = [item.fields["final_decision"] for item in generate.shipped("pubmedqa", "test")]
    assert decisions == sorted(decisions, key=["yes", "no", "maybe"].index)


def test_files_state_rows_and_sha256_only(demo: Path) -> None:
    for dataset in DATASETS:
        files = yaml.safe_load((demo / "datasets" / dataset / "files.yaml").read_text())
        assert files.pop("private") is False  # invented, so that the demo's bundle holds them
        assert list(files) == list(SPLITS)
        assert all(set(file) == {"name", "rows", "sha256"} for listed in files.values() for file in listed)
