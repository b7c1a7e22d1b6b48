"""Why a model's scores are no numbers, and what to do: its weights are damaged, or its format is too narrow for them.

The largest float16 is 65,504. Activations of some models, trained in bfloat16, exceed it; what follows is infinite, then not
a number, and every answer is the token that comes first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .weight_sizes import held_tensors

if TYPE_CHECKING:
    import torch

    from .loading import LoadedModel

_NARROW = "float16"
# Numbers of a weight looked at together: beside the batch whose scores broke there may be no room for a mask of a whole table.
_AT_ONCE = 1 << 24


def broken_numbers(loaded: LoadedModel) -> str:
    """The cause and the next step, once a score was found to be no number; looks at every weight, which takes a while."""
    damaged = _damaged_weight(loaded)
    if damaged:
        return (
            f"the scores of the next token are not finite numbers, since {damaged} hold some that are none: the file is damaged "
            "or was saved from a training that broke down; retrieve the model again, or name another"
        )
    applied = loaded.applied
    told = applied.settings.get("bnb_4bit_compute_dtype", applied.dtype)
    if _NARROW not in (applied.dtype, told):
        return (
            f"the scores of the next token are not finite numbers, computed in {applied.dtype}: its activations exceed even this "
            "format, or weights and config.json are not of one model; retrieve the model again"
        )
    return (
        f"the scores of the next token are not finite numbers: computed in {_NARROW}, whose largest is 65504, the model's "
        f"activations overflow; {_wider(loaded)}"
    )


def _wider(loaded: LoadedModel) -> str:
    """How to have it computed in bfloat16, whose range is that of float32."""
    applied = loaded.applied
    if applied.method != "bitsandbytes":
        return "give its entry full_dtype: bfloat16, which holds unless the run sets protocol.full_dtype: float16"
    if applied.settings.get("load_in_4bit"):
        return "run it at the precision w4a16-bf16 in place of w4a16 (bnb_4bit_compute_dtype: bfloat16)"
    return "run it at the precision int8wo in place of w8a16: LLM.int8 multiplies in float16 whatever it is told"


def _damaged_weight(loaded: LoadedModel) -> str:
    """The first layer whose weights hold a NaN, or an infinity that no narrower format made; empty: none does."""
    narrowed = _NARROW in (loaded.applied.dtype, loaded.applied.settings.get("bnb_4bit_compute_dtype"))
    for name, layer in loaded.model.named_modules():
        own = [part for parameter in layer.parameters(recurse=False) for part in held_tensors(parameter)]
        # At its first product LLM.int8 moves the scales of its rows from the weight to the layer.
        scales = getattr(getattr(layer, "state", None), "SCB", None)
        for part in own if scales is None else [*own, scales]:
            if part.is_floating_point() and any(
                _is_damaged(piece, narrowed) for piece in part.flatten().split(_AT_ONCE)
            ):
                return f"the weights of {name}"
    return ""


def _is_damaged(piece: torch.Tensor, narrowed: bool) -> bool:
    return bool(piece.isnan().any() or (not narrowed and piece.isinf().any()))
