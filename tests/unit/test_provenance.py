"""Source hashes change with what they cover and with nothing else."""

import shutil
from pathlib import Path

import pytest

from quantbench import provenance


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(provenance._PACKAGE / "tasks", tmp_path / "tasks")
    (tmp_path / "scoring.py").write_text("a = 1\n")
    monkeypatch.setattr(provenance, "_PACKAGE", tmp_path)
    provenance.source_hash.cache_clear()
    return tmp_path


def test_hashes_follow_their_modules(package: Path) -> None:
    tasks, scoring = provenance.source_hash("tasks"), provenance.source_hash("scoring")
    provenance.source_hash.cache_clear()
    (package / "tasks/metrics.py").write_text("changed = True\n")
    assert provenance.source_hash("tasks") != tasks
    assert provenance.source_hash("scoring") == scoring
    provenance.source_hash.cache_clear()


def test_an_unknown_module_is_an_error(package: Path) -> None:
    with pytest.raises(FileNotFoundError, match="'nowhere'"):
        provenance.source_hash("nowhere")
