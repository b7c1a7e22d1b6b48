"""``quantbench export``: a checkpoint becomes a folder that stands alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from quantbench.cli.main import main
from quantbench.config import ModelEntry, PrecisionEntry, read_entries
from quantbench.contracts.checksums import file_hashes
from quantbench.contracts.machine import DeviceFacts
from quantbench.contracts.model_folder import MadeWith
from quantbench.models.quantizing import Source, quantize_model
from quantbench.store.places import checkpoint_folder

MADE_WITH = MadeWith(device=DeviceFacts(kind="cpu", names=["a processor"]), python="3.11", packages={})


@pytest.fixture(scope="module")
def models(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with the 4-bit checkpoint of the smallest demo model."""
    folder = tmp_path_factory.mktemp("models")
    entry = read_entries(repository / "config/models", ModelEntry)["tiny-xs"]
    precision = read_entries(repository / "config/precisions", PrecisionEntry)["w4a16"]
    source = repository / str(entry.folder)
    out = checkpoint_folder(repository, str(folder), "tiny-xs", "w4a16")
    quantize_model(Source("tiny-xs", entry, source, None, file_hashes(source)), precision, out, "cpu", MADE_WITH)
    return folder


def export(models: Path, target: Path, *more: str) -> int:
    words = [
        "export",
        "--model",
        "tiny-xs",
        "--precision",
        "w4a16",
        "--models-folder",
        str(models),
        "--to",
        str(target),
    ]
    return main([*words, *more])


@pytest.fixture(scope="module")
def exported(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("srv") / "tiny-4bit"
    assert export(models, target) == 0
    return target


def smoke_test(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the exported smoke test where nothing of quantbench can be imported."""
    command = [sys.executable, "-I", str(folder / "smoke_test.py")]
    return subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)


def test_the_folder_stands_alone_and_says_its_licence(exported: Path) -> None:
    manifest = json.loads((exported / "manifest.json").read_text())
    assert manifest["files"] == {k: v for k, v in file_hashes(exported).items() if k != "manifest.json"}
    assert {"README.md", "smoke_test.py", "smoke_test.json", "model.safetensors"} <= manifest["files"].keys()
    text = (exported / "README.md").read_text()
    for part in ("**MIT.**", "under the maker's terms", "`bnb_4bit_quant_type`: `nf4`", "torch.bfloat16"):
        assert part in text
    assert not [path for path in exported.parent.iterdir() if path != exported]


def test_its_smoke_test_passes_where_it_was_copied_and_names_a_changed_file(exported: Path) -> None:
    result = smoke_test(exported)
    assert result.returncode == 0, result.stderr
    assert "the same tokens as recorded on cpu" in result.stdout
    weights = exported / "model.safetensors"
    content = weights.read_bytes()
    try:
        weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        result = smoke_test(exported)
    finally:
        weights.write_bytes(content)
    assert result.returncode == 1
    assert "model.safetensors is not the recorded file" in result.stderr


def test_what_cannot_be_exported_is_said(models: Path, exported: Path, tmp_path: Path, capsys) -> None:
    assert export(models, exported) == 2
    assert "is there already" in capsys.readouterr().err
    assert export(tmp_path, tmp_path / "x") == 2
    assert "no quantized checkpoint; run snakemake with 'keep: both'" in capsys.readouterr().err
    assert export(models, tmp_path / "x", "--precision", "full") == 2
    assert (
        "--precision 'full' has 'method: none', of which no checkpoint is made; give one of w4a16"
        in capsys.readouterr().err
    )
    assert export(models, tmp_path / "x", "--model", "tiny-x") == 2
    assert "--model 'tiny-x' is unknown; did you mean 'tiny-xs'" in capsys.readouterr().err
    assert export(models, tmp_path / "x", "--precision", "w4") == 2
    assert "--precision 'w4' is unknown" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()
