"""``benchmarks/gpu_check.py`` on a machine without a GPU, and how its result is read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.gpu_checks.findings import CLAIMS, findings, slurm_evidence
from benchmarks.gpu_checks.found import Setup
from benchmarks.gpu_checks.peaks import SMALL, errors
from benchmarks.gpu_checks.registry import registry
from benchmarks.gpu_checks.result import Check, CudaFacts, Evidence, GpuCheck, GpuFacts, Peak
from benchmarks.gpu_checks.table import page

GIB = 2**30


def command(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(repository / "benchmarks/gpu_check.py"), *arguments],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"},
        cwd=repository,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def rehearsed(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> GpuCheck:
    """A small rehearsal: one cell of each precision and of each engine, a checkpoint, the smaller model's peaks."""
    out = tmp_path_factory.mktemp("rehearsal")
    wanted = ("data", "cell full static", "cell w8a16 single", "cell w4a16 static", "cell w4a16 continuous", "quantize")
    wanted += ("cell from checkpoint", "peak smollm2-135m full", "peak qwen2.5-3b w4a16", "NVML")
    options = [word for name in wanted for word in ("--only", name)]
    done = command(repository, "--rehearse", "--samples", "4", "--threads", "1", "--out", str(out), *options)
    assert done.returncode == 0, done.stdout + done.stderr + (out / "work/log.txt").read_text()
    assert (out / "gpu_check.md").read_text() in done.stdout
    return GpuCheck.read(out / GpuCheck.path)


def test_without_a_gpu_it_says_so(repository: Path) -> None:
    done = command(repository)
    assert (done.returncode, done.stdout) == (2, "")
    assert "No GPU is visible" in done.stderr and "--rehearse" in done.stderr


def test_a_pattern_that_fits_no_check_is_refused(repository: Path, tmp_path: Path) -> None:
    done = command(repository, "--rehearse", "--only", "cells", "--out", str(tmp_path))
    assert done.returncode == 2
    assert "cell full static" in done.stderr


def test_checks_without_time_are_named_as_not_tried(repository: Path, tmp_path: Path) -> None:
    done = command(repository, "--rehearse", "--only", "data", "--minutes", "1e-9", "--out", str(tmp_path))
    assert done.returncode == 1  # not all that could be tried was
    assert "There was no time left for data: give more with --minutes" in done.stdout
    assert [(check.status, check.words) for check in GpuCheck.read(tmp_path / GpuCheck.path).checks] == [
        ("not tried", "out of time")
    ]


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [("--samples", "0", "at least 1"), ("--minutes", "nan", "at least 0"), ("--out", "README.md", "give a folder")],
)
def test_what_it_cannot_work_with_is_refused_in_a_line(repository: Path, option: str, value: str, words: str) -> None:
    done = command(repository, "--rehearse", "--only", "data", option, value)
    assert done.returncode == 2 and words in done.stderr.splitlines()[-1]


def test_an_earlier_checks_files_go_and_no_others(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    assert command(repository, "--rehearse", "--only", "data", "--out", str(tmp_path)).returncode == 0
    assert (tmp_path / "work").is_dir()


def test_a_rehearsal_answers_for_real(rehearsed: GpuCheck) -> None:
    assert {check.name for check in rehearsed.checks if check.status == "not tried"} == {"NVML"}
    cells = {(cell.precision, cell.engine, cell.checkpoint): cell for cell in rehearsed.cells}
    assert set(cells) == {
        ("full", "static", False),
        ("w8a16", "single", False),
        ("w4a16", "static", False),
        ("w4a16", "continuous", False),
        ("w4a16", "static", True),
    }
    assert all(cell.samples == 4 and cell.peak_allocated_bytes is None for cell in cells.values())
    compared = cells["full", "static", False].answers
    assert compared is not None and compared.samples == 4
    # The demo's own answers, where this processor computes in the format that the demo was run in.
    assert compared.equal == 4 or compared.computed_in != compared.cpu_computed_in


def test_a_rehearsal_compares_no_memory(rehearsed: GpuCheck) -> None:
    small, large = ([peak for peak in rehearsed.peaks if peak.model == name] for name in ("smollm2-135m", "qwen2.5-3b"))
    assert [(peak.batch, peak.measured_bytes) for peak in small] == [(0, None), (1, None), (2, None)]
    assert len(large) == 3 and all(not peak.device_map for peak in large)  # planned and traced, not loaded
    assert sum(small[1].planned_bytes) < sum(small[2].planned_bytes) < sum(large[0].planned_bytes)
    for peak in (*small, *large):  # the plan is of the same models and prompts as the trace
        assert sum(peak.planned_bytes) == pytest.approx(sum(peak.traced_bytes), rel=0.01)
    assert all(errors(peak) == [] for peak in rehearsed.peaks)
    assert {found.status for found in rehearsed.findings} == {"not tried"}


def test_every_claim_says_what_was_seen_or_why_nothing_was() -> None:
    evidence = [
        Evidence(finding="nf4_peak", holds=True, words="a"),
        Evidence(finding="nf4_peak", holds=False, words="b"),
        Evidence(finding="nvml_refusals", holds=True, words="c"),
        Evidence(finding="nvml_refusals", holds=True, words="c"),
    ]
    checks = [Check(name="several GPUs", status="not tried", words="only 1 GPU is visible", seconds=0.0)]
    found = {one.key: one for one in findings(evidence, checks)}
    assert list(found) == list(CLAIMS)
    assert (found["nf4_peak"].status, found["nf4_peak"].words) == ("contradicted", ["b"])
    assert (found["nvml_refusals"].status, found["nvml_refusals"].words) == ("shown", ["c"])
    assert (found["number_of_devices"].status, found["number_of_devices"].words) == (
        "not tried",
        ["only 1 GPU is visible"],
    )
    assert all(one.words for one in found.values())


def test_a_job_over_several_nodes_contradicts() -> None:
    assert [one.holds for one in slurm_evidence({"SLURM_JOB_NUM_NODES": "2"})] == [False]
    assert [one.holds for one in slurm_evidence({"SLURM_JOB_NUM_NODES": "1"})] == [True]
    assert slurm_evidence({}) == []


def test_every_claim_has_a_check_that_may_show_it() -> None:
    setup = Setup(
        out=Path("/nowhere"), device="cuda", uuids=["GPU-1"], samples=1, threads=1, models=[SMALL], long_prompts=True
    )
    names = " ".join(registry(setup))
    for word in ("several GPUs", "out of memory", "NVML", "CUDA", "continuous", "peak"):
        assert word in names


def test_the_page_puts_planned_traced_and_measured_side_by_side(rehearsed: GpuCheck) -> None:
    peak = Peak(
        model="m",
        precision="w4a16",
        stage="answering",
        prompt_tokens=1000,
        new_tokens=32,
        batch=8,
        planned_bytes=[2.01 * GIB],
        traced_bytes=[2 * GIB],
        measured_bytes=[2 * GIB],
        reserved_bytes=[3 * GIB],
        device_map={"all": "0"},
    )
    gpu = GpuFacts(
        uuid="GPU-1", name="X100", compute_capability="9.0", total_bytes=80 * GIB, free_bytes=79 * GIB, refused=[]
    )
    cuda = CudaFacts(
        driver="580.1", driver_cuda="13.0", torch_cuda="13.0", devices_seen=1, workspace_bytes=32 << 20, gpus=[gpu]
    )
    text = page(rehearsed.model_copy(update={"peaks": [peak], "cuda": cuda, "rehearsal": False}))
    assert "| m | w4a16 | answering | 1000 | 8 | 2.010 | 2.000 | 2.000 | +0.50% | +0.00% |" in text
    assert "cuBLAS workspace 32.00 MiB" in text


def test_the_fields_of_the_result_are_described_for_readers(repository: Path) -> None:
    text = (repository / "resources/measured/README.md").read_text()
    for kind in (GpuCheck, Peak, GpuFacts, CudaFacts):
        assert [name for name in kind.model_fields if f"`{name}`" not in text] == []
