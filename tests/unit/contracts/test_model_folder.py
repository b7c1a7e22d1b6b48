"""Files of the models folder: those of earlier versions are read, and written as they always were."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from quantbench.config import PrecisionEntry
from quantbench.contracts.contract import Contract
from quantbench.contracts.model_folder import (
    CheckpointManifest,
    CheckpointPrecision,
    Conversions,
    HashedFiles,
    PublishedConfig,
    Receipt,
    Released,
    TensorIndex,
)
from quantbench.errors import DataError

HASH = "0" * 64
# As quantbench 0.1.0 left them.
FILES: dict[type[Contract], object] = {
    Receipt: {"model": "m", "hub_id": "a/m", "requested": "main", "revision": "1" * 40, "files": {"config.json": HASH}},
    Released: {"model": "m", "freed_bytes": 5000, "freed": "2026-11-21T12:41:59+00:00"},
    Conversions: {
        "pytorch_model.bin": {
            "published": {"size": 3, "sha256": HASH},
            "became": "model.safetensors",
            "sha256": HASH,
        }
    },
    HashedFiles: {"config.json, 3 bytes, changed 17": HASH},
    TensorIndex: {"weight_map": {"a.weight": "model-00001-of-00002.safetensors"}, "metadata": {"total_size": 3.5}},
    CheckpointManifest: {
        "model": "m",
        "hub_id": None,
        "revision": None,
        "source_files": {"config.json": HASH},
        "licence": "MIT",
        "precision": {"method": "bitsandbytes", "settings": {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}},
        "dtype": "bfloat16",
        "made_on": "cpu",
        "made_with": {
            "python": "3.11.7",
            "packages": {"torch": "2.13.0", "torchao": None},
            "git_commit": None,
            "device": {"kind": "cpu", "names": ["AMD EPYC"], "uuids": [], "driver": None},
        },
        "seconds": 1.5,
        "bytes": 5000,
        "files": {"model.safetensors": HASH},
    },
}


@pytest.mark.parametrize("kind", FILES, ids=lambda kind: kind.__name__)
def test_a_file_comes_back_byte_for_byte(kind: type[Contract], tmp_path: Path) -> None:
    text = json.dumps(FILES[kind], indent=2) + "\n"
    (tmp_path / "before").write_text(text)
    kind.read(tmp_path / "before").write(tmp_path / "after")
    assert (tmp_path / "after").read_text() == text


def test_what_a_maker_says_beside_the_facts_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"hidden_size": 64, "rope_scaling": {"type": "yarn"}, "tie_word_embeddings": None}))
    published = PublishedConfig.read(path)
    assert (published.hidden_size, published.tie_word_embeddings, published.vocab_size) == (64, None, None)
    path.write_text(json.dumps({"hidden_size": "wide"}))
    with pytest.raises(
        DataError, match=r"config\.json: key 'hidden_size' has the value 'wide'.*retrieve the model again"
    ):
        PublishedConfig.read(path)


def test_a_checkpoint_depends_on_method_and_settings_alone() -> None:
    entry = PrecisionEntry(title="4 bit", method="bitsandbytes", settings={"load_in_4bit": True})
    renamed = entry.model_copy(update={"title": "NF4", "note": "as in the paper"})
    assert CheckpointPrecision.of(entry) == CheckpointPrecision.of(renamed)
    assert CheckpointPrecision.of(entry) != CheckpointPrecision.of(entry.model_copy(update={"settings": {}}))
