"""``torch.cuda`` as it answers on a machine with simulated devices, and the threads that see them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any
from unittest import mock

import torch
from torch.overrides import TorchFunctionMode

from .simulated_guard import load_guard
from .simulated_tensor import Machine, SimulatedDispatch

GIB = 2**30
# As of an A100.
_CAPABILITY = (8, 0)
_PROCESSORS = 108
_BUILT_FOR = "13.0"


@contextmanager
def simulated_devices(devices: int, gib: float) -> Iterator[Machine]:
    """Have this process see so many CUDA devices of so many GiB while the block runs, in every thread that starts in it.

    Raises:
        NoSimulation: it cannot be done here.
    """
    import bitsandbytes  # noqa: F401  # where it is imported beside a GPU, it binds what a build for CPUs lacks

    load_guard()
    machine = Machine([int(gib * GIB)] * devices)
    with ExitStack() as stack:
        for patch in (*_cuda(machine), *_elsewhere(machine)):
            stack.enter_context(patch)
        stack.enter_context(_in_this_thread(machine))
        yield machine


@contextmanager
def _in_this_thread(machine: Machine) -> Iterator[None]:
    lifts = torch._C._only_lift_cpu_tensors()
    # Values written in Python become a CPU tensor first, which is then moved, as a dispatch mode can see.
    torch._C._set_only_lift_cpu_tensors(True)
    try:
        with NumberedDevices(), SimulatedDispatch(machine):
            yield
    finally:
        torch._C._set_only_lift_cpu_tensors(lifts)


class NumberedDevices(TorchFunctionMode):
    """Lets a device be named by its number alone, which a build for CPUs refuses."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if type(kwargs.get("device")) is int:
            kwargs = {**kwargs, "device": f"cuda:{kwargs['device']}"}
        if function is torch.Tensor.to and len(args) > 1 and type(args[1]) is int:
            args = (args[0], f"cuda:{args[1]}", *args[2:])
        return function(*args, **kwargs)


class CpuGenerator(torch.Generator):
    """Draws on the CPU, for whatever device it is asked."""

    def __new__(cls, device: object = "cpu") -> CpuGenerator:
        return super().__new__(cls, "cpu")


def _cuda(machine: Machine) -> list[Any]:
    """What ``torch.cuda`` says."""

    def number(device: Any = None) -> int:
        return device if isinstance(device, int) else 0 if device is None else torch.device(device).index or 0

    def start_peak(device: Any = None) -> None:
        machine.peak[number(device)] = machine.live[number(device)]

    def synchronize(device: Any = None) -> None:
        machine.synchronized[number(device)] += 1

    def properties(device: Any = None) -> SimpleNamespace:
        return SimpleNamespace(
            name="simulated",
            total_memory=machine.limits[number(device)],
            multi_processor_count=_PROCESSORS,
            major=_CAPABILITY[0],
            minor=_CAPABILITY[1],
            is_integrated=False,
            gcnArchName="",
        )

    def free(device: Any = None) -> tuple[int, int]:
        limit = machine.limits[number(device)]
        return max(limit - machine.live[number(device)], 0), limit

    says: dict[str, Callable[..., Any]] = {
        "is_available": lambda: True,
        "is_initialized": lambda: True,
        "init": lambda: None,
        "device_count": lambda: len(machine.limits),
        "current_device": lambda: 0,
        "set_device": lambda device: None,
        "get_device_name": lambda device=None: "simulated",
        "get_device_capability": lambda device=None: _CAPABILITY,
        "get_device_properties": properties,
        "get_arch_list": lambda: [f"sm_{_CAPABILITY[0]}{_CAPABILITY[1]}"],
        "is_bf16_supported": lambda *_, **__: True,
        "is_current_stream_capturing": lambda: False,
        "mem_get_info": free,
        "memory_allocated": lambda device=None: machine.live[number(device)],
        "memory_reserved": lambda device=None: machine.live[number(device)],
        "max_memory_allocated": lambda device=None: machine.peak[number(device)],
        "max_memory_reserved": lambda device=None: machine.peak[number(device)],
        "reset_peak_memory_stats": start_peak,
        "synchronize": synchronize,
        "empty_cache": lambda: None,
    }
    return [mock.patch.object(torch.cuda, name, say) for name, say in says.items()]


def _elsewhere(machine: Machine) -> list[Any]:
    """What knows nothing of simulated devices beside ``torch.cuda``."""
    import transformers.modeling_utils as modeling

    mapped, run = modeling._get_device_map, threading.Thread.run

    def named(*args: Any, **kwargs: Any) -> Any:
        found = mapped(*args, **kwargs)
        return found and {piece: f"cuda:{at}" if type(at) is int else at for piece, at in found.items()}

    def run_there(thread: threading.Thread) -> None:
        with _in_this_thread(machine):
            run(thread)

    return [
        mock.patch.object(torch.version, "cuda", _BUILT_FOR),
        mock.patch.object(modeling, "_get_device_map", named),
        mock.patch.object(threading.Thread, "run", run_there),  # modes are a thread's own
        mock.patch.object(torch, "Generator", CpuGenerator),
        # A tensor of inference mode reaches no dispatch mode before it is a wrapper, and would be none.
        mock.patch.object(torch, "inference_mode", torch.no_grad),
    ]
