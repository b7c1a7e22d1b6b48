"""The fake library itself: what the real pynvml makes of it, in this process and in others."""

from __future__ import annotations

import subprocess
import sys
import time

import pynvml
import pytest

from tests.devices.fake_nvml import FakeMachine

GIB = 1024**3
A, B = "GPU-aaaaaaaa-0000-0000-0000-000000000000", "GPU-bbbbbbbb-0000-0000-0000-000000000001"
SLICE = "MIG-11111111-0000-0000-0000-000000000001"


def test_without_a_description_there_is_no_driver(fake_machine: FakeMachine) -> None:
    with pytest.raises(pynvml.NVMLError_DriverNotLoaded):
        pynvml.nvmlInit()


def test_a_described_machine_answers_through_pynvml(fake_machine: FakeMachine) -> None:
    fake_machine.become("four_a100")
    pynvml.nvmlInit()
    assert (pynvml.nvmlSystemGetDriverVersion(), pynvml.nvmlSystemGetCudaDriverVersion_v2()) == ("580.95.05", 13000)
    handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
    assert [pynvml.nvmlDeviceGetUUID(one)[:7] for one in handles] == ["GPU-aaa", "GPU-bbb", "GPU-ccc", "GPU-cdd"]
    memory = pynvml.nvmlDeviceGetMemoryInfo(handles[2])
    assert (memory.total, memory.used, memory.free) == (40 * GIB, 500 * 1024**2, 40 * GIB - 500 * 1024**2)
    assert pynvml.nvmlDeviceGetName(handles[2]) == "NVIDIA A100-SXM4-40GB"
    assert pynvml.nvmlDeviceGetCudaComputeCapability(handles[0]) == (8, 0)
    assert pynvml.nvmlDeviceGetMigMode(handles[0]) == [0, 0]
    assert pynvml.nvmlDeviceGetEnforcedPowerLimit(handles[0]) == 400_000
    assert pynvml.nvmlDeviceGetTemperature(handles[0], pynvml.NVML_TEMPERATURE_GPU) == 34
    with pytest.raises(pynvml.NVMLError_InvalidArgument):
        pynvml.nvmlDeviceGetHandleByIndex(4)
    with pytest.raises(pynvml.NVMLError_NotFound):
        pynvml.nvmlDeviceGetHandleByUUID("GPU-9")


def test_energy_grows_with_power_unless_it_is_moved_by_hand(fake_machine: FakeMachine) -> None:
    fake_machine.become("four_a100")
    pynvml.nvmlInit()
    device = pynvml.nvmlDeviceGetHandleByUUID(A)
    before = pynvml.nvmlDeviceGetTotalEnergyConsumption(device)
    time.sleep(0.05)
    assert pynvml.nvmlDeviceGetTotalEnergyConsumption(device) >= before + 2  # 55 mJ a ms
    fake_machine.change(A, "power_w=55", "energy_mj=7000 power_w=56")
    assert pynvml.nvmlDeviceGetTotalEnergyConsumption(device) == 7000
    assert pynvml.nvmlDeviceGetPowerUsage(device) == 56_000


def test_slices_are_found_under_their_parent_and_tell_less(fake_machine: FakeMachine) -> None:
    fake_machine.become("mig_a100")
    pynvml.nvmlInit()
    parent = pynvml.nvmlDeviceGetHandleByIndex(0)
    assert (pynvml.nvmlDeviceGetCount(), pynvml.nvmlDeviceGetMaxMigDeviceCount(parent)) == (2, 7)
    slices = [pynvml.nvmlDeviceGetMigDeviceHandleByIndex(parent, index) for index in range(2)]
    assert pynvml.nvmlDeviceGetUUID(slices[0]) == SLICE
    assert [pynvml.nvmlDeviceGetGpuInstanceId(one) for one in slices] == [1, 3]
    assert pynvml.nvmlDeviceGetAttributes(slices[0]).gpuInstanceSliceCount == 3
    assert (
        pynvml.nvmlDeviceGetUUID(pynvml.nvmlDeviceGetDeviceHandleFromMigDeviceHandle(slices[0]))
        == A
        == pynvml.nvmlDeviceGetUUID(parent)
    )
    with pytest.raises(pynvml.NVMLError_NotFound):
        pynvml.nvmlDeviceGetMigDeviceHandleByIndex(parent, 2)
    with pytest.raises(pynvml.NVMLError_NotSupported):
        pynvml.nvmlDeviceGetTotalEnergyConsumption(slices[0])
    with pytest.raises(pynvml.NVMLError_NotSupported):
        pynvml.nvmlDeviceGetName(pynvml.nvmlDeviceGetHandleByUUID("MIG-33333333-0000-0000-0000-000000000003"))


def test_functions_refuse_as_told_and_a_device_taken_away_is_lost(fake_machine: FakeMachine) -> None:
    fake_machine.become("four_a100")
    pynvml.nvmlInit()
    one, other = (pynvml.nvmlDeviceGetHandleByUUID(uuid) for uuid in (A, B))
    fake_machine.add(f"refuse nvmlDeviceGetName 4 {B}", "refuse nvmlDeviceGetCurrentClocksEventReasons 13")
    assert pynvml.nvmlDeviceGetName(one)
    with pytest.raises(pynvml.NVMLError_NoPermission):
        pynvml.nvmlDeviceGetName(other)
    with pytest.raises(pynvml.NVMLError_FunctionNotFound):
        pynvml.nvmlDeviceGetCurrentClocksEventReasons(one)
    assert pynvml.nvmlDeviceGetCurrentClocksThrottleReasons(one) == 1
    fake_machine.remove(f"gpu {A}")
    with pytest.raises(pynvml.NVMLError_GpuIsLost):
        pynvml.nvmlDeviceGetName(one)


def test_processes_are_listed_with_what_they_hold_where_the_driver_tells(fake_machine: FakeMachine) -> None:
    fake_machine.become("mig_a100")
    fake_machine.add(f'process {SLICE} pid=12 used=3GiB name="python train.py"', f"process {A} pid=13")
    pynvml.nvmlInit()
    parent, part, other = (pynvml.nvmlDeviceGetHandleByUUID(uuid) for uuid in (A, SLICE, B))
    seen = [
        [(one.pid, one.usedGpuMemory) for one in pynvml.nvmlDeviceGetComputeRunningProcesses(device)]
        for device in (parent, part, other)
    ]
    assert seen == [[(12, 3 * GIB), (13, None)], [(12, 3 * GIB)], []]
    assert pynvml.nvmlSystemGetProcessName(12) == "python train.py"
    with pytest.raises(pynvml.NVMLError_NotFound):
        pynvml.nvmlSystemGetProcessName(13)


def test_a_subprocess_loads_it_by_its_own_name(fake_machine: FakeMachine) -> None:
    fake_machine.become("dgx_spark")
    script = (
        "import pynvml; pynvml.nvmlInit(); device = pynvml.nvmlDeviceGetHandleByIndex(0)\n"
        "print(pynvml.nvmlDeviceGetName(device))\n"
        "try: pynvml.nvmlDeviceGetMemoryInfo(device)\n"
        "except pynvml.NVMLError as error: print(error)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], env=fake_machine.environment(), capture_output=True, text=True, check=True
    )
    assert found.stdout.splitlines() == ["NVIDIA GB10", "Not Supported"]
