"""Scaled dot-product attention as CUDA's fused kernels allocate it; on shapes it would hold all scores.

Sources: torch's ``aten/src/ATen/native/transformers/attention.cpp`` (choice of kernel, masks) and ``cuda/attention.cu``,
``cuda/flash_attn/flash_api.cpp`` (results). Where no fused kernel takes the inputs, torch's own fallback runs on the shapes.
Not counted: what the flash kernel sums in when it splits a long cache over more blocks, at most about 1 MiB for a written token.
"""

from __future__ import annotations

import torch
from torch.nn import functional

# `sdp_utils.cpp`: `check_head_dim_size_flash`.
_WIDEST_HEAD = 256
# `preprocess_mask`: the last side of a mask is brought to a multiple of this.
_ALIGNED = 8
# `mem_eff_attention/kernel_forward.h`: wider heads are summed in 32 bits beside the result (`kNeedsOutputAccumulatorBuffer`).
_IN_REGISTERS = 128


def attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attn_mask: torch.Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> torch.Tensor:
    """Make the tensors that ``scaled_dot_product_attention`` makes on CUDA; arguments as of that function.

    Returns:
        the result, shape (rows, heads, queries, head size), as a view of (rows, queries, heads, head size).
    """
    halves = query.dtype in (torch.float16, torch.bfloat16)
    same_heads = key.shape[1] == query.shape[1]
    if attn_mask is None and halves and query.shape[-1] == value.shape[-1] <= _WIDEST_HEAD:
        return _flash(query, value)
    if same_heads or not enable_gqa:
        return _memory_efficient(query, value, attn_mask)
    return functional.scaled_dot_product_attention(
        query, key, value, attn_mask, dropout_p, is_causal, scale=scale, enable_gqa=enable_gqa
    )


def _flash(query: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    rows, heads, queries, _ = query.shape
    output = query.new_empty((rows, queries, heads, value.shape[-1]))
    query.new_empty((rows, heads, queries), dtype=torch.float32)  # logarithms of the sums, let go of with the call
    return output.transpose(1, 2)


def _memory_efficient(query: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    rows, heads, queries, _ = query.shape
    if mask is not None and mask.dtype == torch.bool:  # `convert_boolean_attn_mask`: numbers to add to the scores
        mask = mask.to(query.dtype)
    if mask is not None and mask.shape[-1] % _ALIGNED:
        mask = functional.pad(mask, (0, _ALIGNED - mask.shape[-1] % _ALIGNED))
    output = query.new_empty((rows, queries, heads, value.shape[-1]))
    if value.shape[-1] > _IN_REGISTERS and query.dtype != torch.float32:
        torch.empty_like(output, dtype=torch.float32)
    return output.transpose(1, 2)
