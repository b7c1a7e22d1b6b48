"""GPUs in the workflow: who gets which, what cells ask for, and cells that do not fit."""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from .conftest import Project, copy_project


def test_four_cells_at_once_hold_four_devices(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Snakemake only counts `--resources gpu=4`; the leases say which. Stand-in devices, real cells on CPU."""
    project = copy_project(repository, tmp_path)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("QUANTBENCH_STAND_IN_GPUS", "4")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    model = yaml.safe_load((repository / "config/demo.yaml").read_text())["models"][0]
    settings = ["studies=[grid]", "precisions=[full, w4a16]", "datasets=[hoc, ddi2013]", f"models=[{model}]"]
    settings += ["limit=8", "measurement={latency_samples: 2, warmup: 1}"]
    # Else quantized cells wait for full precision's answers, and two cells run at once.
    settings += ["inference={likelihoods: false}"]
    settings += ["hardware={device: auto, warm_start: false, gpu_memory_gib: 80}"]
    command = ["--cores", "4", "--resources", "gpu=4", "--configfile", "config/demo.yaml", "--config", *settings]
    snakemake = project.start("infer_all", *command)
    at_once: dict[str, str] = {}
    while snakemake.poll() is None:
        leases = (tmp_path / "tmp" / f"quantbench-{os.getuid()}" / "leases").glob("*.holder")
        holders = {path.stem: text for path in leases if (text := read(path))}
        at_once = max(at_once, holders, key=len)
        time.sleep(0.02)
    assert snakemake.returncode == 0
    assert sorted(at_once) == [f"STAND-IN-{index}" for index in range(4)]
    assert len(set(at_once.values())) == 4, at_once
    manifests = [json.loads(path.read_text()) for path in project.folder.glob("results/demo/cells/**/manifest.json")]
    leased = [manifest["device"]["uuids"] for manifest in manifests]
    assert sorted(leased) == [[f"STAND-IN-{index}"] for index in range(4)]


def read(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


def resources(output: str) -> dict[str, dict[str, str]]:
    """Cell -> its resources in a dry run's output, with the priority."""
    pattern = r"output: \S+?/cells/(\S+)/predictions\.jsonl.*?priority: (\d+)\n\s+resources: ([^\n]+)"
    return {
        cell: {"priority": priority} | dict(item.split("=", 1) for item in listed.split(", "))
        for cell, priority, listed in re.findall(pattern, output, re.DOTALL)
    }


def test_cells_ask_for_what_the_planner_says(project: Project) -> None:
    narrow = ["models=[qwen2.5-72b, qwen2.5-3b]", "studies=[grid]", "datasets=[chemprot, medqa]"]
    result = project.snakemake("-n", "--config", *narrow, "hardware={gpu_memory_gib: 80, threads: 2}")
    assert result.returncode == 0, result.stdout
    asked = resources(result.stdout)
    assert len(asked) == 12
    large, small = (asked[f"{name}/full/medqa/instruction-0shot"] for name in ("qwen2.5-72b", "qwen2.5-3b"))
    assert (large["gpu"], small["gpu"]) == ("2", "1")
    assert int(large["mem_mb"]) > int(small["mem_mb"]) > 6000
    assert int(large["runtime"]) > int(small["runtime"]) >= 15
    long = asked["qwen2.5-72b/full/chemprot/instruction-0shot"]
    assert int(long["priority"]) > int(large["priority"]) > int(small["priority"])
    assert "gres" not in large


@pytest.mark.parametrize("hardware", ["{gpu_memory_gib: 40}", "{gpu_memory_gib: 40, gres: gpu}"])
def test_slurm_is_asked_for_all_gpus_of_a_cell_on_one_node(project: Project, hardware: str) -> None:
    """By the plugin's own submit command: ``--gpus`` counts over all nodes of a job, on which no cell can run."""
    plugin = pytest.importorskip("snakemake_executor_plugin_slurm.submit_string")
    narrow = ["models=[qwen2.5-72b]", "studies=[grid]", "datasets=[medqa]", "precisions=[full]"]
    (asked,) = resources(project.snakemake("-n", "--config", *narrow, f"hardware={hardware}").stdout).values()
    values = {name: int(value) if value.isdigit() else value for name, value in asked.items()}
    job = SimpleNamespace(resources=Resources(values), threads=2)
    names = ("run_uuid", "slurm_logfile", "comment_str", "account", "partition", "workdir")
    command = plugin.get_submit_command(job, dict.fromkeys(names, ""))
    assert values["nodes"] == 1 and "--nodes=1" in command.split()
    assert int(asked.get("gres", asked["gpu"]).rpartition(":")[2]) > 1


class Resources(dict[str, object]):
    """Resources as the plugin reads them: by key, and as attributes."""

    def __getattr__(self, name: str) -> object:
        return self[name]


def test_a_cluster_that_knows_only_gres_is_asked_by_gres(project: Project) -> None:
    narrow = ["models=[qwen2.5-72b]", "studies=[grid]", "datasets=[medqa]", "precisions=[full]"]
    result = project.snakemake("-n", "--config", *narrow, "hardware={gpu_memory_gib: 80, gres: 'gpu:a100'}")
    (asked,) = resources(result.stdout).values()
    assert (asked["gres"], asked["gpu"]) == ("gpu:a100:2", "0")


def test_cells_that_do_not_fit_are_named_before_anything_runs(project: Project) -> None:
    narrow = ["models=[qwen2.5-72b, phi-4]", "studies=[grid]", "datasets=[medqa]", "hardware={gpu_memory_gib: 24}"]
    refused = project.snakemake("-n", "--resources", "gpu=2", "--config", *narrow)
    assert refused.returncode != 0
    message = (
        r"3 cells do not fit on GPUs of 24 GiB with at most 2 a cell: qwen2.5-72b full \(needs \d\), qwen2.5-72b w8a16"
    )
    assert re.search(message, refused.stdout), refused.stdout
    assert "Traceback" not in refused.stdout
    advice = re.search(r"(hardware=)'(\{unfit: leave_out.*?\})'", refused.stdout)
    assert advice, refused.stdout
    taken = project.snakemake("-n", "--resources", "gpu=2", "--config", *narrow[:3], advice[1] + advice[2])
    assert taken.returncode == 0, taken.stdout
    assert "left out: 3 cells do not fit" in taken.stdout
    assert len(resources(taken.stdout)) == 3


def test_leaving_out_needs_a_stated_size(project: Project) -> None:
    result = project.snakemake("-n", "--config", "hardware={unfit: leave_out, gpu_memory_gib: auto}")
    assert result.returncode != 0
    assert "unfit: leave_out needs a number as gpu_memory_gib" in result.stdout


def test_an_assumed_gpu_is_said(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    result = project.snakemake("-n", "--config", "models=[phi-4]", "datasets=[medqa]", "studies=[grid]")
    assert "GPUs of 80 GiB are assumed: none is visible here" in result.stdout
