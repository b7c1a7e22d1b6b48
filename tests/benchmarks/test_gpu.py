"""``benchmarks/gpu.py`` on a machine without a GPU, and what it says where things go wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from benchmarks.gpu import failures, steps_of
from benchmarks.measured.figure import figure
from benchmarks.measured.sets import ARMS, MeasuredSet, cells, measured_set, too_large
from benchmarks.measured.summary import derived, text
from matplotlib.text import Text

from quantbench.config import Catalogue
from quantbench.contracts.cell_name import Cell
from quantbench.devices.processor import multiplies

PAPERS = ("full", "w8a16", "w4a16")
ROW_KEYS = {"weight_bytes", "planned_weight_bytes", "planned_peak_bytes", "peak_resident_bytes", "first_token_s"}


def command(repository: Path, *arguments: str) -> str:
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(repository / "benchmarks/gpu.py"), *arguments],
        env=environment,
        cwd=repository,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def measured(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """What the command prints and writes without a GPU."""
    out = tmp_path_factory.mktemp("measured") / "tiny.json"
    printed = command(repository, "--out", str(out))
    return printed, json.loads(out.read_text())


@pytest.fixture
def gpus_cells(repository: Path) -> Catalogue:
    """The set that a GPU gets."""
    return measured_set("gpu", "cuda", 1).catalogue(repository)


def test_every_cell_of_the_tiny_set_is_measured(measured: tuple[str, dict[str, Any]]) -> None:
    printed, result = measured
    assert (result["format"], result["set"], result["device"]["kind"]) == (2, "tiny", "cpu")
    wanted = {(model, precision) for model in ("tiny-qwen", "tiny-phi") for precision in ("full", "w8a16", "w4a16")}
    assert {(row["model"], row["precision"]) for row in result["quality"]} == wanted
    assert {(row["model"], row["precision"], row["prompt_tokens"]) for row in result["rows"]} == {
        (*names, 60) for names in wanted
    }
    assert all(row.keys() >= ROW_KEYS and row["weights"] == "random" for row in result["rows"])
    assert all(len(row["latency_s"]) == 2 and row["new_tokens"] == 5 for row in result["rows"])
    assert all(batch["new_tokens"] == 4 * 5 and batch["tokens_per_s"] > 0 for batch in result["quality"])
    assert {"static", "continuous", "single", "bare", "lm_eval"} == result["engines"]["tokens_per_s"].keys()
    assert result["left_out"] == []
    assert result["copy_bytes_per_s"] > 1e8
    assert len([line for line in printed.splitlines() if line.split()[:1] in (["tiny-qwen"], ["tiny-phi"])]) == 6


def test_a_row_follows_from_its_raw_values(measured: tuple[str, dict[str, Any]]) -> None:
    line, row = derived(measured[1])[0], measured[1]["rows"][0]
    assert line["weight_gib"] == row["weight_bytes"] / 2**30
    times = sorted((whole - first) / 4 for whole, first in zip(row["latency_s"], row["first_token_s"], strict=True))
    assert line["token_s"] == pytest.approx(sum(times) / 2)
    copy = measured[1]["copy_bytes_per_s"]
    assert line["bandwidth_share"] == pytest.approx(row["read_bytes_a_token"] / line["token_s"] / copy)
    # 3 layers of 2 x 128 x 128 + 2 x 128 x 64 + 3 x 128 x 384 weights, a head of 1000 x 128; no embedding. A processor that does
    # not multiply bfloat16 holds them in float32.
    bytes_each = 2 if multiplies("bfloat16") else 4
    assert row["read_bytes_a_token"] == pytest.approx(bytes_each * (3 * 196_608 + 128_000), rel=0.01)


def test_no_time_leaves_every_cell_out_by_name(repository: Path, tmp_path: Path) -> None:
    printed = command(repository, "--minutes", "0", "--out", str(tmp_path / "none.json"))
    result = json.loads((tmp_path / "none.json").read_text())
    reasons = [item["reason"] for item in result["left_out"] if item["model"].startswith("tiny")]
    assert reasons.count("out of time") == 6
    assert "peers: out of time" in reasons
    assert (result["rows"], result["engines"]) == ([], None)
    assert "Left out: tiny-qwen full: out of time" in printed


def test_what_failed_is_named_by_its_cell() -> None:
    cell = "qwen2.5-7b/full/medqa/instruction-0shot"
    ends = [
        {"kind": "end", "step": cell, "status": "failed", "words": "out of memory"},
        {"kind": "end", "step": f"single:{cell}", "status": "failed", "words": "too slow"},
        {"kind": "end", "step": "copy", "status": "passed", "words": "7 GB/s"},
    ]
    assert [(item["model"], item["precision"], item["reason"]) for item in failures(ends)] == [
        ("qwen2.5-7b", "full", "out of memory"),
        ("qwen2.5-7b", "full", "single: too slow"),
    ]


def test_what_cannot_fit_is_not_tried(gpus_cells: Catalogue) -> None:
    wanted = cells(gpus_cells)
    assert len(set(wanted)) == len(wanted) == 18
    assert [cell.model for cell in wanted[::3]] == list(gpus_cells.run.models)

    def left(gib: float | None) -> list[str]:
        memory = None if gib is None else round(gib * 2**30)
        return [f"{cell.model} {cell.precision}" for cell in wanted if too_large(gpus_cells, cell, memory) is None]

    sizes = [len(left(gib)) for gib in (8, 24, 80, 141, None)]
    assert sizes == sorted(sizes) and sizes[0] > 0 and sizes[-1] == 18
    assert "qwen2.5-32b full" not in left(24) and "qwen2.5-72b w4a16" in left(79.6)
    told = too_large(gpus_cells, wanted[3], 24 * 2**30)
    assert told == "planned not to fit on 24.0 GiB"


def test_engines_are_compared_right_after_their_own_cell() -> None:
    jobs = measured_set("tiny", "cpu", 1)
    names = [step.name.partition("/")[0] for step in steps_of(jobs, [*cells_of_tiny(jobs)])]
    assert names[:5] == ["copy", "tiny-qwen", "continuous:tiny-qwen", "single:tiny-qwen", "peers:tiny-qwen"]
    assert len(names) == 1 + 6 + 3


def cells_of_tiny(jobs: MeasuredSet) -> list[Cell]:
    return [Cell(str(model), precision, "medqa", "instruction", 0) for model in jobs.models for precision in PAPERS]


def test_half_a_billion_weights_at_every_precision(tmp_path: Path) -> None:
    jobs = measured_set("half", "cpu", 1)
    jobs.write(tmp_path)
    assert [cell.precision for cell in cells(jobs.catalogue(tmp_path))] == list(ARMS)
    assert jobs.alone


def gpu_result(catalogue: Catalogue) -> dict[str, Any]:
    """A result as a GPU would leave it, with made-up numbers: what is drawn from it, not what it says."""
    rows = [
        {
            "model": job.model,
            "precision": job.precision,
            "prompt_tokens": 1000,
            "new_tokens": 50,
            "load_s": 9.0,
            "weight_bytes": 5 * 10**9,
            "planned_weight_bytes": 5 * 10**9,
            "planned_peak_bytes": (6 + place) * 10**9,
            "peak_allocated_bytes": (6 + place) * 10**9 * 1.01,
            "peak_reserved_bytes": (7 + place) * 10**9,
            "peak_process_bytes": (8 + place) * 10**9,
            "peak_resident_bytes": 10**9,
            "first_token_s": [0.1, 0.2],
            "latency_s": [1.1 + place / 9, 1.3 + place / 9],
            "read_bytes_a_token": 4 * 10**9,
        }
        for place, job in enumerate(cells(catalogue))
    ]
    quality = [
        {"model": job.model, "precision": job.precision, "tokens_per_s": 100.0, "energy_j_per_1000_tokens": 900.0}
        for job in cells(catalogue)
    ]
    return {
        "device": {"kind": "cuda", "names": ["NVIDIA X100 80GB"]},
        "settings": {"samples": 16},
        "titles": {model: catalogue.models[model].title for model in catalogue.run.models},
        "copy_bytes_per_s": 2.5e12,
        "rows": rows,
        "quality": quality,
        "engines": None,
        "left_out": [{"model": "m", "precision": "full", "reason": "planned not to fit"}],
        "seconds": 460.0,
    }


def test_a_gpus_result_shows_the_planners_error_and_what_the_process_held(gpus_cells: Catalogue) -> None:
    result = gpu_result(gpus_cells)
    line = derived(result)[0]
    assert line["peak_error"] == pytest.approx(-0.0099, abs=1e-4)
    assert line["process_gib"] == 8 * 10**9 / 2**30
    assert "-0.99%" in text(result)
    assert "Left out: m full: planned not to fit" in text(result)


@pytest.mark.parametrize("gpu", [True, False])
def test_the_figure_names_every_model_and_the_device(
    measured: tuple[str, dict[str, Any]], gpus_cells: Catalogue, gpu: bool
) -> None:
    result = gpu_result(gpus_cells) if gpu else measured[1]
    drawn = figure(result)
    said = " ".join(found.get_text() for found in drawn.findobj(Text) if isinstance(found, Text))
    assert all(title in said for title in result["titles"].values())
    assert result["device"]["names"][0] in said
    assert "Random weights" in said


def test_kept_results_are_within_the_planners_three_percent(repository: Path) -> None:
    """Every result a GPU left in the repository; none has, until one is committed."""
    for path in (repository / "resources/measured").glob("*.json"):
        result = json.loads(path.read_text())
        if path.stem.endswith("-check"):
            continue
        assert result["format"] == 2, path
        for line in derived(result):
            error = line["weight_error"] if line["peak_error"] is None else line["peak_error"]
            limit = 0.01 if line["peak_error"] is None else 0.03
            assert abs(error) <= limit, (path, line["model"], line["precision"], line["prompt_tokens"])
