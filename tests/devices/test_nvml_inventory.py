"""Which GPUs a process may use: presets of users and of SLURM in every form CUDA reads, MIG slices, and refusals of NVML."""

from __future__ import annotations

import pytest

from quantbench.config.run import HardwareSettings
from quantbench.devices import foreign_processes, seen_gpus, visible_devices
from quantbench.devices.inventory import STAND_INS
from quantbench.devices.runtime import choose_device
from quantbench.errors import ConfigError, QuantbenchError
from quantbench.measure.nvml import device_uuids
from tests.devices.fake_nvml import FakeMachine

FOUR = [
    "GPU-aaaaaaaa-0000-0000-0000-000000000000",
    "GPU-bbbbbbbb-0000-0000-0000-000000000001",
    "GPU-cccccccc-0000-0000-0000-000000000002",
    "GPU-cddddddd-0000-0000-0000-000000000003",
]
A, B, C, D = FOUR
SLICES = [
    "MIG-11111111-0000-0000-0000-000000000001",
    "MIG-22222222-0000-0000-0000-000000000002",
    "MIG-33333333-0000-0000-0000-000000000003",
]


@pytest.fixture
def four(fake_machine: FakeMachine) -> FakeMachine:
    fake_machine.become("four_a100")
    return fake_machine


@pytest.fixture
def mig(fake_machine: FakeMachine) -> FakeMachine:
    fake_machine.become("mig_a100")
    return fake_machine


def test_no_driver_means_no_devices(fake_machine: FakeMachine) -> None:
    assert visible_devices() == []
    assert (seen_gpus().memory_gib, seen_gpus().reason) == (None, "none is visible here")
    assert foreign_processes(A) == []
    assert choose_device(HardwareSettings(device="auto")) == "cpu"
    with pytest.raises(ConfigError, match="no GPU is visible"):
        choose_device(HardwareSettings(device="cuda"))


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        (None, FOUR),
        ("", []),
        ("2", [C]),
        ("3,0", [D, A]),
        (" 1 , 2 ", [B, C]),
        (f"{C},{A}", [C, A]),
        ("GPU-cd", [D]),
        ("gpu-CDD", [D]),
        ("-1", []),
        ("1,-1,2", [B]),
        ("NoDevFiles", []),
    ],
)
def test_a_preset_narrows(
    four: FakeMachine, monkeypatch: pytest.MonkeyPatch, preset: str | None, expected: list[str]
) -> None:
    if preset is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", preset)
    assert visible_devices() == expected


@pytest.mark.parametrize(
    ("preset", "message"),
    [
        ("4", f"names '4', which is no device here: {A}, .*give an index below 4"),
        ("GPU-c", "names 'GPU-c', which is several devices"),
        ("GPU-9", "names 'GPU-9', which is no device"),
        (f"1,{B}", f"names {B} twice"),
        ("MIG-1111", "names 'MIG-1111', which is no device"),
        ("0:1", "names '0:1', which is no device"),
        pytest.param("9" * 5000, "names '9+', which is no device", id="more digits than Python reads"),
    ],
)
def test_a_wrong_preset_is_refused(
    four: FakeMachine, monkeypatch: pytest.MonkeyPatch, preset: str, message: str
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", preset)
    with pytest.raises(QuantbenchError, match=message):
        visible_devices()


def test_what_slurm_assigned_counts_unless_the_job_chose_itself(
    four: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_JOB_GPUS", "0,1,2")
    assert visible_devices() == FOUR[:3]
    monkeypatch.setenv("SLURM_STEP_GPUS", "1,2")
    assert visible_devices() == FOUR[1:3]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2")
    assert visible_devices() == [C]


def test_the_smallest_visible_gpu_sets_the_memory(four: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (seen_gpus().memory_gib, seen_gpus().most_per_process, seen_gpus().notes) == (40, None, ())
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,3")
    assert seen_gpus().memory_gib == 80


def test_foreign_processes_are_seen(four: FakeMachine) -> None:
    four.add(f"process {B} pid=12 used=3GiB", f"process {B} pid=13")
    assert foreign_processes(B) == ["process 12 (3.0 GiB)", "process 13"]
    assert foreign_processes(A) == []


def test_stand_ins_take_the_place_of_gpus(four: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STAND_INS, "3")
    assert visible_devices() == ["STAND-IN-0", "STAND-IN-1", "STAND-IN-2"]
    assert seen_gpus().memory_gib is None
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert visible_devices() == ["STAND-IN-1"]
    monkeypatch.setenv(STAND_INS, "three")
    with pytest.raises(QuantbenchError, match="QUANTBENCH_STAND_IN_GPUS has the value 'three'"):
        visible_devices()


def test_slices_stand_in_place_of_a_gpu_in_mig_mode(mig: FakeMachine) -> None:
    assert visible_devices() == device_uuids() == SLICES
    seen = seen_gpus()
    assert (seen.memory_gib, seen.most_per_process) == (9984 / 1024, 1)


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        (SLICES[1], [SLICES[1]]),
        ("MIG-2222", [SLICES[1]]),
        ("mig-3333".upper(), [SLICES[2]]),
        (f"{SLICES[2]},{SLICES[0]}", [SLICES[2], SLICES[0]]),
        (f"MIG-{A}/3/0", [SLICES[1]]),  # as drivers before 470 name a slice
        ("0", SLICES[:2]),
        (B, [SLICES[2]]),
        ("1,0", [SLICES[2], *SLICES[:2]]),
    ],
)
def test_presets_name_slices_or_the_gpu_they_are_of(
    mig: FakeMachine, monkeypatch: pytest.MonkeyPatch, preset: str, expected: list[str]
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", preset)
    assert visible_devices() == expected


@pytest.mark.parametrize(
    ("preset", "message"),
    [
        ("MIG-9", f"names 'MIG-9', which is no device here: {A} in MIG mode \\({SLICES[0]}, {SLICES[1]}\\)"),
        ("MIG-", "names 'MIG-', which is several devices"),
        (f"MIG-{A}/9/0", "which is no device"),
        (f"MIG-{A}/3/1", "which is no device"),
        (f"0,{SLICES[0]}", f"names {SLICES[0]} twice"),
        ("2", "give an index below 2"),
    ],
)
def test_a_name_that_is_no_slice_is_refused(
    mig: FakeMachine, monkeypatch: pytest.MonkeyPatch, preset: str, message: str
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", preset)
    with pytest.raises(QuantbenchError, match=message):
        visible_devices()


def test_drivers_before_470_call_slices_otherwise(fake_machine: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_machine.add(f'gpu {A} name="A100-SXM4-40GB" memory=40GiB mig=1')
    fake_machine.add(f'slice MIG-{A}/7/0 parent={A} gi=7 ci=0 name="A100-SXM4-40GB MIG 1g.5gb" memory=4864MiB')
    assert visible_devices() == [f"MIG-{A}/7/0"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", f"MIG-{A}/7/0")
    assert visible_devices() == [f"MIG-{A}/7/0"]


def test_whole_gpus_come_before_slices_and_are_not_mixed_with_them(
    fake_machine: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_machine.become("mixed")
    assert visible_devices() == [B, C]
    seen = seen_gpus()
    assert (seen.memory_gib, seen.most_per_process) == (23034 / 1024, None)
    assert [f"MIG slices are left out beside whole GPUs: {SLICES[0]}" in note for note in seen.notes] == [True]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert visible_devices() == [SLICES[0]]
    assert seen_gpus().notes == ()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", f"1,{SLICES[0]}")
    with pytest.raises(QuantbenchError, match="names whole GPUs beside MIG slices"):
        visible_devices()


def test_a_gpu_in_mig_mode_without_a_slice_is_no_reason_to_compute_on_cpu(
    mig: FakeMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    mig.remove(f"slice {SLICES[2]}")
    assert visible_devices() == SLICES[:2]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    with pytest.raises(QuantbenchError, match=f"names '1', which is {B} in MIG mode without a slice"):
        visible_devices()
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    mig.remove("slice")
    with pytest.raises(QuantbenchError, match=f"no GPU can be used: {A}, {B} in MIG mode without a slice.*mig -cgi"):
        choose_device(HardwareSettings(device="auto"))
    assert choose_device(HardwareSettings(device="cpu")) == "cpu"


def test_memory_that_nvml_does_not_tell_is_unknown_with_the_gpus_name(fake_machine: FakeMachine) -> None:
    fake_machine.become("dgx_spark")
    seen = seen_gpus()
    assert (seen.memory_gib, seen.reason) == (None, f"NVIDIA GB10 ({A}) does not tell its memory")
    fake_machine.add(f'gpu {B} name="NVIDIA L4" memory=24GiB')
    seen = seen_gpus()
    assert (seen.memory_gib, seen.reason) == (24, "")
    assert seen.notes == (
        f"NVIDIA GB10 ({A}) does not tell its memory; where it is less than that of the others, set hardware.gpu_memory_gib",
    )


@pytest.mark.parametrize("code", [4, 13, 15, 999])
def test_whatever_nvml_refuses_memory_is_unknown(four: FakeMachine, code: int) -> None:
    four.add(f"refuse nvmlDeviceGetMemoryInfo {code}", f"refuse nvmlDeviceGetName {code}")
    seen = seen_gpus()
    assert seen.memory_gib is None
    assert seen.reason.startswith(f"unknown GPU ({A}) and unknown GPU ({B})")


def test_a_gpu_that_is_lost_is_left_out_and_said(four: FakeMachine) -> None:
    four.add(f"refuse nvmlDeviceGetHandleByIndex_v2 15 {B}", f"refuse nvmlDeviceGetHandleByUUID 15 {B}")
    assert visible_devices() == [A, C, D]
    assert seen_gpus().notes == ("left out, since NVML does not open it: GPU 1: GPU is lost",)


def test_where_every_gpu_is_lost_nothing_runs_on_cpu_instead(four: FakeMachine) -> None:
    four.add("refuse nvmlDeviceGetHandleByIndex_v2 15")
    with pytest.raises(
        QuantbenchError, match=r"no GPU can be used \(GPU 0: GPU is lost; .*set hardware.device to 'cpu'"
    ):
        choose_device(HardwareSettings(device="auto"))


def test_gpus_that_a_cluster_gave_to_others_are_not_there(four: FakeMachine) -> None:
    four.add(*(f"refuse nvmlDeviceGetHandleByIndex_v2 4 {uuid}" for uuid in (A, B, D)))
    assert visible_devices() == [C]
    four.add(f"refuse nvmlDeviceGetHandleByIndex_v2 4 {C}")
    assert visible_devices() == []
    assert choose_device(HardwareSettings(device="auto")) == "cpu"


@pytest.mark.parametrize(
    ("function", "code", "words"),
    [
        ("nvmlInitWithFlags", 18, "RM has detected an NVML/RM version mismatch."),
        ("nvmlInitWithFlags", 4, "Insufficient Permissions"),
        ("nvmlInitWithFlags", 999, "Unknown Error"),
        ("nvmlDeviceGetCount_v2", 999, "Unknown Error"),
    ],
)
def test_a_driver_in_trouble_is_refused_and_not_taken_for_none(
    four: FakeMachine, function: str, code: int, words: str
) -> None:
    four.add(f"refuse {function} {code}")
    for ask in (visible_devices, seen_gpus, lambda: choose_device(HardwareSettings(device="auto"))):
        with pytest.raises(QuantbenchError, match=f"driver does not list its GPUs \\({words}\\).*nvidia-smi.*'cpu'"):
            ask()


def test_a_virtual_gpu_is_a_gpu(fake_machine: FakeMachine) -> None:
    fake_machine.become("vgpu")
    assert (visible_devices(), seen_gpus().memory_gib) == ([A], 20)
