"""Start weights that can copy already.

Marking spans and reasoning both need copying, which tiny models find by themselves only after most of a laptop's
training budget. So layers 0 and 1 start with the two attention heads that copying takes (an "induction head", Olsson et
al. 2022, arXiv 2209.11895), as a structured initialization in the spirit of Trockman and Kolter 2023 (arXiv 2305.09828):
layer 0 writes the token before into a subspace of its own, layer 1 looks up where the current token stood before and
copies what followed. All of it is trained on like any other weight.
"""

from __future__ import annotations

import torch
from model import TinyLlama
from torch import Tensor

_STD = 0.1
_CONSTANT = 5.0  # of the first embedding dimension, in units of _STD: what the positional head reads
_SHARP, _MATCH, _COPY = 2.0, 0.6, 3.0


@torch.no_grad()
def plant(model: TinyLlama) -> None:
    """Set the embeddings and one head in each of the first two layers; needs at least two layers."""
    shape = model.shape
    size = shape.hidden // shape.heads
    half = size // 2
    rates = shape.rope_theta ** (-torch.arange(half).float() / half)
    slow = [i for i in range(half) if rates[i] < 0.02]  # pairs that turn too little to blur what stands in them
    slow = slow[-((shape.hidden - 1) // 6) :]  # room for two codes and something else
    code = len(slow) * 2
    basis = torch.linalg.qr(torch.randn(shape.hidden - 1, shape.hidden - 1)).Q
    basis = torch.cat([torch.zeros(1, shape.hidden - 1), basis])  # no part in the constant dimension
    current, before = basis[:, :code], basis[:, code : 2 * code]
    value = torch.cat([basis[:, :code], basis[:, 2 * code :]], dim=1)[:, :size]
    embeddings = model.model.embed_tokens.weight
    embeddings *= _STD / embeddings.std()
    embeddings -= embeddings @ before @ before.T
    embeddings[:, 0] = _CONSTANT * _STD
    places = torch.tensor(slow + [i + half for i in slow])
    _previous_token(model, rates, current, before)
    head = model.model.layers[1].self_attn
    # The current token's code asks, the code of the token before answers.
    head.q_proj.weight[:size] = 0
    head.k_proj.weight[:size] = 0
    head.q_proj.weight[places] = current.T * size**0.25 * _MATCH
    head.k_proj.weight[places] = before.T * size**0.25 * _MATCH
    head.v_proj.weight[:size] = value.T
    head.o_proj.weight[:, :size] = value * _COPY * _STD


def _previous_token(model: TinyLlama, rates: Tensor, current: Tensor, before: Tensor) -> None:
    """Head 0 of layer 0: looks one token back by position alone, and writes that token's code into ``before``."""
    size = len(rates) * 2
    head = model.model.layers[0].self_attn
    head.q_proj.weight[:size] = 0
    head.k_proj.weight[:size] = 0
    head.v_proj.weight[:size] = 0
    for pair in range(4):
        angle = rates[pair]
        head.q_proj.weight[pair, 0] = _SHARP
        head.k_proj.weight[pair, 0] = _SHARP * torch.cos(angle)
        head.k_proj.weight[pair + len(rates), 0] = _SHARP * torch.sin(angle)
    head.v_proj.weight[: current.shape[1]] = current.T
    head.o_proj.weight[:, :size] = 0
    head.o_proj.weight[:, : current.shape[1]] = before * _STD * 1.5
