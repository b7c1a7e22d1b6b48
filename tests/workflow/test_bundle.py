"""Bundles are drawn again without torch and without a network: the shipped one, and one of an earlier version."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from quantbench.bundle import figures_unchanged

from .conftest import Project
from .lean import lean_path


def test_the_shipped_bundle_redraws_the_demos_figures(
    project: Project, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = sorted((repository / "resources/demo").glob("*.tar.zst"))
    if not shipped:
        pytest.skip("no bundle is shipped: make demo-bundle writes it")
    monkeypatch.setenv("PYTHONPATH", lean_path(repository, tmp_path / "lean"))
    for path in shipped:
        settings = project.open_bundle(path)
        result = project.snakemake("--cores", "2", "--configfile", settings)
        assert result.returncode == 0, result.stdout
        unchanged = figures_unchanged((project.folder / settings).parent)
        assert len(unchanged) >= 21
        assert all(unchanged.values()), unchanged


def test_a_bundle_of_version_0_1_0_redraws_its_tables_and_figures(
    project: Project, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", lean_path(repository, tmp_path / "lean"))
    settings = project.open_bundle(repository / "tests/data/bundles/demo_0.1.0.tar.zst")
    result = project.snakemake("--cores", "2", "--configfile", settings)
    assert result.returncode == 0, result.stdout
    run = (project.folder / settings).parent
    with (run / "tables/cells.csv").open() as handle:
        drawn = {(row["model"], row["precision"], row["dataset"]): row["score"] for row in csv.DictReader(handle)}
    assert len(drawn) == 12
    assert drawn["tiny-xs", "full", "ddi2013"] == "0.6280501155"
    assert drawn["tiny-s", "w4a16", "medqa"] == "0.855"
    assert all((run / "figures" / name).exists() for name in figures_unchanged(run))
