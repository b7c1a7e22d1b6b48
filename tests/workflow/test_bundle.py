"""The shipped bundle: its figures are drawn again as they were, without torch and without a network."""

from __future__ import annotations

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
