"""accelerate's own hooks for models on several devices, whose copies from one to the next the trace makes and counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from accelerate.hooks import AlignDevicesHook, add_hook_to_module
from torch import nn

from .counting_mode import CountingMode

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class PlacedHook(AlignDevicesHook):  # type: ignore[misc]
    """Brings a module's inputs to its device as accelerate does; the module's weights are there already.

    Args:
        counting: counts the copies.
        device: of the module.
        whole: it is the model itself, whose result goes back to where its inputs came from.
        skip_keys: arguments that are left where they are.
    """

    def __init__(self, counting: CountingMode, device: int, whole: bool, skip_keys: list[str]) -> None:
        super().__init__(execution_device=device, io_same_device=whole, skip_keys=skip_keys)
        self._counting = counting

    def init_hook(self, module: nn.Module) -> nn.Module:
        """Leave the module's weights where they are."""
        return module

    def pre_forward(
        self, module: nn.Module, *args: object, **kwargs: object
    ) -> tuple[tuple[object, ...], dict[str, object]]:
        """Bring the inputs to the module's device."""
        self._counting.device = self.execution_device
        moved: tuple[tuple[object, ...], dict[str, object]] = super().pre_forward(module, *args, **kwargs)
        self.input_device = self.execution_device  # shapes do not say which device they are on
        return moved

    def post_forward(self, module: nn.Module, output: object) -> object:
        """Bring the model's result back to where its inputs came from."""
        if self.io_same_device:
            self._counting.device = self.execution_device
        return super().post_forward(module, output)


def place(model: PreTrainedModel, counting: CountingMode, places: Mapping[str, int]) -> None:
    """Hook the modules that a device map names, as ``accelerate.dispatch_model`` does; the model's inputs come from device 0."""
    stated = model._skip_keys_device_placement or []
    keys = [stated] if isinstance(stated, str) else list(stated)
    for name, module in model.named_modules():
        if name in places or not name:
            add_hook_to_module(module, PlacedHook(counting, places.get(name, 0), not name, keys))
