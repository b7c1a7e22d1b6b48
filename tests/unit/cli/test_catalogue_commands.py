"""``quantbench lock``, ``clean`` and ``where``: what changes a catalogue and what lies on disk."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml
from tests.hub_server import HubServer

from quantbench.cli.main import main
from quantbench.config import ModelEntry, read_entries, read_lock

Captured = pytest.CaptureFixture[str]


def test_lock_leaves_no_file_where_nothing_is_locked(root: Path, capsys: Captured) -> None:
    (root / "config/models.lock.yaml").unlink(missing_ok=True)
    assert main(["lock", "--model", "tiny-xs"]) == 0
    assert "nothing to lock" in capsys.readouterr().out
    assert not (root / "config/models.lock.yaml").exists()


def test_lock_writes_the_commits_and_names_what_failed(
    root: Path, repository: Path, hub: HubServer, capsys: Captured
) -> None:
    commit = hub.add_folder("maker/tiny", repository / "resources/demo/models/tiny-xs")
    entry = yaml.safe_load((root / "config/models/tiny-xs.yaml").read_text())
    del entry["folder"]
    for name in ("tiny", "absent"):
        path = root / f"config/models/hub-{name}.yaml"
        path.write_text(yaml.safe_dump(entry | {"hub_id": f"maker/{name}", "revision": "main"}))
    words = ["lock", "--config", "models=[hub-tiny, hub-absent]"]
    assert main(words) == 2
    out = capsys.readouterr()
    assert out.out == f"hub-tiny: maker/tiny main is {commit}\n"
    assert "gives no 'maker/absent'" in out.err
    assert read_lock(root)["hub-tiny"].commit == commit
    assert main(["lock", "--model", "hub-tiny", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {"model": "hub-tiny", "commit": commit, "said": f"{commit}, as before"}
    ]
    assert main(["lock", "--model", "hub-tny"]) == 2
    assert "did you mean 'hub-tiny'" in capsys.readouterr().err


def test_clean_lists_and_deletes_only_with_yes(root: Path, capsys: Captured) -> None:
    weights = root / "resources/models/phi-4/model.safetensors"
    checkpoint = root / "resources/models/quantized/phi-4/w4a16/model.safetensors"
    data = root / "resources/datasets/hoc/test.tsv"
    other = root / "resources/models/another/model.safetensors"
    for path in (weights, checkpoint, data, other):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"x" * 5000)
    assert main(["clean", "models"]) == 0
    said = capsys.readouterr().out
    assert "GiB  resources/models/phi-4\n" in said
    assert "would free 0.000 GiB in 1 places. Nothing was deleted; --yes frees it" in said
    assert weights.exists()
    assert main(["clean", "models", "--yes", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {"kind": "models", "path": "resources/models/phi-4", "bytes": 5000, "deleted": True}
    ]
    assert not weights.parent.exists() and checkpoint.exists() and data.exists()
    assert main(["clean", "checkpoints", "datasets", "--yes"]) == 0
    assert "freed 0.000 GiB in 2 places" in capsys.readouterr().out
    assert not checkpoint.parent.parent.exists() and not data.parent.exists()
    assert other.exists(), "no model of the run"
    assert main(["clean", "models"]) == 0
    assert "nothing to free" in capsys.readouterr().out
    assert main(["clean", "everything"]) == 2


def test_a_local_folder_is_never_listed(root: Path, repository: Path, capsys: Captured) -> None:
    words = ["clean", "models", "datasets", "--configfile", str(root / "config/demo.yaml"), "--yes"]
    shutil.copytree(repository / "resources/demo/datasets", root / "resources/demo/datasets")
    assert main(words) == 0
    assert "nothing to free" in capsys.readouterr().out
    assert (root / "resources/demo/datasets/hoc/test.tsv").exists()


def test_a_data_folder_where_downloads_go_is_ones_own(root: Path, repository: Path, capsys: Captured) -> None:
    shutil.copytree(repository / "resources/demo/datasets", root / "resources/datasets")
    words = ["clean", "datasets", "--configfile", str(root / "config/demo.yaml"), "--yes"]
    assert main([*words, "--config", "data={folder: resources/datasets}"]) == 0
    assert "nothing to free" in capsys.readouterr().out
    assert (root / "resources/datasets/hoc/test.tsv").exists()


def test_a_local_model_in_the_folder_of_a_retrieved_one_is_kept(root: Path, repository: Path, capsys: Captured) -> None:
    source = repository / str(read_entries(root / "config/models", ModelEntry)["tiny-xs"].folder)
    shutil.copytree(source, root / "resources/models/phi-4")
    assert main(["add-model", "resources/models/phi-4", "--name", "mine"]) == 0
    assert main(["clean", "models", "--yes"]) == 0
    assert "nothing to free" in capsys.readouterr().out
    assert (root / "resources/models/phi-4/config.json").exists()


def test_where_names_what_is_shipped(root: Path, repository: Path, capsys: Captured) -> None:
    assert main(["where"]) == 0
    assert capsys.readouterr().out == f"{repository}\n"
