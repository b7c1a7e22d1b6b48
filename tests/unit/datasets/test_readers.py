"""A format of files is one module, found by its name; nothing else lists it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from quantbench.config import DatasetEntry
from quantbench.datasets import read_split_samples
from quantbench.datasets.readers import reader_of
from quantbench.errors import ConfigError

PLANTED = """
from quantbench.contracts.records import Sample
from quantbench.datasets.readers import SplitSamples


def read(path, entry):
    samples = [Sample(str(number), {"text": line}, [], str(number)) for number, line in enumerate(path.open())]
    return SplitSamples(samples, documents_known=False)
"""
TRY = """
import sys
from pathlib import Path
from quantbench.config import load_datasets
from quantbench.datasets import read_split

entry = load_datasets(Path(sys.argv[1]))["hoc"]
print(entry.reader, len(read_split(Path(sys.argv[2]), entry, 2)))
"""


def test_every_reader_of_the_configuration_reads(published: dict[str, DatasetEntry]) -> None:
    names = DatasetEntry.model_json_schema()["properties"]["reader"]["enum"]
    assert {entry.reader for entry in published.values()} | {"records"} == set(names)
    for name in names:
        module = reader_of(published["hoc"].model_copy(update={"reader": name}))
        assert callable(module.read)


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        *((name, "document") for name in ("hoc", "litcovid", "chemprot", "ddi2013")),
        *((name, "sentence") for name in ("bc5cdr_chemical", "ncbi_disease")),
        *((name, "question") for name in ("medqa", "pubmedqa")),
    ],
)
def test_a_split_says_what_its_groups_are(
    entries: dict[str, DatasetEntry], small_data: Path, name: str, unit: str
) -> None:
    split = read_split_samples(small_data / name / "test.tsv", entries[name], None)
    assert split.unit(entries[name]) == unit
    assert split.documents_known == (unit == "document")


def test_an_unknown_reader_is_refused_with_those_there_are(repository: Path, tmp_path: Path) -> None:
    from quantbench.config import load_datasets

    shutil.copytree(repository / "config/datasets/hoc", tmp_path / "config/datasets/hoc")
    path = tmp_path / "config/datasets/hoc/dataset.yaml"
    path.write_text(path.read_text().replace("reader: labelled_text", "reader: labeled_text"))
    with pytest.raises(
        ConfigError, match=r"dataset\.yaml: key 'reader' has the value 'labeled_text'; did you mean 'labelled_text'"
    ):
        load_datasets(tmp_path)


def test_to_add_a_reader_is_to_add_its_module(repository: Path, tmp_path: Path) -> None:
    package = tmp_path / "quantbench"
    shutil.copytree(repository / "workflow/quantbench", package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "datasets/readers/read_lines.py").write_text(PLANTED)
    shutil.copytree(repository / "config/datasets/hoc", tmp_path / "config/datasets/hoc")
    path = tmp_path / "config/datasets/hoc/dataset.yaml"
    path.write_text(path.read_text().replace("reader: labelled_text", "reader: lines"))
    (tmp_path / "two.txt").write_text("one\ntwo\n")
    command = [sys.executable, "-c", TRY, str(tmp_path), str(tmp_path / "two.txt")]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "QUANTBENCH_CATALOGUE": str(repository)}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.stdout.strip() == "lines 2", result.stderr
