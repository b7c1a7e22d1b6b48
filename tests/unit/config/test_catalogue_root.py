"""Which ``config/`` commands and jobs take, from wherever they are started."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from quantbench.config import CATALOGUE_VARIABLE, catalogue, catalogue_root
from quantbench.errors import ConfigError


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Started from a folder without a catalogue, and nothing stated."""
    monkeypatch.delenv(CATALOGUE_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def with_catalogue(folder: Path) -> Path:
    (folder / "config/models").mkdir(parents=True)
    return folder


def test_a_checkout_is_found_from_anywhere(repository: Path) -> None:
    assert catalogue_root() == repository


def test_the_nearest_statement_wins(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_catalogue(elsewhere)
    assert catalogue_root() == elsewhere
    monkeypatch.setenv(CATALOGUE_VARIABLE, str(with_catalogue(elsewhere / "group")))
    assert catalogue_root() == elsewhere / "group"
    with_catalogue(elsewhere / "mine")
    assert catalogue_root(Path("mine")) == elsewhere / "mine"


def test_a_stated_folder_without_catalogue_is_refused(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"nowhere: --root names it, but it holds no config/models"):
        catalogue_root(Path("nowhere"))
    monkeypatch.setenv(CATALOGUE_VARIABLE, "absent")
    with pytest.raises(ConfigError, match=rf"absent: {CATALOGUE_VARIABLE} names it"):
        catalogue_root()


def test_an_installed_package_falls_back_on_its_copy(
    elsewhere: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = elsewhere / "lib/site-packages/quantbench"
    shutil.copytree(repository / "config/models", package / "_catalogue/config/models")
    monkeypatch.setattr(catalogue, "_PACKAGE", package)
    monkeypatch.setattr(catalogue, "_PACKAGED", package / "_catalogue")
    assert catalogue_root() == package / "_catalogue"
    shutil.rmtree(package / "_catalogue")
    with pytest.raises(ConfigError, match=r"no catalogue found"):
        catalogue_root()
