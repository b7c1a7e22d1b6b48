"""What the README's "How to add" promises of metrics and figures, done in a checkout as a user would."""

from __future__ import annotations

from pathlib import Path

from .conftest import Project

FIGURE = '''"""Load times: a figure of one's own.

One bar a model.
"""

from matplotlib.figure import Figure

from .view import View


def draw(view: View) -> Figure:
    figure = Figure()
    seconds = [view.where(model=name)[0].load_s for name in view.names("model")]
    figure.add_subplot().bar(view.names("model"), seconds)
    return figure
'''
METRIC = """

METRICS["exact"] = Metric("exact", "exact match", _accuracy, "wilson")
"""


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_figure_is_one_module_and_its_name_in_a_study(project: Project) -> None:
    settings = project.open_bundle(project.folder / "resources/demo/demo.tar.zst")
    run = (project.folder / settings).parent
    studies = run / "config/studies.yaml"
    edit(studies, "figure: figure6", "figure: load_time")
    (project.folder / "workflow/quantbench/figures/load_times.py").write_text(FIGURE)
    result = project.snakemake("-n", "--configfile", settings)
    assert result.returncode != 0
    assert "unknown figure 'load_time'; did you mean 'load_times'" in result.stdout
    assert "Traceback" not in result.stdout
    edit(studies, "figure: load_time", "figure: load_times")
    target = f"{Path(settings).parent}/figures/load_times.svg"
    result = project.snakemake("--cores", "2", "--configfile", settings, "--", target)
    assert result.returncode == 0, result.stdout
    assert "tiny-" in (project.folder / target).read_text()


def test_a_metric_is_one_entry_and_its_name_in_a_dataset(project: Project) -> None:
    """Scores of an opened run are made again by it; a name that does not exist is refused before anything runs."""
    settings = project.open_bundle(project.folder / "resources/demo/demo.tar.zst")
    run = (project.folder / settings).parent
    entry = run / "config/datasets/medqa/dataset.yaml"
    edit(entry, "metric: accuracy", "metric: exac")
    metrics = project.folder / "workflow/quantbench/tasks/metrics.py"
    edit(metrics, "\n\ndef metric(", f"{METRIC}\n\ndef metric(")
    result = project.snakemake("-n", "--configfile", settings)
    assert result.returncode != 0
    assert "key 'metric' of its dataset.yaml: unknown metric 'exac'; did you mean 'exact'" in result.stdout
    edit(entry, "metric: exac", "metric: exact")
    target = f"{Path(settings).parent}/tables/table1.md"
    result = project.snakemake("--cores", "2", "--configfile", settings, "--", target)
    assert result.returncode == 0, result.stdout
    assert "| exact match |" in (project.folder / target).read_text()
