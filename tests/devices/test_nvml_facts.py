"""What manifests say of the GPUs a job used, and which devices' times are compared."""

from __future__ import annotations

import pytest
import torch

from quantbench.contracts.machine import DeviceFacts
from quantbench.devices.description import device_facts
from tests.devices.fake_nvml import FakeMachine

A, B = "GPU-aaaaaaaa-0000-0000-0000-000000000000", "GPU-bbbbbbbb-0000-0000-0000-000000000001"
C = "GPU-cccccccc-0000-0000-0000-000000000002"
SLICES = [
    "MIG-11111111-0000-0000-0000-000000000001",
    "MIG-22222222-0000-0000-0000-000000000002",
    "MIG-33333333-0000-0000-0000-000000000003",
]


def test_whole_gpus(fake_machine: FakeMachine) -> None:
    fake_machine.become("four_a100")
    assert device_facts("cuda", [A, C]) == DeviceFacts(
        kind="cuda",
        names=["NVIDIA A100-SXM4-80GB", "NVIDIA A100-SXM4-40GB"],
        uuids=[A, C],
        compute_capabilities=["8.0", "8.0"],
        driver="580.95.05",
        driver_cuda="13.0",
        torch_cuda=torch.version.cuda,
    )


def test_slices_have_a_profile_and_where_they_tell_no_name_their_gpus(fake_machine: FakeMachine) -> None:
    fake_machine.become("mig_a100")
    named, unnamed = (device_facts("cuda", [uuid]) for uuid in (SLICES[0], SLICES[2]))
    assert (named.names, named.mig_profiles) == (["NVIDIA A100-SXM4-40GB MIG 3g.20gb"], ["3g.20gb"])
    assert (unnamed.names, unnamed.mig_profiles) == (["NVIDIA A100-SXM4-40GB MIG 1c.3g.20gb"], ["1c.3g.20gb"])
    assert named.compute_capabilities == unnamed.compute_capabilities == ["8.0"]
    fake_machine.add("refuse nvmlDeviceGetName 4", "refuse nvmlDeviceGetAttributes_v2 3")
    nothing = device_facts("cuda", [SLICES[0]])
    assert (nothing.names, nothing.mig_profiles) == (["unknown GPU MIG slice"], None)


@pytest.mark.parametrize("code", [3, 4, 13, 15, 999])
def test_whatever_nvml_refuses_is_unknown(fake_machine: FakeMachine, code: int) -> None:
    fake_machine.become("four_a100")
    functions = ("DeviceGetName", "SystemGetDriverVersion", "DeviceGetCudaComputeCapability", "SystemGetProcessName")
    fake_machine.add(*(f"refuse nvml{name} {code}" for name in (*functions, "SystemGetCudaDriverVersion_v2")))
    expected = DeviceFacts(kind="cuda", names=["unknown GPU"], uuids=[A], torch_cuda=torch.version.cuda)
    assert device_facts("cuda", [A]) == expected
    fake_machine.add(f"refuse nvmlInitWithFlags {code}")
    assert device_facts("cuda", [A]) == expected


def test_a_gpu_that_is_gone_is_unknown(fake_machine: FakeMachine) -> None:
    fake_machine.become("four_a100")
    fake_machine.remove(f"gpu {A}")
    facts = device_facts("cuda", [A, B])
    assert (facts.names, facts.compute_capabilities) == (["unknown GPU", "NVIDIA A100-SXM4-80GB"], None)


def facts(**changes: object) -> DeviceFacts:
    known = {"names": ["NVIDIA A100"], "compute_capabilities": ["8.0"], "driver": "580.1", "torch_cuda": "13.0"}
    return DeviceFacts.model_validate({"kind": "cuda"} | known | changes)


@pytest.mark.parametrize(
    "other",
    [
        {"names": ["NVIDIA A100 MIG 3g.20gb"]},
        {"mig_profiles": ["2g.10gb"]},
        {"compute_capabilities": ["9.0"]},
        {"driver": "535.1"},
        {"torch_cuda": "12.6"},
    ],
)
def test_other_kinds_of_gpu_and_of_cuda_are_not_alike(other: dict[str, object]) -> None:
    one = facts(mig_profiles=["3g.20gb"])
    assert one.is_alike(facts(mig_profiles=["3g.20gb"]))
    assert not one.is_alike(facts(**{"mig_profiles": ["3g.20gb"]} | other))


def test_their_number_and_what_only_one_states_do_not_tell_devices_apart() -> None:
    several = facts(names=["NVIDIA A100"] * 4, compute_capabilities=["8.0"] * 4)
    assert facts().is_alike(several)
    assert facts().is_alike(facts(compute_capabilities=None, driver=None, torch_cuda=None))


def test_what_is_unknown_is_not_written(fake_machine: FakeMachine) -> None:
    written = DeviceFacts(kind="cpu", names=["a processor"]).model_dump()
    assert set(written) == {"kind", "names", "uuids", "driver"}
