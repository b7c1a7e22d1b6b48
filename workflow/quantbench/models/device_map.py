"""A placement as transformers wants it: which device each module of a real model goes to, block by block.

transformers' own placement (``device_map="auto"``) goes by what is free when it looks and sends the rest to the CPU or to
disk without a word. A map of whole modules leaves it nothing to decide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

from ..errors import ModelError
from ..planner import Placement
from .counting import one_pass
from .interfaces import CausalModel

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_NAMED = 3
_ONE_GPU = "run it on one GPU (hardware.gpus: 1, with a smaller precision where it does not fit)"


@dataclass(frozen=True)
class _Piece:
    """A module that is placed whole, or a tensor that belongs to none of them."""

    name: str
    module: nn.Module | None


def device_map(empty: PreTrainedModel, placement: Placement) -> dict[str, int]:
    """Name the device of every parameter and buffer of a model, by the modules that hold them.

    Embedding, blocks and head go where the placement says. What runs before the first block, such as position embeddings,
    goes to the embedding's device, and so does what no text goes through; what runs after the last block, such as the
    final norm, stays with it.

    Args:
        empty: the model's class with shapes only (:func:`quantbench.models.counting.model_class`); one pass is run
            through it, which shows what runs when.
        placement: of as many blocks as the model has.

    Returns:
        device by module name, as ``from_pretrained`` takes it: no name is part of another, and the embedding's device comes
        first, where accelerate has the model's inputs and outputs go.

    Raises:
        ModelError: the class cannot be spread by whole blocks, or the placement is another model's.
    """
    blocks = _blocks(empty, len(placement.blocks))
    table, head = empty.get_input_embeddings(), empty.get_output_embeddings()
    if table is None or head is None:
        raise _unmapped(empty, "it does not tell its embedding or its output head")
    if head.weight is table.weight and placement.head != placement.embedding:
        raise _unmapped(
            empty,
            f"its output head is its embedding, and they are placed on devices {placement.head} and {placement.embedding}",
        )
    pieces = list(_pieces(empty, "", blocks))
    after = _run_after(empty, pieces, blocks)
    own = {id(block): device for block, device in zip(blocks, placement.blocks, strict=True)}
    places = {}
    for piece in pieces:
        inside = set() if piece.module is None else {id(module) for module in piece.module.modules()}
        if id(piece.module) in own:
            places[piece.name] = own[id(piece.module)]
        elif id(head) in inside and id(table) not in inside:
            places[piece.name] = placement.head
        else:
            places[piece.name] = placement.blocks[-1] if piece.name in after else placement.embedding
    return dict(sorted(places.items(), key=lambda place: place[1] != placement.embedding))


def refuse_misplaced(model: CausalModel, places: Mapping[str, int], what: str, own_tables: bool = False) -> None:
    """Refuse a loaded model of which something is elsewhere than it was placed: on the CPU, on disk or on another device.

    Args:
        model: as loaded on CUDA.
        places: device by module name; all tensors belong to the one module whose name is empty, or each to one of several.
        what: the model, in words.
        own_tables: whether its layers may keep buffers on the CPU, as kernels of published quantized weights do.

    Raises:
        ModelError: names tensors and devices.
    """
    tensors = [
        *((name, weight, False) for name, weight in model.named_parameters(remove_duplicate=False)),
        *((name, buffer, own_tables) for name, buffer in model.named_buffers(remove_duplicate=False)),
    ]
    wrong = []
    for name, tensor, may_stay in tensors:
        index = next((index for key, index in places.items() if key in ("", name) or name.startswith(f"{key}.")), None)
        if index is None:
            wrong.append(f"{name} is on {tensor.device} and was not placed")
        elif tensor.device != torch.device("cuda", index) and not (may_stay and tensor.device.type == "cpu"):
            wrong.append(f"{name} is on {tensor.device} and was placed on cuda:{index}")
    if wrong:
        more = f" and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
        raise ModelError(
            f"{what}: loaded, and not where it was placed: {'; '.join(wrong[:_NAMED])}{more}; nothing was computed with it: "
            f"{_ONE_GPU}, and report it with the versions of transformers and accelerate"
        )


def _blocks(empty: PreTrainedModel, count: int) -> nn.ModuleList:
    """The list of the model's blocks: the largest of its decoder's lists of that length."""
    found = [
        module for module in empty.get_decoder().modules() if isinstance(module, nn.ModuleList) and len(module) == count
    ]
    if not found:
        raise _unmapped(empty, f"it has no list of {count} blocks")
    return max(found, key=lambda blocks: sum(weight.numel() for weight in blocks.parameters()))


def _pieces(module: nn.Module, name: str, blocks: nn.ModuleList) -> Iterator[_Piece]:
    """What is placed whole, in the order of definition: modules beside the blocks, and each block."""
    for key, _ in [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]:
        yield _Piece(f"{name}{key}", None)
    for key, child in module.named_children():
        inside = child is not blocks and any(inner is blocks for inner in child.modules())
        if inside or child is blocks:
            yield from _pieces(child, f"{name}{key}.", blocks)
        elif any(True for _ in [*child.parameters(), *child.buffers()]):
            yield _Piece(f"{name}{key}", child)


def _run_after(empty: PreTrainedModel, pieces: list[_Piece], blocks: nn.ModuleList) -> set[str]:
    """The pieces that are called once the last block has been, and never before it."""
    called: list[str] = []
    last = next(piece.name for piece in pieces if piece.module is blocks[-1])
    hooks = [
        piece.module.register_forward_pre_hook(lambda *_, name=piece.name: called.append(name))
        for piece in pieces
        if piece.module is not None
    ]
    try:
        one_pass(empty)
    except ModelError as error:
        raise _unmapped(empty, str(error)) from None
    finally:
        for hook in hooks:
            hook.remove()
    if last not in called:
        raise _unmapped(empty, "its last block is not called as a whole")
    end = called.index(last)
    return set(called[end + 1 :]) - set(called[: end + 1])


def _unmapped(empty: PreTrainedModel, why: str) -> ModelError:
    return ModelError(f"{type(empty).__name__} cannot be spread over several GPUs: {why}; {_ONE_GPU}")
