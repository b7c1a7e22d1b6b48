"""What planning makes of the GPUs here: memory that is not told, and slices of which a process gets one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from quantbench.config import load
from quantbench.config.settings import read_yaml
from quantbench.contracts.cell_name import Cell
from quantbench.errors import ConfigError, QuantbenchError
from quantbench.planner import Requests, remarks
from quantbench.study.spec import CellSpec, cell_specs
from tests.devices.fake_nvml import FakeMachine

SMALL, MIDDLE = (Cell(model, "w4a16", "medqa", "instruction", 0) for model in ("qwen2.5-3b", "qwen2.5-32b"))

LARGE = Cell("qwen2.5-72b", "full", "medqa", "instruction", 0)


@pytest.fixture
def specs(repository: Path) -> list[CellSpec]:
    """A cell for any GPU, and one that takes two of 20 GiB."""
    catalogue = load(repository, read_yaml(repository / "config/config.yaml"), "test")
    return list(cell_specs(catalogue, [SMALL, MIDDLE]).values())


def said(specs: list[CellSpec], **hardware: object) -> list[str]:
    chosen = specs[0].hardware.model_copy(update=hardware)
    return remarks(Requests(chosen), specs, specs, None)


def test_memory_that_is_not_told_is_assumed_and_said_once(
    fake_machine: FakeMachine, specs: list[CellSpec], repository: Path
) -> None:
    fake_machine.become("dgx_spark")
    assert said(specs) == [
        "GPUs of 80 GiB are assumed: NVIDIA GB10 (GPU-aaaaaaaa-0000-0000-0000-000000000000) does not tell its memory; "
        "set hardware.gpu_memory_gib"
    ]
    # A refusal says it too: the memory may well be larger.
    large = list(cell_specs(load(repository, read_yaml(repository / "config/config.yaml"), "test"), [LARGE]).values())
    with pytest.raises(
        ConfigError, match=r"at most 1 a cell: .*\. GPUs of 80 GiB are assumed: NVIDIA GB10 .*Give more"
    ):
        remarks(Requests(specs[0].hardware), large, large, 1)
    assert said(specs, gpu_memory_gib=119.0) == []
    fake_machine.remove("gpu")
    assert said(specs) == ["GPUs of 80 GiB are assumed: none is visible here; set hardware.gpu_memory_gib"]


def test_a_cell_that_needs_several_slices_is_refused_with_the_reason(
    fake_machine: FakeMachine, specs: list[CellSpec]
) -> None:
    fake_machine.become("mig_a100")
    assert said(specs[:1]) == []
    with pytest.raises(
        ConfigError,
        match=r"1 cell does not fit on GPUs of 9.75 GiB with at most 1 a cell: qwen2.5-32b w4a16 \(needs \d\) "
        r"\(the GPUs here are MIG slices, of which CUDA gives a process only one\)",
    ):
        said(specs)
    # What is stated may be said of another machine, whose GPUs are whole.
    assert said(specs, gpu_memory_gib=40.0) == []


def test_what_is_left_out_of_this_machine_is_said(
    fake_machine: FakeMachine, specs: list[CellSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_machine.become("mixed")
    assert [line.partition(":")[0] for line in said(specs[:1])] == ["MIG slices are left out beside whole GPUs"]
    assert said(specs[:1], device="cpu") == []
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2")
    assert said(specs[:1]) == []


def test_a_driver_in_trouble_stops_planning_with_a_message(fake_machine: FakeMachine, specs: list[CellSpec]) -> None:
    fake_machine.become("four_a100")
    fake_machine.add("refuse nvmlInitWithFlags 18")
    with pytest.raises(QuantbenchError, match="driver does not list its GPUs"):
        said(specs)
    assert said(specs[:1], gpu_memory_gib=40.0) == said(specs[:1], device="cpu") == []


@pytest.mark.parametrize(
    ("machine", "refusal", "words"),
    [
        ("four_a100", "refuse nvmlInitWithFlags 18", "NVIDIA's driver does not list its GPUs"),
        ("mig_a100", "", "MIG slices, of which CUDA gives a process only one"),
    ],
)
def test_a_dry_run_ends_in_a_message(
    fake_machine: FakeMachine, repository: Path, tmp_path: Path, machine: str, refusal: str, words: str
) -> None:
    """The command that users type, on such a machine."""
    fake_machine.become(machine)
    fake_machine.add(refusal)
    command = [sys.executable, "-m", "snakemake", "-n", "--snakefile", str(repository / "Snakefile"), "--directory"]
    narrow = ["--config", "models=[qwen2.5-72b]", "studies=[grid]", "datasets=[medqa]", "precisions=[full]"]
    found = subprocess.run(
        [*command, str(tmp_path), "--configfile", str(repository / "config/config.yaml"), *narrow],
        env=fake_machine.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert found.returncode == 1
    assert words in found.stdout and "Traceback" not in found.stdout, found.stdout
