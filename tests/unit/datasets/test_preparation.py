from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from quantbench.contracts.checksums import sha256_of
from quantbench.contracts.prepared_dataset import PreparedDataset, SourceFile
from quantbench.contracts.records import Sample, read_records
from quantbench.datasets import MAX_SHOTS, prepare, read_split
from quantbench.errors import DataError

SIZES = {
    "hoc": (6, 16),
    "litcovid": (5, 5),
    "bc5cdr_chemical": (5, 8),
    "ncbi_disease": (3, 4),
    "chemprot": (7, 16),
    "ddi2013": (7, 15),
    "medqa": (3, 10),
    "pubmedqa": (6, 6),
}


UNITS = {
    **dict.fromkeys(["hoc", "litcovid", "chemprot", "ddi2013"], "document"),
    **dict.fromkeys(["bc5cdr_chemical", "ncbi_disease"], "sentence"),
    **dict.fromkeys(["medqa", "pubmedqa"], "question"),
}


@pytest.mark.parametrize("name", SIZES)
def test_the_three_files_hold_samples_examples_and_where_they_come_from(entries, small_data, tmp_path, name):
    entry, folder = entries[name], small_data / name
    returned = prepare(entry, name, folder, None, 1, tmp_path)
    samples, shots = read_records(tmp_path / "samples.jsonl", Sample), read_records(tmp_path / "shots.jsonl", Sample)
    assert (len(samples), len(shots)) == SIZES[name]
    assert samples == read_split(folder / "test.tsv", entry, None)
    assert len(shots) <= MAX_SHOTS
    description = PreparedDataset.read(tmp_path / "dataset.json")
    assert description == returned
    assert description.dataset == name
    source = SourceFile(name="test.tsv", sha256=sha256_of(folder / "test.tsv"), rows=len(samples))
    assert description.files["test"] == source
    assert description.samples_sha256 == sha256_of(tmp_path / "samples.jsonl")
    assert sum(description.label_counts.values()) >= len(samples) == description.samples
    assert (description.limit, description.seed) == (None, 1)
    assert description.unit == UNITS[name]
    assert description.units == len({sample.group for sample in samples})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dataset.json", "samples.jsonl", "shots.jsonl"]


def test_it_is_said_where_no_documents_are_known(entries, small_data, tmp_path, capsys):
    prepare(entries["ncbi_disease"], "ncbi_disease", small_data / "ncbi_disease", None, 1, tmp_path)
    said = "ncbi_disease: 3 test samples; the file names no documents, so that each sentence counts by itself\n"
    assert capsys.readouterr().out == said
    prepare(entries["ddi2013"], "ddi2013", small_data / "ddi2013", None, 1, tmp_path)
    assert capsys.readouterr().out == "ddi2013: 7 test samples from 3 documents\n"


def test_a_limit_narrows_the_samples_and_not_the_examples(entries, small_data, tmp_path):
    whole = prepare(entries["ddi2013"], "ddi2013", small_data / "ddi2013", None, 1, tmp_path / "whole")
    part = prepare(entries["ddi2013"], "ddi2013", small_data / "ddi2013", 5, 1, tmp_path / "part")
    assert part.samples == 5
    assert part.files == whole.files
    assert part.shots_sha256 == whole.shots_sha256
    assert set(part.label_counts) == set(entries["ddi2013"].labels)


def test_the_same_settings_give_the_same_bytes(entries, small_data, tmp_path):
    for out in ("one", "two"):
        prepare(entries["hoc"], "hoc", small_data / "hoc", 4, 9, tmp_path / out)
    for file in ("samples.jsonl", "shots.jsonl", "dataset.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_without_a_pool_the_examples_are_an_empty_file(entries, small_data, tmp_path):
    folder = tmp_path / "hoc"
    folder.mkdir()
    shutil.copy(small_data / "hoc/test.tsv", folder)
    description = prepare(entries["hoc"], "hoc", folder, None, 1, tmp_path / "out")
    assert (tmp_path / "out/shots.jsonl").read_bytes() == b""
    assert list(description.files) == ["test"]


def test_a_missing_test_file_names_the_acceptable_ones(published, tmp_path):
    with pytest.raises(DataError, match=r"no test file of chemprot; put test\.tsv or test\.reconstructed\.tsv there"):
        prepare(published["chemprot"], "chemprot", tmp_path, None, 1, tmp_path / "out")


def test_a_file_that_is_not_the_pinned_one_leaves_nothing(published, small_data, tmp_path):
    with pytest.raises(DataError, match="expected SHA-256 21af492a"):
        prepare(published["hoc"], "hoc", small_data / "hoc", None, 1, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_cut_pool_file_leaves_nothing(entries, small_data, tmp_path):
    folder = tmp_path / "hoc"
    shutil.copytree(small_data / "hoc", folder)
    lines = (folder / "train.tsv").read_text().splitlines(keepends=True)
    (folder / "train.tsv").write_text("".join(lines[:-2]))
    with pytest.raises(DataError, match=r"train\.tsv: expected 32 records, found 30"):
        prepare(entries["hoc"], "hoc", folder, None, 1, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_datasets_import_neither_torch_nor_a_network_client(repository):
    code = (
        "import sys, quantbench.datasets, quantbench.datasets.pinned_files as d\n"
        "print([m for m in ('torch', 'transformers', 'requests', 'pooch', 'urllib.request', 'http.client')"
        " if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": "workflow"},
        cwd=repository,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
