"""Start a larger model from a smaller trained one, computing the same function: ``tiny-m`` and ``tiny-l`` grow so.

New channels of the residual stream begin at zero, new heads, feed-forward units and layers write nothing at first
(Net2Net, Chen et al. 2016, arXiv 1511.05641). Head size stays the same. RMSNorm divides by the root of the mean square
over all channels, so its weights shrink by the root of the ratio of sizes.
"""

from __future__ import annotations

import torch
from model import TinyLlama
from torch import Tensor


@torch.no_grad()
def grow(small: TinyLlama, large: TinyLlama) -> None:
    """Write into ``large``, as initialized, a model that answers as ``small`` does."""
    old, new = small.shape, large.shape
    if old.hidden // old.heads != new.hidden // new.heads or old.layers > new.layers:
        raise ValueError("growing keeps the head size and never takes layers away")
    shrink = (old.hidden / new.hidden) ** 0.5
    source, target = small.state_dict(), large.state_dict()
    for name, values in target.items():
        if name not in source:  # a new layer
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                values.zero_()
            continue
        _place(name, source[name], values, shrink)


def _place(name: str, old: Tensor, new: Tensor, shrink: float) -> None:
    if new.dim() == 1:
        new.fill_(1.0)
        new[: len(old)] = old * shrink
    elif "embed" in name:
        new.zero_()
        new[:, : old.shape[1]] = old
    elif name.endswith(("o_proj.weight", "down_proj.weight")):
        new.zero_()  # new units write nothing, new channels receive nothing
        new[: old.shape[0], : old.shape[1]] = old
    else:
        # Old units read old channels only; new units keep their random weights.
        new[: old.shape[0]] = 0
        new[: old.shape[0], : old.shape[1]] = old
