"""Model files are held against their recorded hashes before the first cell uses them, and read again only when changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from quantbench.contracts.checksums import file_hashes
from quantbench.errors import ModelError
from quantbench.store import folder_checks
from quantbench.store.folder_checks import verified_files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "m").mkdir()
    for name in ("config.json", "model.safetensors"):
        (tmp_path / "m" / name).write_bytes(name.encode() * 100)
    return tmp_path / "m"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files whose content was read."""
    names: list[str] = []
    original = folder_checks.sha256_of
    monkeypatch.setattr(folder_checks, "sha256_of", lambda path: (names.append(path.name), original(path))[1])
    return names


def test_each_file_is_read_once_until_it_changes_or_all_are_asked_for(folder, tmp_path, read):
    recorded = file_hashes(folder)
    for _ in range(3):
        assert verified_files(folder, "m", recorded, tmp_path / "notes") == recorded
    assert sorted(read) == ["config.json", "model.safetensors"]
    os.utime(folder / "config.json", ns=(1, 1))
    verified_files(folder, "m", recorded, tmp_path / "notes")
    assert read[2:] == ["config.json"]
    verified_files(folder, "m", recorded, tmp_path / "notes", force=True)
    assert sorted(read[3:]) == ["config.json", "model.safetensors"]


def test_a_tampered_a_lost_and_an_added_file_are_named(folder, tmp_path):
    recorded = file_hashes(folder)
    (folder / "model.safetensors").write_bytes(b"other")
    (folder / "config.json").unlink()
    (folder / "extra.safetensors").write_bytes(b"x")
    with pytest.raises(ModelError) as caught:
        verified_files(folder, "m", recorded, tmp_path / "notes")
    for part in (
        f"{folder}/model.safetensors is not the recorded file",
        f"{folder}/config.json is gone",
        f"{folder}/extra.safetensors was added",
        "Nothing was computed",
    ):
        assert part in str(caught.value)


def test_content_changed_under_the_same_size_and_time_is_found_when_forced(folder, tmp_path):
    recorded = file_hashes(folder)
    verified_files(folder, "m", recorded, tmp_path / "notes")
    path = folder / "model.safetensors"
    state, content = path.stat(), bytearray(path.read_bytes())
    content[3] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    verified_files(folder, "m", recorded, tmp_path / "notes")
    with pytest.raises(ModelError, match=r"model\.safetensors is not the recorded file"):
        verified_files(folder, "m", recorded, tmp_path / "notes", force=True)


def test_a_folder_nobody_recorded_is_hashed_and_accepted(folder, tmp_path):
    assert verified_files(folder, "m", None, tmp_path / "notes") == file_hashes(folder)
