"""Which GPUs a process may use: presets of users and of SLURM, in every form CUDA reads."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from quantbench.devices import foreign_processes, smallest_memory_gib, visible_devices
from quantbench.devices.inventory import STAND_INS
from quantbench.errors import QuantbenchError

GIB = 1024**3
UUIDS = ["GPU-1a2b", "GPU-1c3d", "GPU-5e6f", "GPU-7a8b"]


@pytest.fixture(autouse=True)
def no_presets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CUDA_VISIBLE_DEVICES", "SLURM_STEP_GPUS", "SLURM_JOB_GPUS", STAND_INS):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def four(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver's library with four GPUs; this machine may have none."""
    memory = dict(zip(UUIDS, (80, 80, 40, 80), strict=True))
    running = {
        "GPU-1c3d": [SimpleNamespace(pid=12, usedGpuMemory=3 * GIB), SimpleNamespace(pid=13, usedGpuMemory=None)]
    }
    nvml = SimpleNamespace(
        nvmlInit=lambda: None,
        nvmlDeviceGetCount=lambda: len(UUIDS),
        nvmlDeviceGetHandleByIndex=lambda index: UUIDS[index],
        nvmlDeviceGetHandleByUUID=lambda uuid: uuid,
        nvmlDeviceGetUUID=lambda handle: handle,
        nvmlDeviceGetMemoryInfo=lambda handle: SimpleNamespace(total=memory[handle] * GIB),
        nvmlDeviceGetComputeRunningProcesses=lambda handle: running.get(handle, []),
    )
    monkeypatch.setitem(sys.modules, "pynvml", nvml)


def test_no_driver_means_no_devices() -> None:
    if Path("/dev/nvidiactl").exists():
        pytest.skip("a GPU is here")
    assert visible_devices() == []
    assert smallest_memory_gib() is None
    assert foreign_processes("GPU-1a2b") == []


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        (None, UUIDS),
        ("", []),
        ("2", ["GPU-5e6f"]),
        ("3,0", ["GPU-7a8b", "GPU-1a2b"]),
        (" 1 , 2 ", ["GPU-1c3d", "GPU-5e6f"]),
        ("GPU-5e6f,GPU-1a2b", ["GPU-5e6f", "GPU-1a2b"]),
        ("GPU-7", ["GPU-7a8b"]),
        ("gpu-7A8B", ["GPU-7a8b"]),
        ("MIG-9f00", ["MIG-9f00"]),
        ("-1", []),
        ("1,-1,2", ["GPU-1c3d"]),
        ("NoDevFiles", []),
    ],
)
def test_a_preset_narrows(four: None, monkeypatch: pytest.MonkeyPatch, preset: str | None, expected: list[str]) -> None:
    if preset is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", preset)
    assert visible_devices() == expected


@pytest.mark.parametrize(
    ("preset", "message"),
    [
        ("4", "names '4', which is no device here: GPU-1a2b, .*give an index below 4"),
        ("GPU-1", "names 'GPU-1', which is several devices"),
        ("GPU-9", "names 'GPU-9', which is no device"),
        ("1,GPU-1c3d", "names GPU-1c3d twice"),
    ],
)
def test_a_wrong_preset_is_refused(four: None, monkeypatch: pytest.MonkeyPatch, preset: str, message: str) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", preset)
    with pytest.raises(QuantbenchError, match=message):
        visible_devices()


def test_what_slurm_assigned_counts_unless_the_job_chose_itself(four: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_JOB_GPUS", "0,1,2")
    assert visible_devices() == UUIDS[:3]
    monkeypatch.setenv("SLURM_STEP_GPUS", "1,2")
    assert visible_devices() == UUIDS[1:3]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2")
    assert visible_devices() == ["GPU-5e6f"]


def test_the_smallest_visible_gpu_sets_the_memory(four: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert smallest_memory_gib() == 40
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,3")
    assert smallest_memory_gib() == 80


def test_foreign_processes_are_seen(four: None) -> None:
    assert foreign_processes("GPU-1c3d") == ["process 12 (3.0 GiB)", "process 13"]
    assert foreign_processes("GPU-1a2b") == []


def test_stand_ins_take_the_place_of_gpus(four: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STAND_INS, "3")
    assert visible_devices() == ["STAND-IN-0", "STAND-IN-1", "STAND-IN-2"]
    assert smallest_memory_gib() is None
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert visible_devices() == ["STAND-IN-1"]
    monkeypatch.setenv(STAND_INS, "three")
    with pytest.raises(QuantbenchError, match="QUANTBENCH_STAND_IN_GPUS has the value 'three'"):
        visible_devices()
