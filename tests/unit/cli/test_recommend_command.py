"""``quantbench recommend`` as a user calls it."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from tests.simulated_run import paper_catalogue, simulate

from quantbench import jobs
from quantbench.cli.main import main
from quantbench.study.grid import run_cells

PUBLISHED = ["recommend", "--run", "published"]


def test_an_answer_with_nothing_computed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*PUBLISHED, "--gpu-memory", "24", "--task", "named_entity_recognition"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("For named entity recognition on one GPU of 24 GiB: Phi-4 W4A16.")
    assert "Untested" in shown and "Cannot be recommended:" in shown
    assert shown.count("more than the GPU's 24.") == 10


def test_every_task_as_csv(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*PUBLISHED, "--gpu-memory", "80", "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == 4 * 12
    assert [row["model"] for row in rows if row["rank"] == "1"] == ["qwen2.5-72b"] * 3 + ["llama-3.3-70b"]


def test_nothing_fits_is_an_error_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*PUBLISHED, "--gpu-memory", "8", "--task", "question_answering"]) == 1
    output = capsys.readouterr()
    assert "nothing that was run fits a GPU of 8 GiB. The smallest is Phi-4 W4A16, which needs 12.0 GiB" in output.out
    assert "nothing can be recommended for question_answering" in output.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--gpu-memory", "24", "--task", "named_entity"], "did you mean 'named_entity_recognition'"),
        (["--gpu-memory", "-1"], "GPU memory has the value -1"),
        (["--gpu-memory", "nan"], "GPU memory has the value nan"),
        (["--gpu-memory", "inf"], "GPU memory has the value inf"),
        (["--gpu-memory", "24", "--max-latency", "nan"], "the longest latency has the value nan"),
        (["--gpu-memory", "24", "--run", "results/none"], "results/none: no tables/configuration.json there"),
    ],
)
def test_bad_input_is_named(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recommend", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_runs_folder_is_all_it_needs(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    comparison = {"margin": 0.01, "resamples": 100, "confidence": 0.95}
    settings = {"models": ["phi-4"], "datasets": ["medqa"], "studies": ["grid"], "comparison": comparison}
    catalogue = paper_catalogue(repository, **settings)
    monkeypatch.chdir(tmp_path)
    simulate(catalogue, tmp_path / catalogue.run_folder, n=20)
    jobs.compare(catalogue.run.model_dump(mode="json"), [cell.folder for cell in run_cells(catalogue)])
    capsys.readouterr()
    assert main(["recommend", "--gpu-memory", "24", "--run", "results/paper"]) == 0
    shown = capsys.readouterr().out
    assert "on one GPU of 24 GiB: Phi-4 W" in shown and "Evidence: run paper" in shown
    assert "measured" in shown and "A100-SXM4-80GB" in shown
