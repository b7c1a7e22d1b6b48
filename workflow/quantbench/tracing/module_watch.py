"""Which module is at work, for what the trace counts: by its name, and by its kind with the numbers of layers left out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from torch import nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.utils._python_dispatch import is_traceable_wrapper_subclass

from .counting_mode import CountingMode

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@contextmanager
def watched(model: PreTrainedModel, counting: CountingMode) -> Iterator[None]:
    """Have the counting mode told, in this context, which module of the model runs."""
    names = {id(module): name for name, module in model.named_modules()}
    kinds = {key: _kind(name) for key, name in names.items()}
    matrices = {id(module): _matrix(module) for module in model.modules()}
    running: list[int] = []

    def show() -> None:
        key = running[-1] if running else 0
        counting.module, counting.module_kind = names.get(key, ""), kinds.get(key, "generate")
        counting.matrix = matrices.get(key)

    def before(module: nn.Module, _inputs: object) -> None:
        running.append(id(module))
        show()

    def after(_module: nn.Module, _inputs: object, _output: object) -> None:
        running.pop()
        show()

    show()
    hooks = [register_module_forward_pre_hook(before), register_module_forward_hook(after)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _matrix(module: nn.Module) -> tuple[int, int] | None:
    """Outputs and inputs of a layer whose matrix is held quantized, and multiplied by a copy in 16 bits."""
    from bitsandbytes.nn.modules import Linear4bit

    if isinstance(module, nn.Linear) and (
        isinstance(module, Linear4bit) or is_traceable_wrapper_subclass(module.weight)
    ):
        return module.out_features, module.in_features
    return None


def _kind(name: str) -> str:
    """``model.layers.17.mlp.up_proj`` as ``layers.mlp.up_proj``."""
    parts = [part for part in name.split(".") if not part.isdecimal()]
    return ".".join(parts[1:] if parts[:1] == ["model"] and len(parts) > 1 else parts) or "model"
