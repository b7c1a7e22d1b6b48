"""What CUDA and NVML say of this machine, and whether every GPU computes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from quantbench.devices import cuda_check, foreign_processes, seen_gpus, visible_devices
from quantbench.devices.description import device_facts
from quantbench.devices.gpu_identity import cuda_of_driver
from quantbench.errors import QuantbenchError
from quantbench.measure.energy import energy_window
from quantbench.measure.gpu_conditions import gpu_conditions
from quantbench.measure.nvml import handle, nvml

from .found import Found, Setup
from .result import CudaFacts, Evidence, GpuFacts

_GIB = 2**30


def check_cuda(setup: Setup) -> Found:
    """Each GPU is seen by torch under its UUID and multiplies; what the first product allocates beside is cuBLAS' workspace.

    Raises:
        QuantbenchError: torch cannot use the GPUs, sees others than it was given, or one computes something else.
    """
    import torch

    cuda_check.check_cuda("cuda", setup.uuids)
    seen = torch.cuda.device_count()
    memory = [torch.cuda.mem_get_info(index) for index in range(seen)]
    before = torch.cuda.memory_allocated(0)
    cuda_check.check_devices("cuda", setup.uuids)
    gpus = [
        GpuFacts(
            uuid=uuid,
            name=torch.cuda.get_device_name(index),
            compute_capability=".".join(map(str, torch.cuda.get_device_capability(index))),
            total_bytes=memory[index][1],
            free_bytes=memory[index][0],
            refused=refusals(uuid),
        )
        for index, uuid in enumerate(setup.uuids)
    ]
    facts = CudaFacts(
        driver=device_facts("cuda", setup.uuids).driver,
        driver_cuda=cuda_of_driver(),
        torch_cuda=torch.version.cuda,
        devices_seen=seen,
        workspace_bytes=int(torch.cuda.memory_allocated(0)) - before,
        gpus=gpus,
    )
    free = ", ".join(f"{gpu.name}, {(gpu.free_bytes or 0) / _GIB:.1f} GiB free" for gpu in gpus)
    words = f"driver {facts.driver} (CUDA {facts.driver_cuda}), torch for CUDA {facts.torch_cuda}; {free}"
    return Found(words, evidence=(Evidence(finding="cuda_usable", holds=True, words=words),), cuda=facts)


def check_nvml(setup: Setup) -> Found:
    """Ask NVML all that the package asks, one question at a time, and then by the package's own functions.

    Raises:
        QuantbenchError: one of the functions let NVML's refusal through.
    """
    refused = {uuid: refusals(uuid) for uuid in setup.uuids}
    asked: dict[str, Callable[[], object]] = {
        "visible_devices": visible_devices,
        "seen_gpus": seen_gpus,
        "device_facts": lambda: device_facts("cuda", setup.uuids),
        "foreign_processes": lambda: [foreign_processes(uuid) for uuid in setup.uuids],
        "gpu_conditions": lambda: gpu_conditions(setup.uuids),
        "energy_window": lambda: energy_window(setup.uuids).record(),
    }
    for name, ask in asked.items():
        try:
            ask()
        except Exception as error:
            raise QuantbenchError(f"{name} raised {type(error).__name__}: {error}") from error
    told = "; ".join(sorted({reason for reasons in refused.values() for reason in reasons}))
    words = f"{len(asked)} functions answer; NVML refuses {told or 'nothing'}"
    return Found(words, evidence=(Evidence(finding="nvml_refusals", holds=True, words=words),))


def refusals(uuid: str) -> list[str]:
    """Questions that NVML refuses for one GPU, each with its reason."""
    library, device = nvml(), handle(uuid)
    questions: dict[str, Callable[[Any], object]] = {
        "name": library.nvmlDeviceGetName,
        "memory": library.nvmlDeviceGetMemoryInfo,
        "compute capability": library.nvmlDeviceGetCudaComputeCapability,
        "MIG mode": library.nvmlDeviceGetMigMode,
        "compute processes": library.nvmlDeviceGetComputeRunningProcesses,
        "energy": library.nvmlDeviceGetTotalEnergyConsumption,
        "power limit": library.nvmlDeviceGetEnforcedPowerLimit,
        "temperature": lambda found: library.nvmlDeviceGetTemperature(found, library.NVML_TEMPERATURE_GPU),
        "clocks": lambda found: library.nvmlDeviceGetClockInfo(found, library.NVML_CLOCK_SM),
    }
    refused = []
    for question, ask in questions.items():
        try:
            ask(device)
        except (library.NVMLError, AttributeError) as error:  # an old library lacks some of them
            refused.append(f"{question} ({error})")
    return refused
