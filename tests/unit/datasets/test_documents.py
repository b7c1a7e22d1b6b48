"""Mappings of sentences to documents, which stand beside the files they are of."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantbench.config import DatasetEntry, load_datasets
from quantbench.config.entries import DataFile
from quantbench.contracts.checksums import sha256_of
from quantbench.datasets import mapping_hashes, prepare, read_split_samples
from quantbench.datasets.documents import mapped_documents
from quantbench.errors import ConfigError, DataError

SENTENCES = "a\tO\n\nb\tB\n\nc\tO\n\nd\tO\n"
MAPPING = "first_sentence,pmid\n0,17\n3,4\n"


class Mapped:
    """A file of four sentences, and an entry that names a mapping for it."""

    def __init__(self, entry: DatasetEntry, folder: Path) -> None:
        self.path, self.mapping = folder / "test.tsv", folder / "documents.csv"
        self.path.write_text(SENTENCES)
        self.mapping.write_text(MAPPING)
        self._entry = entry
        self.file = DataFile(name="test.tsv", rows=4, sha256=sha256_of(self.path), documents="documents.csv")

    @property
    def entry(self) -> DatasetEntry:
        return self._entry.model_copy(update={"files": {"test": [self.file]}})

    def groups(self) -> list[str]:
        return [sample.group for sample in read_split_samples(self.path, self.entry, None).samples]


@pytest.fixture
def mapped(entries: dict[str, DatasetEntry], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mapped:
    monkeypatch.chdir(tmp_path)
    return Mapped(entries["ncbi_disease"], tmp_path)


def test_documents_are_contiguous_and_go_to_the_next_ones_first_sentence(mapped: Mapped) -> None:
    assert mapped.groups() == ["17", "17", "17", "4"]


def test_a_file_of_other_content_has_no_documents(mapped: Mapped) -> None:
    mapped.path.write_text(SENTENCES.replace("a", "e"))
    assert mapped_documents(mapped.path, mapped.entry, 4) is None
    assert mapped.groups() == ["0", "1", "2", "3"]


def test_a_file_that_names_its_documents_needs_no_mapping(mapped: Mapped) -> None:
    mapped.path.write_text("-DOCSTART- x\n" + SENTENCES)
    mapped.file = mapped.file.model_copy(update={"sha256": sha256_of(mapped.path)})
    assert mapped.groups() == ["x"] * 4


def test_a_mapping_of_another_number_of_sentences_is_refused(mapped: Mapped) -> None:
    mapped.file = mapped.file.model_copy(update={"rows": 5})
    with pytest.raises(DataError, match=r"test\.tsv: 4 sentences, and .*documents\.csv is of a file with 5; state"):
        mapped.groups()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "line 1: expected the columns first_sentence,pmid"),
        ("sentence,pmid\n0,17\n", "line 1: expected the columns first_sentence,pmid"),
        ("first_sentence,pmid\n", "line 2: the first document does not begin with sentence 0"),
        ("first_sentence,pmid\n1,17\n", "line 2: the first document does not begin with sentence 0"),
        ("first_sentence,pmid\n0,17\n0,4\n", "line 3: first_sentence 0 does not follow 0; sort by it"),
        ("first_sentence,pmid\n0,17\n2,17\n", "pmid '17' stands on 2 lines"),
        ("first_sentence,pmid\n0,17\n4,4\n", "first_sentence 4 lies beyond the 4 sentences of"),
        ("first_sentence,pmid\n0,17\nx,4\n", "line 3: expected the number of a sentence and a pmid, found ['x', '4']"),
        ("first_sentence,pmid\n0,17\n3, \n", "line 3: expected the number of a sentence and a pmid"),
        ("first_sentence,pmid\n0,17,9\n", "line 2: expected the number of a sentence and a pmid"),
    ],
)
def test_a_malformed_mapping_is_refused(mapped: Mapped, content: str, words: str) -> None:
    mapped.mapping.write_text(content)
    with pytest.raises(DataError) as caught:
        mapped.groups()
    assert str(mapped.mapping) in str(caught.value)
    assert words in str(caught.value)


def test_a_missing_mapping_is_refused_and_has_no_hash(mapped: Mapped) -> None:
    assert mapping_hashes(mapped.mapping.parent, mapped.entry) == {"documents.csv": sha256_of(mapped.mapping)}
    mapped.mapping.unlink()
    with pytest.raises(DataError, match=r"documents\.csv: no such file, and dataset\.yaml names it as documents"):
        mapped.groups()
    assert mapping_hashes(mapped.mapping.parent, mapped.entry) == {"documents.csv": None}


def test_nothing_proves_a_mapping_without_a_hash(repository: Path, tmp_path: Path) -> None:
    folder = tmp_path / "config/datasets/mine"
    folder.mkdir(parents=True)
    text = (repository / "config/datasets/ncbi_disease/dataset.yaml").read_text()
    lines = [line for line in text.splitlines(keepends=True) if "sha256" not in line]
    (folder / "dataset.yaml").write_text("".join(lines))
    with pytest.raises(
        ConfigError, match=r"documents is 'resources/documents/ncbi_disease\.test\.csv', and sha256 of test\.tsv"
    ):
        load_datasets(tmp_path, own=True)


def test_prepared_samples_are_of_the_mapped_documents(mapped: Mapped, tmp_path: Path) -> None:
    description = prepare(mapped.entry, "mine", tmp_path, None, 1, tmp_path / "out")
    assert (description.unit, description.units, description.samples) == ("document", 2, 4)


@pytest.mark.parametrize(
    ("name", "split", "documents", "first", "last"),
    [
        ("bc5cdr_chemical", "test", 500, "0,10087562", "9889429"),
        ("bc5cdr_chemical", "train", 500, "0,10091617", "9931093"),
        ("ncbi_disease", "test", 100, "0,9288106", "9988281"),
        ("ncbi_disease", "train", 592, "0,10021369", "8589721"),
    ],
)
def test_the_shipped_mappings_are_those_of_the_entries(
    published: dict[str, DatasetEntry], repository: Path, name: str, split: str, documents: int, first: str, last: str
) -> None:
    (file,) = published[name].files[split]
    lines = (repository / str(file.documents)).read_text().splitlines()
    assert len(lines) == documents + 1
    assert (lines[1], lines[-1].split(",")[1]) == (first, last)
    assert int(lines[-1].split(",")[0]) < int(file.rows or 0)
    assert [line.split(",")[1] for line in lines[1:]] == sorted(line.split(",")[1] for line in lines[1:])
