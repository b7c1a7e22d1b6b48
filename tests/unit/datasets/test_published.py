"""The readers held against the files as published, where a checkout has them beside it."""

from __future__ import annotations

import csv
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from quantbench.config import DatasetEntry, find_file
from quantbench.contracts.checksums import verify_file
from quantbench.contracts.records import Sample, read_records
from quantbench.datasets import (
    SplitSamples,
    count_strata,
    draw_shots,
    few_shot_pool,
    limit_samples,
    prepare,
    read_split_samples,
)
from quantbench.errors import DataError

SIZES = {
    "hoc": {"test.tsv": 315, "dev.tsv": 157, "train.head400.tsv": 400},
    "litcovid": {"test.tsv": 2500, "train.from_prompts.tsv": 6},
    "bc5cdr_chemical": {"test.tsv": 4797, "train.tsv": 4560},
    "ncbi_disease": {"test.tsv": 940, "train.tsv": 5424},
    "chemprot": {"test.reconstructed.tsv": 16112, "dev.tsv": 11820, "train.reconstructed.head2000.tsv": 2000},
    "ddi2013": {"test.tsv": 5761, "dev.head2000.tsv": 2000},
    "medqa": {"test.tsv": 1273, "dev.head500.tsv": 500},
    "pubmedqa": {"test.tsv": 500, "ori_pqal.non_test.json": 500},
}
SUPPORT = {
    "hoc": {
        "sustaining proliferative signaling": 83,
        "resisting cell death": 83,
        "genomic instability and mutation": 70,
        "activating invasion and metastasis": 57,
        "tumor promoting inflammation": 54,
        "evading growth suppressors": 46,
        "inducing angiogenesis": 31,
        "cellular energetics": 19,
        "enabling replicative immortality": 18,
        "avoiding immune destruction": 17,
    },
    "litcovid": {
        "Treatment": 1035,
        "Prevention": 926,
        "Diagnosis": 722,
        "Mechanism": 567,
        "Case Report": 197,
        "Transmission": 128,
        "Epidemic Forecasting": 41,
    },
    "bc5cdr_chemical": {"with entities": 4797 - 1706, "without entities": 1706},
    "ncbi_disease": {"with entities": 940 - 401, "without entities": 401},
    "chemprot": {"CPR:4": 1661, "CPR:3": 664, "CPR:9": 644, "CPR:6": 293, "CPR:5": 195, "false": 12655},
    "ddi2013": {"DDI-false": 4782, "DDI-effect": 360, "DDI-mechanism": 302, "DDI-advise": 221, "DDI-int": 96},
    "medqa": {"B": 277, "A": 273, "D": 269, "C": 252, "E": 202},
    "pubmedqa": {"yes": 276, "no": 169, "maybe": 55},
}
NAMES = list(SIZES)
LARGE = "chemprot"


class Published:
    """Reads each published file once a run."""

    def __init__(self, folder: Path, entries: dict[str, DatasetEntry]) -> None:
        self.folder, self.entries = folder, entries
        self._read: dict[tuple[str, str], SplitSamples] = {}

    def split(self, name: str, file: str | None = None) -> SplitSamples:
        file = file or next(iter(SIZES[name]))
        if (name, file) not in self._read:
            path = self.folder / name / file
            self._read[name, file] = read_split_samples(path, self.entries[name], SIZES[name][file])
        return self._read[name, file]

    def samples(self, name: str, file: str | None = None) -> list[Sample]:
        return self.split(name, file).samples


@pytest.fixture(scope="module")
def files(real_data: Path, published: dict[str, DatasetEntry]) -> Published:
    return Published(real_data, published)


@pytest.mark.parametrize("name", NAMES)
def test_every_file_has_its_size_and_ids_in_order(files, name):
    for file, size in SIZES[name].items():
        samples = files.samples(name, file)
        assert [sample.sample_id for sample in samples] == [str(number) for number in range(size)]


@pytest.mark.parametrize("name", NAMES)
def test_labels_have_their_published_support(files, name):
    assert count_strata(files.samples(name), files.entries[name]) == SUPPORT[name]


@pytest.mark.parametrize("name", NAMES)
def test_every_configured_file_that_stands_here_is_the_pinned_one(files, name):
    entry, folder = files.entries[name], files.folder / name
    present = [file for split in entry.files.values() for file in split if (folder / file.name).exists()]
    assert {file.name for file in present} <= set(SIZES[name])
    for file in present:
        verify_file(folder / file.name, file)
        assert file.rows == SIZES[name][file.name]
        if file.git_blob is not None:  # both proofs agree where both are stated
            verify_file(folder / file.name, file.model_copy(update={"sha256": None}))


def test_configured_git_blobs_are_those_of_the_upstream_tree(files):
    with (files.folder / "upstream_blobs.tsv").open(newline="") as handle:
        tree = {row["path"]: row["git_blob_sha1"] for row in csv.DictReader(handle, delimiter="\t")}
    stated = 0
    for entry in files.entries.values():
        for file in (file for split in entry.files.values() for file in split if file.git_blob):
            assert tree[f"benchmarks/{entry.upstream_folder}/datasets/full_set/{file.name}"] == file.git_blob
            stated += 1
    assert stated >= 15


def test_dev_split_of_chemprot_has_its_published_support(files):
    counts = count_strata(files.samples("chemprot", "dev.tsv"), files.entries["chemprot"])
    assert counts == {"CPR:3": 550, "CPR:4": 1094, "CPR:5": 116, "CPR:6": 199, "CPR:9": 457, "false": 9404}


def test_hoc_and_litcovid_quirks(files):
    hoc, litcovid = files.samples("hoc"), files.samples("litcovid")
    assert Counter(len(sample.gold) for sample in hoc).keys() == {1, 2, 3, 4}
    assert {len(sample.gold) for sample in litcovid} == {1, 2, 3, 4, 5}
    assert max(len(sample.inputs["text"]) for sample in litcovid) == 6714
    assert all(sample.inputs["text"].isascii() for sample in litcovid)
    assert sum(re.search(r"&\w+;", sample.inputs["text"]) is not None for sample in hoc) == 19
    assert len({sample.group for sample in hoc}) == 315
    examples = files.samples("litcovid", "train.from_prompts.tsv")
    assert [sample.gold for sample in examples] == [["Treatment"]] * 6
    assert len({sample.group for sample in examples}) == 6


@pytest.mark.parametrize(
    ("name", "file", "entities", "tokens", "adjacent", "angled"),
    [
        ("bc5cdr_chemical", "test.tsv", 5385, 124750, 11, 218),
        ("ncbi_disease", "test.tsv", 960, 24497, 5, 41),
        ("bc5cdr_chemical", "train.tsv", 5203, None, None, None),
        ("ncbi_disease", "train.tsv", 5134, None, None, None),
    ],
)
def test_entity_quirks(files, name, file, entities, tokens, adjacent, angled):
    samples = files.samples(name, file)
    assert sum(len(sample.gold) for sample in samples) == entities
    for sample in samples:
        text = "".join(sample.inputs["text"].split())
        assert all(text[e["start"] : e["end"]] == "".join(e["text"].split()) for e in sample.gold)
    if tokens is not None:
        words = [word for sample in samples for word in sample.inputs["text"].split(" ")]
        pairs = [pair for sample in samples for pair in zip(sample.gold, sample.gold[1:], strict=False)]
        assert len(words) == tokens
        assert sum(one["end"] == other["start"] for one, other in pairs) == adjacent
        assert sum("<" in word or ">" in word for word in words) == angled


@pytest.mark.parametrize(
    ("name", "file", "documents", "first", "last"),
    [
        ("bc5cdr_chemical", "test.tsv", 500, "10087562", "9889429"),
        ("bc5cdr_chemical", "train.tsv", 500, "10091617", "9931093"),
        ("ncbi_disease", "test.tsv", 100, "9288106", "9988281"),
        ("ncbi_disease", "train.tsv", 592, "10021369", "8589721"),
        ("chemprot", "test.reconstructed.tsv", 728, None, None),
        ("chemprot", "dev.tsv", 555, None, None),
        ("chemprot", "train.reconstructed.head2000.tsv", 93, None, None),
        ("ddi2013", "test.tsv", 192, None, None),
        ("ddi2013", "dev.head2000.tsv", 113, None, None),
    ],
)
def test_every_document_is_known_and_stands_in_one_piece(files, name, file, documents, first, last):
    split = files.split(name, file)
    groups = [sample.group for sample in split.samples]
    assert split.unit(files.entries[name]) == "document"
    assert len(set(groups)) == documents
    assert 1 + sum(one != other for one, other in pairwise(groups)) == documents
    if first is not None:
        assert (groups[0], groups[-1]) == (first, last)


@pytest.mark.parametrize("name", ["bc5cdr_chemical", "ncbi_disease"])
def test_no_abstract_is_in_train_and_test(files, name):
    train, test = ({sample.group for sample in files.samples(name, file)} for file in ("train.tsv", "test.tsv"))
    assert not train & test


def test_a_mapped_file_under_another_name_keeps_its_documents_and_a_changed_one_loses_them(files, tmp_path):
    entry, content = files.entries["ncbi_disease"], (files.folder / "ncbi_disease/test.tsv").read_bytes()
    path = tmp_path / "gold.tsv"
    path.write_bytes(content)
    split = read_split_samples(path, entry, None)
    assert split.samples == files.samples("ncbi_disease")
    path.write_bytes(content.replace(b"Breast", b"breast", 1))
    changed = read_split_samples(path, entry, 940)
    assert changed.unit(entry) == "sentence"
    assert [sample.group for sample in changed.samples] == [str(number) for number in range(940)]


def test_sources_of_ddi_documents(files):
    documents = {sample.group for sample in files.samples("ddi2013")}
    sources = Counter(document.split(".")[0] for document in documents)
    assert sources == {"DDI-DrugBank": 158, "DDI-MedLine": 33, "DrugDDI": 1}


def test_every_question_of_pubmedqa_is_about_an_abstract_of_its_own(files):
    with (files.folder / "pubmedqa/test.tsv").open(newline="", encoding="utf-8") as handle:
        pmids = [row["pmid"] for row in csv.DictReader(handle, delimiter="\t")]
    assert len(set(pmids)) == len(pmids) == 500


def test_repeated_sentences_stay_samples_of_their_own(files):
    texts = [sample.inputs["text"] for sample in files.samples("bc5cdr_chemical")]
    assert len(texts) - len(set(texts)) == 9


def test_relation_quirks(files):
    dev, ddi = files.samples("chemprot", "dev.tsv"), files.samples("ddi2013")
    assert sum(sample.inputs["sentence"].count("@CHEM-GENE$") == 1 for sample in dev) == 946
    assert sum(sample.inputs["sentence"].count("@DRUG-DRUG$") == 1 for sample in ddi) == 7
    assert len({sample.group for sample in ddi}) == 192
    assert len({sample.group for sample in files.samples("chemprot")}) == 728
    assert {sample.group.split(".")[0] for sample in ddi} == {"DDI-DrugBank", "DDI-MedLine", "DrugDDI"}
    assert all(sample.group.isdigit() for sample in dev)
    labels: dict[str, set[str]] = {}
    for sample in ddi:
        labels.setdefault(sample.inputs["sentence"], set()).add(sample.gold)
    assert len(ddi) - len(labels) == 55
    assert sum(len(golds) > 1 for golds in labels.values()) == 1


def test_medqa_quirks(files):
    samples = files.samples("medqa")
    assert sum("\n" in sample.inputs["question"] for sample in samples) == 206
    assert sum('"' in sample.inputs["question"] for sample in samples) == 89
    assert all(list(sample.inputs["options"]) == list("ABCDE") for sample in samples)


def test_pubmedqa_is_sorted_by_answer_and_its_long_answers_stay_out(files):
    samples = files.samples("pubmedqa")
    assert [sample.gold for sample in samples] == ["yes"] * 276 + ["no"] * 169 + ["maybe"] * 55
    with (files.folder / "pubmedqa/test.tsv").open(newline="", encoding="utf-8") as handle:
        answers = [row["LONG_ANSWER"] for row in csv.DictReader(handle, delimiter="\t")]
    assert not any(long in sample.inputs["context"] for long, sample in zip(answers, samples, strict=True))
    assert all(set(sample.inputs) == {"question", "context"} for sample in samples)


@pytest.mark.parametrize("name", [name for name in NAMES if name != LARGE])
def test_a_file_cut_anywhere_in_its_last_part_is_refused(files, name, tmp_path):
    content = (files.folder / name / "test.tsv").read_bytes()
    path = tmp_path / "test.tsv"
    for left in (len(content) - 3, len(content) - 1001, len(content) * 2 // 3):
        path.write_bytes(content[:left])
        with pytest.raises(DataError, match=str(path)):
            read_split_samples(path, files.entries[name], SIZES[name]["test.tsv"])


@pytest.mark.parametrize("name", NAMES)
def test_a_part_of_32_has_every_label_and_proportions_within_rounding(files, name):
    samples, entry = files.samples(name), files.entries[name]
    part = limit_samples(samples, entry, 32, 2509)
    drawn = count_strata(part, entry)
    assert len(part) == 32
    assert drawn.keys() == SUPPORT[name].keys()
    for label, support in SUPPORT[name].items():
        assert abs(drawn[label] - 32 * support / len(samples)) <= 3, label


@pytest.mark.parametrize("name", NAMES)
def test_examples_are_none_of_the_test_split_nor_of_its_documents(files, name):
    entry, test = files.entries[name], files.samples(name)
    split = next(split for split in entry.few_shot_splits if find_file(entry, split, files.folder / name))
    file = find_file(entry, split, files.folder / name)
    train = files.split(name, file.name)
    shots = draw_shots(few_shot_pool(train, entry, 2509, 64, test=files.split(name)), entry, 10, 2509)
    assert len(shots) == (6 if name == "litcovid" else 10)
    assert all(shot in train.samples for shot in shots)
    test_inputs = [sample.inputs for sample in test]
    assert not any(shot.inputs in test_inputs for shot in shots)
    if train.documents_known and files.split(name).documents_known:
        assert not {shot.group for shot in shots} & {sample.group for sample in test}
    if name in ("hoc", "chemprot", "ddi2013"):
        assert {label for shot in shots for label in count_strata([shot], entry)} == set(entry.labels)


def test_prepare_runs_on_the_published_folder(files, tmp_path):
    description = prepare(files.entries["ddi2013"], "ddi2013", files.folder / "ddi2013", 32, 2509, tmp_path)
    assert description.files["test"].rows == 5761
    assert description.files["dev"].name == "dev.head2000.tsv"
    assert (description.samples, description.shots) == (32, 16)
    assert description.unit == "document"
    assert description.units == len({sample.group for sample in read_records(tmp_path / "samples.jsonl", Sample)})
