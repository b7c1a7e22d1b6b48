"""CUDA is checked before anything loads: every way in which torch cannot use a leased GPU, and that a job stops there."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from quantbench.devices.cuda_check import (
    CudaFacts,
    TriedDevice,
    check_cuda,
    check_devices,
    trouble_with_cuda,
    trouble_with_devices,
)
from quantbench.devices.runtime import set_environment
from quantbench.errors import QuantbenchError
from tests.devices.conftest import SimulatedCuda
from tests.devices.fake_nvml import FakeMachine

A, B = "GPU-aaaaaaaa-0000-0000-0000-000000000000", "GPU-bbbbbbbb-0000-0000-0000-000000000001"
SLICE = "MIG-11111111-0000-0000-0000-000000000001"
WORKS = CudaFacts("2.13.0+cu130", "13.0", available=True, words="", driver="580.95.05", driver_cuda="13.0")
OLD = replace(
    WORKS,
    available=False,
    words="CUDA initialization: The NVIDIA driver on your system is too old (found version 12020).",
    driver="535.183.01",
    driver_cuda="12.2",
)
BUILT = ["sm_80", "sm_90"]


def test_a_driver_of_the_same_cuda_or_a_newer_one_is_fine() -> None:
    assert trouble_with_cuda(WORKS, [A]) is None
    assert trouble_with_cuda(replace(WORKS, torch_cuda="12.6"), [A]) is None
    # Compatibility libraries let an older driver serve a newer CUDA: what works is not refused.
    assert trouble_with_cuda(replace(OLD, available=True), [A]) is None


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        pytest.param(
            replace(WORKS, torch="2.13.0+cpu", torch_cuda=None, available=False),
            [
                f"{A} is here and torch 2.13.0+cpu is built without CUDA: models would load on the CPU",
                "https://download.pytorch.org/whl/cu130",
                "set hardware.device to 'cpu'",
            ],
            id="built without CUDA",
        ),
        pytest.param(
            replace(OLD, torch="2.13.0+cpu", torch_cuda=None, words=""),
            ["built without CUDA", "whl/cu126"],
            id="built without CUDA, on an older driver",
        ),
        pytest.param(
            OLD,
            [
                "driver 535.183.01 is too old for torch 2.13.0+cu130",
                "supports CUDA 12.2, torch is built for CUDA 13.0",
                "Install a newer driver (580 or newer)",
                "install a torch for the driver's CUDA (pip install --force-reinstall torch",
                "whl/cu126",
                "set hardware.device to 'cpu'",
            ],
            id="driver too old",
        ),
        pytest.param(
            replace(OLD, driver=None, driver_cuda=None),
            ["driver here is too old", "supports CUDA of an older version", "(580 or newer), or set hardware.device"],
            id="driver too old, and NVML does not say how old",
        ),
        pytest.param(
            replace(OLD, driver="390.1", driver_cuda="9.1"),
            ["supports CUDA 9.1", "(580 or newer), or set hardware.device"],
            id="driver too old for every torch",
        ),
        pytest.param(
            replace(WORKS, available=False, words="CUDA initialization: Error 802: system not yet initialized"),
            ["torch 2.13.0+cu130 finds no GPU: CUDA initialization: Error 802", "nvidia-smi", "hardware.device"],
            id="driver in trouble",
        ),
        pytest.param(
            replace(WORKS, available=False, driver=None, driver_cuda=None),
            ["finds no GPU: it says no reason. NVIDIA's driver is unknown"],
            id="nobody says why",
        ),
    ],
)
def test_what_torch_cannot_use_is_refused_with_every_way_out(facts: CudaFacts, words: list[str]) -> None:
    message = trouble_with_cuda(facts, [A])
    assert message is not None
    assert [part for part in words if part not in message] == []


def tried(uuid: str | None = A, failure: str = "") -> TriedDevice:
    return TriedDevice("NVIDIA A100", uuid and uuid.removeprefix("GPU-"), "8.0", failure)


def test_the_leased_devices_that_multiply_are_fine() -> None:
    assert trouble_with_devices([tried(A), tried(B)], [A, B], BUILT) is None
    assert trouble_with_devices([tried(A), tried(None)], [A, B.upper()], BUILT) is None
    # CUDA may know a slice by its GPU.
    assert trouble_with_devices([tried(A)], [SLICE], BUILT) is None


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        ([], f"leased are {A}, {B} and CUDA sees none"),
        ([tried(A)], "CUDA sees NVIDIA A100 (aaaaaaaa-"),
        ([tried(A), tried(B), tried(None)], "NVIDIA A100 (no UUID)"),
        ([tried(B), tried(A)], "a device was lost or reset since, or something else narrows them"),
        (
            [tried(A, "CUDA error: no kernel image is available for execution on the device"), tried(B)],
            "knows sm_80, sm_90",
        ),
        (
            [tried(A), tried(B, "CUBLAS_STATUS_ARCH_MISMATCH when calling cublasSgemm")],
            f"not built for NVIDIA A100 ({B}, comp",
        ),
        (
            [tried(A), tried(B, "CUDA out of memory. Tried to allocate 2.00 MiB.")],
            "no memory left even for CUDA itself",
        ),
        (
            [tried(A, "a product differs from the CPU's"), tried(B)],
            "does not compute: a product differs from the CPU's. See",
        ),
        (
            [tried(A), tried(B, "CUDA error: uncorrectable ECC error encountered")],
            "does not compute: CUDA error: uncorrectable",
        ),
    ],
)
def test_other_devices_and_such_as_do_not_multiply_are_refused(seen: list[TriedDevice], words: str) -> None:
    message = trouble_with_devices(seen, [A, B], BUILT)
    assert message is not None and words in message
    assert any(step in message for step in ("nvidia-smi", "hardware.device", "CUDA_VISIBLE_DEVICES"))


def test_who_holds_a_full_gpu_is_named(fake_machine: FakeMachine) -> None:
    fake_machine.become("four_a100")
    fake_machine.add(f"process {A} pid=7 used=79GiB")
    message = trouble_with_devices([tried(A, "CUDA out of memory.")], [A], BUILT)
    assert message is not None and "it is used by process 7 (79.0 GiB)" in message


def test_on_cpu_there_is_nothing_to_check_and_gpus_must_be_asked_for() -> None:
    check_cuda("cpu", [])
    check_devices("cpu", [])
    with pytest.raises(QuantbenchError, match="computes on GPUs and has asked for none"):
        check_cuda("cuda", [])


def test_the_environment_counts_devices_as_nvml_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    set_environment(1, "cuda", [A, B])
    assert os.environ["CUDA_VISIBLE_DEVICES"] == f"{A},{B}"
    assert os.environ["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"


def test_simulated_devices_pass_and_one_without_memory_does_not(
    simulated_cuda: SimulatedCuda, fake_machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The product itself, on devices that hold real values."""
    import torch

    fake_machine.become("four_a100")
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    with simulated_cuda(2, 1.0) as machine:
        check_cuda("cuda", [A, B])
        check_devices("cuda", [A, B])
        with pytest.raises(QuantbenchError, match=f"leased are {A} and CUDA sees simulated"):
            check_devices("cuda", [A])
        machine.limits[1] = 16
        with pytest.raises(QuantbenchError, match=f"simulated \\({B}.*has no memory left even for CUDA itself"):
            check_devices("cuda", [A, B])


@pytest.mark.parametrize("kind", [RuntimeError, AssertionError, "DeferredCudaCallError"])
def test_a_cuda_that_does_not_start_is_a_message(
    simulated_cuda: SimulatedCuda, monkeypatch: pytest.MonkeyPatch, kind: type[Exception] | str
) -> None:
    """torch's error for a call that it has put off until CUDA starts is of a kind of its own."""
    import torch

    raised = getattr(torch.cuda, kind) if isinstance(kind, str) else kind

    def fail(*_: object) -> None:
        raise raised("CUDA call failed lazily at initialization\nCUDA call was originally invoked at: ...")

    with simulated_cuda(1, 1.0):
        monkeypatch.setattr(torch.cuda, "get_device_properties", fail)
        with pytest.raises(QuantbenchError, match=r"does not compute: CUDA call failed lazily at initialization\. See"):
            check_devices("cuda", [A])


CELL = """
import sys
from pathlib import Path
from quantbench.cell.prepared_cell import CellFolders
from quantbench.cell.running import run_cell
from quantbench.config import load
from quantbench.config.settings import read_yaml
from quantbench.errors import QuantbenchError
from quantbench.study.grid import run_cells
from quantbench.study.spec import cell_spec
root, folder = map(Path, sys.argv[1:3])
settings = read_yaml(root / "config/config.yaml") | {"hardware": {"device": sys.argv[3]}}
catalogue = load(root, settings, "test")
try:
    run_cell(cell_spec(catalogue, run_cells(catalogue)[0]), CellFolders(folder, folder, folder, folder / "leases"), gpus=1)
except QuantbenchError as error:
    print(error)
print("transformers" in sys.modules)
"""
QUANTIZE = """
import sys
from pathlib import Path
from quantbench.config.settings import read_yaml
from quantbench.errors import QuantbenchError
from quantbench.jobs import quantize_model
root, folder = map(Path, sys.argv[1:3])
settings = read_yaml(root / "config/config.yaml") | {"hardware": {"device": sys.argv[3]}}
try:
    quantize_model(settings, "qwen2.5-3b", "w4a16", folder / "made/manifest.json", str(folder), gpu=1)
except QuantbenchError as error:
    print(error)
print("transformers" in sys.modules)
"""


@pytest.mark.parametrize(
    ("script", "device"), [(CELL, "auto"), (QUANTIZE, "cuda")], ids=["a cell, on any device", "quantizing, on GPUs"]
)
def test_a_job_that_torch_has_no_cuda_for_stops_before_anything_loads(
    fake_machine: FakeMachine, repository: Path, tmp_path: Path, script: str, device: str
) -> None:
    """A real process that finds GPUs through NVML, with the torch that is installed."""
    import torch

    if torch.version.cuda is not None:
        pytest.skip("torch is built with CUDA here")
    fake_machine.become("four_a100")
    command = [sys.executable, "-c", script, str(repository), str(tmp_path / "work"), device]
    environment = fake_machine.environment(TMPDIR=str(tmp_path))
    found = subprocess.run(command, env=environment, cwd=repository, capture_output=True, text=True, timeout=120)
    assert found.returncode == 0, found.stderr
    message, loaded = found.stdout.splitlines()
    assert message.startswith(f"{A} is here and torch {torch.__version__} is built without CUDA")
    assert loaded == "False"
