"""Retrieved and made files are read again, and each that is not as recorded is named."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from quantbench.config import DatasetEntry, ModelEntry, load_datasets
from quantbench.contracts.checksums import file_hashes, sha256_of
from quantbench.contracts.model_folder import Receipt, Released
from quantbench.contracts.prepared_dataset import DownloadedDataset
from quantbench.verify.run_files import Check, verify_datasets, verify_models


@pytest.fixture
def root(tmp_path: Path, tiny: Path, entry: ModelEntry) -> Path:
    """A repository with one retrieved model."""
    shutil.copytree(tiny, tmp_path / "models/tiny")
    facts = {"hub_id": str(entry.hub_id), "requested": "main", "revision": "0" * 40}
    Receipt(model="tiny", files=file_hashes(tiny), **facts).write(tmp_path / "models/tiny.json")
    return tmp_path


def models(root: Path, entry: ModelEntry) -> list[Check]:
    return list(verify_models(root, "models", {"tiny": entry, "absent": entry}, {}, root / "notes"))


def test_models_are_read_whatever_size_and_time_say(root: Path, entry: ModelEntry) -> None:
    present, absent = models(root, entry)
    assert str(present) == f"{root}/models/tiny: 5 files verified"
    assert str(absent) == "absent: not retrieved yet"
    weights = root / "models/tiny/model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    present, absent = models(root, entry)
    assert "model.safetensors is not the recorded file" in present.problems[0]
    assert str(present).endswith("WRONG") and not absent.problems


def test_freed_weights_are_no_problem(root: Path, entry: ModelEntry) -> None:
    (root / "models/tiny/model.safetensors").unlink()
    Released(model="tiny", freed_bytes=1, freed="2026-01-01T00:00:00+00:00").write(root / "models/tiny.released.json")
    assert str(models(root, entry)[0]) == "tiny: full weights freed (keep: quantized)"


def test_dataset_files_are_held_against_their_entry(repository: Path, tmp_path: Path) -> None:
    local = shutil.copytree(repository / "resources/demo/datasets", tmp_path / "data")
    entries = {"hoc": load_datasets(repository, local)["hoc"]}
    assert [check.notes for check in verify_datasets(repository, entries, local)] == [["verified"], ["verified"]]
    (local / "hoc/train.tsv").write_bytes(b"other")
    test, pool = verify_datasets(repository, entries, local)
    assert not test.problems
    assert pool.problems[0].startswith(f"{local}/hoc/train.tsv: not the pinned file: expected SHA-256")


def test_a_file_without_a_stated_hash_is_held_against_the_receipt_of_its_download(tmp_path: Path) -> None:
    entry = DatasetEntry.model_validate(
        {
            "title": "mine",
            "task": "relation_extraction",
            "reader": "records",
            "metric": "macro_f1",
            "labels": {"a": "", "b": ""},
            "negative_label": "a",
            "files": {"test": [{"name": "test.jsonl"}]},
            "licence": "MIT",
            "citation": "none",
            "few_shot_splits": ["train"],
            "max_new_tokens": {"instruction": 1, "cot": 1, "self_consistency": 1},
        }
    )
    folder = tmp_path / "data/mine"
    folder.mkdir(parents=True)
    path = folder / "test.jsonl"
    path.write_text("{}\n")

    def check() -> Check:
        return next(verify_datasets(tmp_path, {"mine": entry}, tmp_path / "data"))

    assert check().notes == ["no checksum is stated for it"]
    DownloadedDataset(dataset="mine", files={"test.jsonl": sha256_of(path)}).write(folder / "retrieved.json")
    assert check().notes == ["verified"]
    path.write_text("{ }\n")
    assert "found" in check().problems[0]
