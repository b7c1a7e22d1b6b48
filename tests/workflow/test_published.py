"""``snakemake published_figures``: the paper's values drawn with nothing computed."""

import re

from .conftest import Project


def test_published_values_are_drawn_and_marked(project: Project) -> None:
    result = project.snakemake("--cores", "1", "published_figures")
    assert result.returncode == 0, result.stdout
    folder = project.folder / "results/published"
    for name in ("figure2", "figure2_bars", "figure2_bars_by_model", "figure7"):
        assert "Published values" in (folder / f"figures/{name}.svg").read_text()
        assert all((folder / f"figures/{name}.{kind}").stat().st_size > 1000 for kind in ("png", "pdf"))
    assert re.search(r"\| 24 GiB \|.*Phi-4 W4A16: 0\.512 \(untested\)", (folder / "recommendations.md").read_text())
