"""Runs of models that no study names, without a studies file: the figures that their cells fill, and why others are missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from .conftest import Project

SETTINGS = {
    "run": "own",
    "precisions": ["full", "w4a16"],
    "datasets": ["hoc", "ddi2013"],
    "data": {"folder": "resources/demo/datasets"},
    "limit": 6,
    "inference": {"token_budget": 65536, "max_new_tokens": 24, "max_batch_size": 8},
    "measurement": {"latency_samples": 2, "warmup": 1},
    "comparison": {"resamples": 100},
    "hardware": {"device": "cpu", "threads": 1, "warm_start": True},
}


@pytest.fixture
def own(project: Project) -> Project:
    """A checkout whose user has added two entries: a small general model and a larger biomedical one."""
    for name, shipped, domain in (("mine", "tiny-s-general", "general"), ("ours", "tiny-m", "biomedical")):
        entry = yaml.safe_load((project.folder / f"config/models/{shipped}.yaml").read_text())
        entry |= {"title": name.capitalize(), "domain": domain}
        (project.folder / f"config/models/{name}.yaml").write_text(yaml.safe_dump(entry))
    return project


def configured(project: Project, **changes: object) -> list[str]:
    (project.folder / "mine.yaml").write_text(yaml.safe_dump(SETTINGS | changes))
    return ["--cores", "2", "--configfile", "mine.yaml"]


def drawn(project: Project) -> set[str]:
    return {path.stem for path in (project.folder / "results/own/figures").glob("*.svg")}


def test_two_models_get_every_figure_that_their_cells_fill(own: Project) -> None:
    arguments = configured(own, models=["mine", "ours"], shots=[0, 1], promptings=["instruction", "cot"])
    result = own.snakemake(*arguments)
    assert result.returncode == 0, result.stdout
    assert "is not drawn" not in result.stdout
    assert drawn(own) == {*(f"figure{n}" for n in range(2, 8)), "effects", "labels", "flips", "reliability"}
    for name in ("figure2", "figure3"):
        text = (own.folder / f"results/own/figures/{name}.svg").read_text()
        assert "Mine" in text and "Ours" in text and "Missing" not in text
    assert "Missing" not in (own.folder / "results/own/figures/figure5.svg").read_text()
    assert "Nothing to be done" in own.snakemake(*arguments).stdout

    # Narrowed afterwards, the run loses figures; their files of before are no longer shown.
    narrowed = configured(own, models=["ours"], precisions=["full"], studies=["grid"])
    result = own.snakemake(*narrowed)
    assert result.returncode == 0, result.stdout
    reasons = {
        "figure3": "the run has one domain (biomedical); it compares models of both",
        "figure4": "the run has one size of models (3.047 million weights); it compares several",
        "figure5": "the run has one number of worked examples (0); 'shots: [0, 1, 3]' adds others",
        "figure6": "the run has one way of prompting (instruction); 'promptings: [instruction, cot]' adds another",
        "effects": "the run has no precision to compare with full precision; 'precisions' would name full and another",
        "labels": "the run has no dataset with labels to compare with full precision; entities have one type, and letters of options "
        "mean nothing",
        "flips": "the run has no precision to compare with full precision; 'precisions' would name full and another",
    }
    listed = own.quantbench("outputs", "results/own")
    page = (own.folder / "results/own/report.html").read_text()
    for name, reason in reasons.items():
        assert f"{name} is not drawn: {reason}" in result.stdout
        assert f"{name} is not drawn: {reason}" in listed
        assert f"figures/{name}.png" not in listed
        label = name.capitalize().replace("Figure", "Figure ")
        assert f"<p>{label} is not drawn: {reason}.</p>".replace("'", "&#39;") in page
        assert f'<figure id="{name}">' not in page
    assert "figures/figure2.png" in listed and '<figure id="figure2">' in page
    found = json.loads((own.folder / "results/own/figures/figures.json").read_text())
    assert found == {"drawn": ["figure2", "figure7", "reliability"], "left_out": reasons}


def test_a_bundle_of_own_models_is_drawn_as_the_run_was(own: Project, tmp_path: Path) -> None:
    result = own.snakemake(*configured(own, models=["mine"], datasets=["hoc"], shots=[0, 1]))
    assert result.returncode == 0, result.stdout
    assert drawn(own) == {"figure2", "figure5", "figure7", "effects", "labels", "flips"}
    own.quantbench("bundle", "results/own", "--to", str(tmp_path / "own.tar.zst"))
    for name in ("mine", "ours"):
        (own.folder / f"config/models/{name}.yaml").unlink()
    settings = own.open_bundle(tmp_path / "own.tar.zst")
    result = own.snakemake("--cores", "2", "--configfile", settings)
    assert result.returncode == 0, result.stdout
    opened = own.quantbench("outputs", str(Path(settings).parent))
    assert "18 of the 18 figures are, byte for byte, those of the run" in opened
    assert "figure4 is not drawn: the run has one size of models" in opened
