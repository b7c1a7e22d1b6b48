"""Simulated CUDA devices with real values: a tensor on one says ``cuda:1``, holds a CPU tensor, and is computed with on the CPU.

Each device has a limit of memory. What a tensor's storage takes is counted as CUDA's allocator counts it, in steps of 512
bytes, from the moment it is made until Python lets go of it.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

aten = torch.ops.aten
_STEP_BYTES = 512
# These take operands on several devices, as they do on real ones.
_COPIES = frozenset({aten._to_copy.default, aten.copy_.default})
_INDEXES = frozenset({aten.index.Tensor, aten.index_put.default, aten.index_put_.default})
_ANYWHERE = frozenset({aten.is_same_size.default})


@dataclass
class Machine:
    """The simulated devices of one process.

    Attributes:
        limits: bytes of each device; a test may change them at any time.
        live, peak: bytes allocated now, and at most since they were last reset, of each device.
        synchronized: how often somebody waited for each device.
    """

    limits: list[int]
    live: list[int] = field(default_factory=list)
    peak: list[int] = field(default_factory=list)
    synchronized: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.live, self.peak, self.synchronized = ([0] * len(self.limits) for _ in range(3))
        self._where: dict[int, int] = {}
        # Storages may be let go of in the middle of counting another one, by the same thread.
        self._counting = threading.RLock()

    def take(self, storage: torch.UntypedStorage, device: int) -> None:
        """Count a storage that was just made.

        Raises:
            torch.OutOfMemoryError: the device has no room for it.
        """
        size = -(-storage.nbytes() // _STEP_BYTES) * _STEP_BYTES
        with self._counting:
            free = self.limits[device] - self.live[device]
            if size > free:
                raise torch.OutOfMemoryError(
                    f"CUDA out of memory. Tried to allocate {size / 2**20:.2f} MiB. GPU {device} has a total capacity of "
                    f"{self.limits[device] / 2**30:.2f} GiB of which {max(free, 0) / 2**20:.2f} MiB is free.\nSimulated."
                )
            self._where[storage._cdata] = device
            self.live[device] += size
            self.peak[device] = max(self.peak[device], self.live[device])
        weakref.finalize(storage, self._let_go, storage._cdata, device, size).atexit = False

    def knows(self, storage: torch.UntypedStorage) -> bool:
        """Whether a storage is counted already."""
        return storage._cdata in self._where

    def _let_go(self, key: int, device: int, size: int) -> None:
        with self._counting:
            if self._where.pop(key, None) is not None:
                self.live[device] -= size


class SimulatedTensor(torch.Tensor):
    """A tensor on a simulated device; ``held`` is the CPU tensor of its values."""

    held: torch.Tensor
    placed: torch.device

    @staticmethod
    def __new__(cls, held: torch.Tensor, placed: torch.device) -> SimulatedTensor:
        made: SimulatedTensor = torch.Tensor._make_wrapper_subclass(
            cls,
            held.size(),
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device="meta",
            requires_grad=False,
            dispatch_device=True,  # asks prim.device, which is answered below
        )
        made.held, made.placed = held, placed
        return made

    def __repr__(self, *_: object, **__: object) -> str:
        return f"SimulatedTensor({self.held!r}, device={self.placed})"

    def __deepcopy__(self, memo: dict[int, Any]) -> torch.Tensor:
        memo[id(self)] = copied = self.detach().clone()
        return copied

    def tolist(self) -> Any:
        return self.held.tolist()

    def data_ptr(self) -> int:
        """Tied weights are told by it."""
        return self.held.data_ptr()

    def numpy(self, *_: object, **__: object) -> Any:
        raise TypeError(f"can't convert {self.placed} device type tensor to numpy. Use Tensor.cpu() first")

    @classmethod
    def __torch_dispatch__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise AssertionError(f"{function} on a simulated device, in a thread or at a time that does not simulate it")


class SimulatedDispatch(TorchDispatchMode):
    """Runs every operation of one thread: on the CPU, with the checks and the memory of the devices it names.

    It takes the place of FakeTensorMode's, under which PyTorch does not initialize CUDA.
    """

    _mode_key = torch._C._TorchDispatchModeKey.FAKE

    def __init__(self, machine: Machine) -> None:
        super().__init__()
        self._machine = machine

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if function is torch.ops.prim.device.default:
            return args[0].placed if isinstance(args[0], SimulatedTensor) else args[0].device
        if function is aten._pin_memory.default:
            return args[0]
        kwargs = kwargs or {}
        given = [*_tensors(args), *_tensors(kwargs.values())]
        simulated = [tensor for tensor in given if isinstance(tensor, SimulatedTensor)]
        target = _target(function, args, kwargs, simulated, given)
        if target is None:
            return function(*args, **kwargs)
        if target.type == "cuda" and target.index >= len(self._machine.limits):
            raise torch.AcceleratorError(f"CUDA error: invalid device ordinal ({target})", 101)
        compute = _counted_as_floats if function is aten.histc.default else function
        output = compute(*_each(_held, args), **_on_cpu(kwargs))
        if target.type != "cuda":
            return output
        same = {id(tensor.held if isinstance(tensor, SimulatedTensor) else tensor): tensor for tensor in given}
        return _each(lambda made: self._placed(made, target.index, same, simulated), output)

    def _placed(self, made: Any, device: int, same: dict[int, torch.Tensor], given: list[SimulatedTensor]) -> Any:
        """What an operation returned, as it is on the device: an operand written in place, a view of one, or something new."""
        if not isinstance(made, torch.Tensor):
            return made
        if id(made) in same:
            return same[id(made)]
        storage = made.untyped_storage()
        of_operand = any(tensor.held.untyped_storage()._cdata == storage._cdata for tensor in given)
        if not of_operand and not self._machine.knows(storage):
            self._machine.take(storage, device)
        return SimulatedTensor(made, torch.device("cuda", device))


def _target(
    function: Any, args: Any, kwargs: Any, simulated: list[SimulatedTensor], given: list[torch.Tensor]
) -> torch.device | None:
    """Where an operation's result lies; None: no simulated device takes part.

    Raises:
        RuntimeError: operands on several devices, which CUDA does not compute with either.
    """
    asked = kwargs.get("device")
    if asked is not None:
        asked = torch.device(asked)
        if simulated or asked.type == "cuda":
            return torch.device("cuda", asked.index or 0) if asked.type == "cuda" else asked
    if not simulated:
        return None
    if function in _COPIES:
        return args[0].placed if isinstance(args[0], SimulatedTensor) else args[0].device
    # Single numbers may come from elsewhere.
    devices = {tensor.placed for tensor in simulated if tensor.dim()} or {simulated[0].placed}
    elsewhere = {tensor.device for tensor in given if tensor.dim() and not isinstance(tensor, SimulatedTensor)}
    if function not in _ANYWHERE | _INDEXES and len(devices | elsewhere) > 1:
        first, second = sorted(map(str, devices | elsewhere))[-2:]
        raise RuntimeError(
            f"Expected all tensors to be on the same device, but found at least two devices, {first} and {second}! ({function})"
        )
    return args[0].placed if function in _INDEXES and isinstance(args[0], SimulatedTensor) else min(devices, key=str)


def _counted_as_floats(values: torch.Tensor, *args: Any) -> torch.Tensor:
    """A histogram of whole numbers, which CUDA counts and the CPU does not."""
    return aten.histc.default(values.float(), *args).to(values.dtype)


def _held(value: Any) -> Any:
    if isinstance(value, SimulatedTensor):
        return value.held
    return torch.device("cpu") if isinstance(value, torch.device) else value


def _on_cpu(kwargs: dict[str, Any]) -> dict[str, Any]:
    """An operation's keyword arguments with the CPU in the place of devices."""
    own = {name: _each(_held, value) for name, value in kwargs.items() if name not in ("pin_memory", "non_blocking")}
    return own | ({"device": torch.device("cpu")} if kwargs.get("device") is not None else {})


def _tensors(values: Iterable[Any]) -> Iterator[torch.Tensor]:
    for value in values:
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _tensors(value)


def _each(change: Callable[[Any], Any], value: Any) -> Any:
    """A value, or each of a list of values, changed: operations take and return no deeper structures."""
    if isinstance(value, (list, tuple)):
        return type(value)([_each(change, one) for one in value])
    return change(value)
