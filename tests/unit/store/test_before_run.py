"""What is said of a run's models before anything is downloaded or loaded."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from quantbench.config import LockedModel, ModelEntry, RemoteFile
from quantbench.errors import ModelError
from quantbench.store.before_run import check_local_models, retrieval_remarks

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "secret-token"


def local(entry: ModelEntry, folder: Path, template: str = "none") -> ModelEntry:
    return entry.model_copy(update={"hub_id": None, "revision": None, "folder": str(folder), "chat_template": template})


def test_each_local_folder_is_named_with_what_is_amiss(entry: ModelEntry, tiny: Path, tmp_path: Path) -> None:
    check_local_models(tmp_path, "models", {"good": local(entry, tiny)})
    models = {"gone": local(entry, tmp_path / "gone"), "mute": local(entry, tiny, "tokenizer"), "far": entry}
    with pytest.raises(ModelError) as caught:
        check_local_models(tmp_path, "models", models)
    lines = str(caught.value).splitlines()
    assert len(lines) == 2
    assert f"{tmp_path / 'gone'}: no such folder for model 'gone'" in lines[0]
    assert f"{tiny}: model 'mute' has no chat template" in lines[1]


def test_a_stand_in_needs_no_folder(entry: ModelEntry, tmp_path: Path) -> None:
    stand_in = local(entry, tmp_path / "gone").model_copy(update={"weights": "random"})
    check_local_models(tmp_path, "models", {"random": stand_in})


@pytest.mark.parametrize("token", [None, TOKEN])
def test_a_gated_model_needs_a_token_which_is_not_said(
    entry: ModelEntry, tmp_path: Path, token: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setenv("HF_ENDPOINT", "http://hub")
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    gated = entry.model_copy(update={"gated": True, "revision": COMMIT})
    (said,) = retrieval_remarks(
        tmp_path, "models", {"shut": gated, "open": gated.model_copy(update={"gated": False})}, {}
    )
    assert said.startswith("shut is gated")
    assert "http://hub/maker/tiny" in said
    assert ("HF_TOKEN is not set" in said) == (token is None)
    assert TOKEN not in said
    (tmp_path / "models").mkdir()
    (tmp_path / "models/shut.json").write_text("{}")
    assert retrieval_remarks(tmp_path, "models", {"shut": gated}, {}) == []


def test_models_at_no_commit_are_named_in_one_line(entry: ModelEntry, tmp_path: Path) -> None:
    lock = LockedModel(
        hub_id="maker/tiny",
        revision="main",
        commit=COMMIT,
        files={"config.json": RemoteFile(size=1, git_blob="0" * 40)},
    )
    models = {
        "loose": entry,
        "tagged": entry.model_copy(update={"revision": "v1"}),
        "pinned": entry.model_copy(update={"revision": COMMIT}),
        "locked": entry,
    }
    (said,) = retrieval_remarks(tmp_path, "models", models, {"locked": lock, "tagged": lock})
    assert "loose (main), tagged (v1); quantbench lock pins them" in said


def test_no_torch_is_imported(repository: Path) -> None:
    code = "import sys, quantbench.store.before_run; print({'torch', 'transformers', 'huggingface_hub'} & set(sys.modules))"
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, env={"PYTHONPATH": str(repository / "workflow")}, capture_output=True, text=True)
    assert result.stdout == "set()\n", result.stderr


def test_a_folder_that_comes_quantized_is_named_before_anything_runs(
    entry: ModelEntry, tiny: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny, tmp_path / "model"))
    config = json.loads((folder / "config.json").read_text()) | {"quantization_config": {"quant_method": "gptq"}}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=r"^[^\n]*quant_method 'gptq': the weights of model 'm' are quantized already"):
        check_local_models(tmp_path, "models", {"m": local(entry, folder)})
