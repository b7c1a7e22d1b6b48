"""A study with random weights: runs without a model's files, and nothing it leaves passes for a result."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from quantbench.cli.main import main

from .conftest import Project, copy_project

# An entry whose weights nobody can download; the demo's data and settings.
ENTRY = """
title: Unpublished-2M
family: qwen2
domain: general
hub_id: nobody/unpublished
revision: main
chat_template: tokenizer
full_dtype: bfloat16
licence: none
architecture: {layers: 2, hidden_size: 128, attention_heads: 4, key_value_heads: 2, intermediate_size: 384,
               vocab_size: 5000, context_length: 4096, tied_head: false}
"""
NARROW = [
    *("--configfile", "config/demo.yaml", "--config", "models=[unpublished]", "precisions=[full, w4a16]"),
    *("datasets=[hoc]", "studies=[grid]", "limit=4", "measurement={latency_samples: 2, warmup: 1}"),
    "inference={max_new_tokens: 6}",
]
RANDOM = [*NARROW, "random_weights={models: all, prompt_tokens: 40}"]


@pytest.fixture(scope="module")
def finished(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = copy_project(repository, tmp_path_factory.mktemp("project"))
    (project.folder / "config/models/unpublished.yaml").write_text(ENTRY)
    result = project.snakemake("--cores", "2", *RANDOM)
    assert result.returncode == 0, result.stdout
    assert "retrieve_model" not in result.stdout
    return project


def test_prompts_and_answers_have_the_lengths_asked_for(finished: Project) -> None:
    for path in (finished.folder / "results/demo/cells").glob("*/*/*/*/predictions.jsonl"):
        answers = [json.loads(line) for line in path.read_text().splitlines()]
        assert {(answer["prompt_tokens"], *answer["new_tokens"]) for answer in answers} == {(40, 6)}
        assert len(answers) == 4


def test_everything_says_that_outputs_are_meaningless(finished: Project) -> None:
    results = finished.folder / "results/demo"
    for manifest in results.glob("cells/*/*/*/*/manifest.json"):
        facts = json.loads(manifest.read_text())
        assert facts["model"]["weights"] == facts["identity"]["model"]["weights"] == "random"
        assert facts["model"]["note"] == "outputs are meaningless"
    for name in ("cells", "table1", "precision_effects", "efficiency"):
        assert set(pd.read_csv(results / f"tables/{name}.csv")["weights"]) == {"random"}
    assert set(pd.read_csv(results / "tables/precision_effects.csv")["verdict"]) == {"at chance"}
    assert "scores of these are meaningless (Unpublished-2M)" in (results / "tables/table1.md").read_text()
    assert "RANDOM WEIGHTS" in (results / "figures/effects.svg").read_text()


def test_verify_holds_cells_against_the_stand_in(finished: Project, capsys: pytest.CaptureFixture[str]) -> None:
    root = str(finished.folder)
    assert main(["verify", f"{root}/results/demo", "--root", root]) == 0
    entry = finished.folder / "config/models/unpublished.yaml"
    entry.write_text(ENTRY.replace("layers: 2", "layers: 3"))
    try:
        assert main(["verify", f"{root}/results/demo", "--root", root]) == 1
    finally:
        entry.write_text(ENTRY)
    assert "model.architecture.layers was 2, is 3" in capsys.readouterr().out


def test_published_weights_take_nothing_from_the_stand_in(finished: Project) -> None:
    """Turning random weights off retrieves the model and runs every cell again; leaving them on runs nothing."""
    counts = finished.planned(*NARROW)
    assert (counts["retrieve_model"], counts["infer"]) == (1, 2)
    assert finished.planned(*RANDOM) == {}


def test_cells_stay_marked_where_only_figures_are_drawn_again(finished: Project) -> None:
    """With allow_missing nothing runs again, so the configuration may say otherwise: what the cells left decides."""
    results = finished.folder / "results/demo"
    for name in ("tables", "figures"):
        shutil.rmtree(results / name)
    result = finished.snakemake("--cores", "1", *NARROW, "allow_missing=true")
    assert result.returncode == 0, result.stdout
    assert set(pd.read_csv(results / "tables/cells.csv")["weights"]) == {"random"}
    assert "RANDOM WEIGHTS" in (results / "figures/effects.svg").read_text()


def test_what_a_gpu_makes_of_models_sizes_runs_on_a_processor(repository: Path, tmp_path: Path) -> None:
    """config/gpu.yaml, whose models and lengths are made tiny: energy apart, what it is for stands in the tables."""
    project = copy_project(repository, tmp_path)
    (project.folder / "config/models/unpublished.yaml").write_text(ENTRY)
    settings = [
        "--configfile",
        "config/gpu.yaml",
        "--config",
        "models=[unpublished]",
        "precisions=[full, w4a16]",
        "limit=4",
    ]
    settings += [
        "random_weights={prompt_tokens: 40}",
        "inference={max_new_tokens: 4}",
        "hardware={device: cpu, threads: 1}",
    ]
    result = project.snakemake("--cores", "2", *settings)
    assert result.returncode == 0, result.stdout
    table = pd.read_csv(project.folder / "results/gpu/tables/efficiency.csv")
    assert set(table["precision"]) == {"full", "w4a16"} and set(table["weights"]) == {"random"}
    for path in (project.folder / "results/gpu/cells").glob("*/*/*/*/measurements.json"):
        measured = json.loads(path.read_text())
        assert [one["prompt_tokens"] for one in measured["latency"]["samples"]] == [40] * 3
        assert measured["memory"]["inference"]["peak_resident_bytes"] > measured["weight_bytes"]
        assert not (path.parent / "likelihoods.npz").exists()


def test_a_gpus_cells_are_those_that_fit(repository: Path, tmp_path: Path) -> None:
    project = copy_project(repository, tmp_path)
    counts = [
        project.planned("--configfile", "config/gpu.yaml", "--config", f"hardware={{gpu_memory_gib: {gib}}}")["infer"]
        for gib in (24, 80, 180)
    ]
    assert counts[0] < counts[1] < counts[2] == 18
