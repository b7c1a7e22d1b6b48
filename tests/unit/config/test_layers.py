"""Which ``config/`` commands and jobs take, from wherever they are started."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from quantbench.config import CATALOGUE_VARIABLE, layered, layers, shipped_catalogue, working_root
from quantbench.errors import ConfigError


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Started from a folder without a catalogue, and nothing stated."""
    monkeypatch.delenv(CATALOGUE_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def with_settings(folder: Path, text: str) -> Path:
    (folder / "config/models").mkdir(parents=True)
    (folder / "config/config.yaml").write_text(text)
    return folder


def test_a_checkout_is_found_from_anywhere(repository: Path) -> None:
    assert shipped_catalogue() == repository


def test_a_stated_folder_without_catalogue_is_refused(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"nowhere: --root names it, but it holds no config/models"):
        working_root(Path("nowhere"))
    monkeypatch.setenv(CATALOGUE_VARIABLE, "absent")
    with pytest.raises(ConfigError, match=rf"absent: {CATALOGUE_VARIABLE} names it"):
        shipped_catalogue()


def test_an_installed_package_falls_back_on_its_copy(
    elsewhere: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = elsewhere / "lib/site-packages/quantbench"
    shutil.copytree(repository / "config/models", package / "_catalogue/config/models")
    monkeypatch.setattr(layers, "_PACKAGE", package)
    monkeypatch.setattr(layers, "_PACKAGED", package / "_catalogue")
    assert shipped_catalogue() == package / "_catalogue"
    shutil.rmtree(package / "_catalogue")
    with pytest.raises(ConfigError, match=r"no catalogue found"):
        shipped_catalogue()


def test_settings_are_laid_over_each_other_in_order(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        CATALOGUE_VARIABLE, str(with_settings(elsewhere / "group", "{a: {b: 1, c: 1, d: 1, e: 1}, f: 1}"))
    )
    with_settings(elsewhere, "a: {c: 2, d: 2, e: 2}")
    (elsewhere / "mine.yaml").write_text("a: {d: 3, e: 3}")
    assert layered(elsewhere, [Path("mine.yaml")], ["a={e: 4}", "g=[5]"]) == {
        "a": {"b": 1, "c": 2, "d": 3, "e": 4},
        "f": 1,
        "g": [5],
    }


def test_a_date_is_the_text_it_is_in_files_and_on_the_command_line(elsewhere: Path) -> None:
    (elsewhere / "mine.yaml").write_text("prompt_date: 2025-01-02\n")
    assert layered(elsewhere, [elsewhere / "mine.yaml"])["prompt_date"] == "2025-01-02"
    assert layered(elsewhere, (), ["prompt_date=2026-03-04"])["prompt_date"] == "2026-03-04"
    assert layered(elsewhere, (), ["limit=5"])["limit"] == 5
