"""Disk is freed after saying what, and full weights only once their checkpoints are proved."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantbench.contracts.checksums import file_hashes
from quantbench.contracts.files import read_json
from quantbench.errors import ModelError
from quantbench.store.cleaning import clean, release_weights, retrieved_models


@pytest.fixture
def models(tmp_path: Path) -> Path:
    for place in ("big", "quantized/big/w4a16"):
        folder = tmp_path / place
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
        (folder / "model.safetensors").write_bytes(b"x" * 5000)
    (tmp_path / "big.json").write_text("{}")
    return tmp_path


def test_nothing_is_deleted_unless_confirmed(models, capsys):
    paths = retrieved_models(models, ".", ["big", "absent"])
    clean(paths, False, "clean_models")
    said = capsys.readouterr().out
    assert f"{models}/big\n" in said
    assert "would free 0.000 GiB in 2 places. Nothing was deleted; to free it add --config confirm=true" in said
    assert (models / "big/model.safetensors").exists()
    clean(paths, True, "clean_models")
    said = capsys.readouterr().out
    assert said.index("big") < said.index("freed 0.000 GiB in 2 places")
    assert not (models / "big").exists()
    assert not (models / "big.json").exists()
    assert (models / "quantized/big/w4a16/model.safetensors").exists()
    clean(paths, True, "clean_models")
    assert "nothing to free" in capsys.readouterr().out


def test_released_weights_leave_configuration_and_a_marker(models, tmp_path, capsys):
    checkpoint = models / "quantized/big/w4a16"
    release_weights(models / "big", "big", {checkpoint: file_hashes(checkpoint)}, tmp_path / "notes")
    assert [path.name for path in (models / "big").iterdir()] == ["config.json"]
    assert read_json(models / "big.released.json")["freed_bytes"] == 5000
    assert "big: freeing 0.00 GiB of full weights" in capsys.readouterr().out


def test_weights_stay_where_a_checkpoint_is_damaged(models, tmp_path):
    checkpoint = models / "quantized/big/w4a16"
    recorded = file_hashes(checkpoint)
    (checkpoint / "model.safetensors").write_bytes(b"y" * 5000)
    with pytest.raises(ModelError, match=r"w4a16/model\.safetensors is not the recorded file"):
        release_weights(models / "big", "big", {checkpoint: recorded}, tmp_path / "notes")
    assert (models / "big/model.safetensors").exists()
    assert not (models / "big.released.json").exists()
