"""The dispatch mode under which shapes are computed: it sees each storage made and let go of, and says which device it is on."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import cast

import torch
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode, is_traceable_wrapper_subclass

from ..planner import Gpu
from .bitsandbytes_kernels import BitsandbytesKernels
from .live_bytes import Kind, LiveBytes, Piece, in_blocks
from .remembered_shapes import RememberedShapes

_ATEN = torch.ops.aten
# Operators that read a value, which a shape has not: whether something is broken, ended or present. It never is. Whether all
# of a mask is set is another question, asked of `aten.all`.
_READING = (_ATEN._local_scalar_dense.default, _ATEN.is_nonzero.default, _ATEN.item.default)


class CountingMode(TorchDispatchMode):
    """Counts the bytes of every storage made in this context, on the device of its inputs, until it is let go of.

    Args:
        devices: how many there are.
        gpu: the kind of each.
        vocabulary: tokens of the model; what has so many columns is logits.
    """

    def __init__(self, devices: int, gpu: Gpu, vocabulary: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.devices = [LiveBytes() for _ in range(devices)]
        # Where what has no input on any device is made, and which module is at work, as its name and as its kind.
        self.device, self.module, self.module_kind = 0, "", ""
        # Sides of the matrix that it holds quantized; None: it holds none.
        self.matrix: tuple[int, int] | None = None
        self._kernels = BitsandbytesKernels(gpu)
        self._workspace, self._vocabulary = gpu.cublas_workspace, vocabulary
        self.rows_differ = False  # in length, so that some are padded
        self._asked_for_all: set[int] = set()
        self._forced: int | None = None
        self._kind: Kind | None = None
        self._shapes = RememberedShapes()
        self._composite: dict[OpOverload, bool] = {}
        self._places: dict[int, tuple[int, int, Piece]] = {}  # device, bytes and piece by storage

    def __torch_dispatch__(
        self,
        func: OpOverload,
        types: Sequence[type],
        args: tuple[object, ...] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        """Compute shapes, and count what was made."""
        kwargs = kwargs or {}
        if func in _READING:
            return self._read(func, cast(torch.Tensor, args[0]))
        if func.overloadpacket is _ATEN.isin:  # its version for shapes reads values
            return torch.empty_like(cast(torch.Tensor, args[0]), dtype=torch.bool)
        # Its version for shapes takes bfloat16 alone; CUDA's writes the products of other formats group by group.
        if func is _ATEN._grouped_mm.default:
            tokens, experts = cast(tuple[torch.Tensor, torch.Tensor], args[:2])
            with self._on_device_of(args), self:
                return tokens.new_empty((tokens.shape[0], experts.shape[-1]))
        if func is _ATEN.exponential_.default:  # its version for shapes takes no stream
            return args[0]
        emulated = self._kernels(func.name().split("::")[1].split(".")[0]) if func.namespace == "bitsandbytes" else None
        if emulated is not None:
            with self._on_device_of(args), self:
                return emulated(*args, **kwargs)
        if self._is_composite(func) and not _wrapped(args):
            with self:  # what an operator made of others holds in between is seen only in these
                found = func.decompose(*args, **kwargs)
            if found is not NotImplemented:
                return found
        output = self._shapes(func, args, kwargs)
        device = self._device_of(args) if self._forced is None else self._forced
        known = {storage._cdata for storage in _storages((args, kwargs))}
        for tensor in _tensors(output):
            storage = tensor.untyped_storage()
            if storage._cdata not in self._places and storage._cdata not in known and storage.nbytes():
                self._count(storage, device, self._piece(tensor), str(func))
            if func is _ATEN.all.default:
                self._asked_for_all.add(storage._cdata)
        return output

    def made_of_values(self, tensor: torch.Tensor) -> torch.Tensor:
        """Count what ``torch.tensor`` made, which no operator shows; returns the tensor."""
        storage = tensor.untyped_storage()
        if tensor.is_meta and storage.nbytes() and storage._cdata not in self._places:
            device = self.device if self._forced is None else self._forced
            self._count(storage, device, self._piece(tensor), "tensor")
        return tensor

    def moved(self, tensor: torch.Tensor, device: int) -> torch.Tensor:
        """The tensor on a device: itself where it is there already, else a copy."""
        if self.device_of(tensor) == device:
            return tensor
        with self.made_on(device):
            return tensor.clone()

    def device_of(self, tensor: torch.Tensor) -> int:
        """The device that a tensor is on; of one not made in this context, where such are made now."""
        place = self._places.get(tensor.untyped_storage()._cdata)
        return self.device if place is None else place[0]

    @contextmanager
    def made_on(self, device: int, kind: Kind | None = None) -> Iterator[None]:
        """Whatever is made in this context is made on one device, and for one purpose."""
        before = self._forced, self._kind
        self._forced, self._kind = device, kind or self._kind
        try:
            yield
        finally:
            self._forced, self._kind = before

    def relabel(self, tensor: torch.Tensor, kind: Kind) -> None:
        """Say what a tensor is for, once it is known."""
        place = self._places.get(tensor.untyped_storage()._cdata)
        if place is not None and place[2].kind != kind:
            device, size, piece = place
            self.devices[device].relabel(piece, Piece(kind), size)
            self._places[tensor.untyped_storage()._cdata] = (device, size, Piece(kind))

    def give_workspace(self, device: int) -> None:
        """Have cuBLAS hold its workspace on a device: it gets it at the first product, and keeps it from sample to sample."""
        self.devices[device].add(Piece("cublas_workspace"), self._workspace, "", "cuBLAS")

    def begin_stage(self) -> None:
        """Begin a stage on every device."""
        for device in self.devices:
            device.begin()

    @contextmanager
    def overlooked(self) -> Iterator[None]:
        """What is made and let go of in this context does not count for the fullest moment."""
        with ExitStack() as stack:
            for device in self.devices:
                stack.enter_context(device.overlooked())
            yield

    def _read(self, func: OpOverload, tensor: torch.Tensor) -> bool | int | float:
        """A value that some code reads of a tensor."""
        if tensor.untyped_storage()._cdata in self._asked_for_all:
            return not self.rows_differ
        if func is _ATEN.is_nonzero.default or tensor.dtype is torch.bool:
            return False
        return 0.0 if tensor.dtype.is_floating_point else 0

    def _is_composite(self, func: OpOverload) -> bool:
        """Whether an operator is made of others."""
        if func not in self._composite:
            key = torch._C.DispatchKey.CompositeImplicitAutograd
            self._composite[func] = func.has_kernel_for_dispatch_key(key)
        return self._composite[func]

    def _count(self, storage: torch.UntypedStorage, device: int, piece: Piece, operation: str) -> None:
        size = in_blocks(storage.nbytes())
        self._places[storage._cdata] = (device, size, piece)
        weakref.finalize(storage, self._forget, storage._cdata)
        self.devices[device].add(piece, size, self.module, operation)

    def _forget(self, key: int) -> None:
        self._asked_for_all.discard(key)
        device, size, piece = self._places.pop(key)
        self.devices[device].remove(piece, size)

    def _piece(self, tensor: torch.Tensor) -> Piece:
        if self._kind is not None:
            return Piece(self._kind)
        if tensor.dim() > 1 and tensor.shape[-1] == self._vocabulary:
            return Piece("logits")
        if self.matrix and tensor.dtype.is_floating_point and tuple(tensor.shape) in (self.matrix, self.matrix[::-1]):
            return Piece("dequantized_matrix")
        return Piece(
            "activations", f"{self.module_kind} {list(tensor.shape)} {str(tensor.dtype).removeprefix('torch.')}".strip()
        )

    @contextmanager
    def _on_device_of(self, values: object) -> Iterator[None]:
        with self.made_on(self._device_of(values) if self._forced is None else self._forced):
            yield

    def _device_of(self, values: object) -> int:
        """The device of the first tensor among some values that is on one; numbers in tensors are on any."""
        for tensor in _tensors(values):
            place = self._places.get(tensor.untyped_storage()._cdata) if tensor.dim() else None
            if place is not None:
                return place[0]
        return self.device


def _tensors(values: object) -> list[torch.Tensor]:
    """The tensors among some values that hold bytes; of a wrapper, its parts are seen by themselves."""
    return [tensor for tensor in _any_tensors(values) if not is_traceable_wrapper_subclass(tensor)]


def _any_tensors(values: object) -> Iterator[torch.Tensor]:
    """The tensors among an operator's arguments or results, which are nested in nothing but sequences and a dictionary."""
    if isinstance(values, torch.Tensor):
        yield values
    elif isinstance(values, tuple | list):
        for value in values:
            yield from _any_tensors(value)
    elif isinstance(values, Mapping):
        yield from _any_tensors(tuple(values.values()))


def _storages(values: object) -> list[torch.UntypedStorage]:
    return [tensor.untyped_storage() for tensor in _tensors(values)]


def _wrapped(values: object) -> bool:
    return any(is_traceable_wrapper_subclass(tensor) for tensor in _any_tensors(values))
