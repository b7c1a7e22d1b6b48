"""Disk is freed after saying what, and full weights only once their checkpoints are proved."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantbench.contracts.files import read_json
from quantbench.errors import ModelError
from quantbench.store.cleaning import delete, release_weights, retrieved_models, sizes
from quantbench.store.folder import file_hashes


@pytest.fixture
def models(tmp_path: Path) -> Path:
    for place in ("big", "quantized/big/w4a16"):
        folder = tmp_path / place
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
        (folder / "model.safetensors").write_bytes(b"x" * 5000)
    (tmp_path / "big.json").write_text("{}")
    return tmp_path


def test_what_a_retrieved_model_takes_is_counted_and_deleted(models):
    found = sizes(retrieved_models(models, ".", ["big", "absent"]))
    assert found == {models / "big": 5002, models / "big.json": 2}
    for path in found:
        delete(path)
    assert sizes(found) == {}
    assert (models / "quantized/big/w4a16/model.safetensors").exists()


def test_released_weights_leave_configuration_and_a_marker(models, tmp_path, capsys):
    checkpoint = models / "quantized/big/w4a16"
    release_weights(models / "big", "big", {str(checkpoint): file_hashes(checkpoint)}, tmp_path / "notes")
    assert [path.name for path in (models / "big").iterdir()] == ["config.json"]
    assert read_json(models / "big.released.json")["freed_bytes"] == 5000
    assert "big: freeing 0.00 GiB of full weights" in capsys.readouterr().out


def test_weights_stay_where_a_checkpoint_is_damaged(models, tmp_path):
    checkpoint = models / "quantized/big/w4a16"
    recorded = file_hashes(checkpoint)
    (checkpoint / "model.safetensors").write_bytes(b"y" * 5000)
    with pytest.raises(ModelError, match=r"w4a16/model\.safetensors is not the recorded file"):
        release_weights(models / "big", "big", {str(checkpoint): recorded}, tmp_path / "notes")
    assert (models / "big/model.safetensors").exists()
    assert not (models / "big.released.json").exists()
