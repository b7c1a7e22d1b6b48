"""A Llama for training: the weights and names of transformers' Llama, with a forward pass over shared prefixes.

One row is a prefix of P tokens and n samples of S tokens. Every sample sees the prefix and itself, with positions that
go on after the prefix: exactly n separate prompts, at a fraction of the cost. ``tests/unit/demo`` holds it against
transformers' own model.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Shape:
    """Sizes of one model; hidden and intermediate sizes are multiples of 64 (NF4 blocks)."""

    hidden: int
    intermediate: int
    layers: int
    heads: int
    vocabulary: int = 2048
    context: int = 4096  # rotary positions carry no weights: longer texts than were trained on run, at poorer answers
    rope_theta: float = 1000000.0


class Attention(nn.Module):
    """The four projections of one attention block."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        for name in ("q_proj", "k_proj", "v_proj", "o_proj"):
            setattr(self, name, nn.Linear(shape.hidden, shape.hidden, bias=False))


class Feedforward(nn.Module):
    """The three projections of one gated feed-forward block."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(shape.hidden, shape.intermediate, bias=False)
        self.up_proj = nn.Linear(shape.hidden, shape.intermediate, bias=False)
        self.down_proj = nn.Linear(shape.intermediate, shape.hidden, bias=False)


class Layer(nn.Module):
    """One decoder layer over the tokens of a row."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.self_attn, self.mlp = Attention(shape), Feedforward(shape)
        self.input_layernorm = nn.RMSNorm(shape.hidden, eps=1e-5)
        self.post_attention_layernorm = nn.RMSNorm(shape.hidden, eps=1e-5)

    def forward(self, x: Tensor, turn: tuple[Tensor, Tensor], row: Row) -> Tensor:
        """Shape of ``x``: (P + n * S, hidden)."""
        attention, mlp, kind = self.self_attn, self.mlp, x.dtype
        weight = torch.cat([attention.q_proj.weight, attention.k_proj.weight, attention.v_proj.weight]).to(kind)
        normed = F.rms_norm(x, x.shape[-1:], self.input_layernorm.weight.to(kind), 1e-5)
        q, k, v = F.linear(normed, weight).view(len(x), 3, self.heads, -1).unbind(1)
        mixed = _attend(_turn(q, turn), _turn(k, turn), v, row)
        x = x + F.linear(mixed.reshape(len(x), -1), attention.o_proj.weight.to(kind))
        normed = F.rms_norm(x, x.shape[-1:], self.post_attention_layernorm.weight.to(kind), 1e-5)
        weight = torch.cat([mlp.gate_proj.weight, mlp.up_proj.weight]).to(kind)
        gate, up = F.linear(normed, weight).chunk(2, dim=-1)
        return x + F.linear(F.silu(gate) * up, mlp.down_proj.weight.to(kind))


@dataclass(frozen=True)
class Row:
    """Token ids: ``prefix`` (P,), ``samples`` (n, S) padded on the right."""

    prefix: Tensor
    samples: Tensor


class Body(nn.Module):
    """Embeddings, layers, final norm: transformers' ``LlamaModel``."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(shape.vocabulary, shape.hidden)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = nn.RMSNorm(shape.hidden, eps=1e-5)


class TinyLlama(nn.Module):
    """Weights named as in transformers' ``LlamaForCausalLM`` with tied embeddings."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.model = Body(shape)
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                deep = name.endswith(("o_proj.weight", "down_proj.weight"))
                nn.init.normal_(parameter, std=0.02 / (2 * shape.layers) ** 0.5 if deep else 0.02)

    def hidden(self, row: Row, kind: torch.dtype = torch.float32) -> Tensor:
        """Final hidden states of the samples' tokens, shape (n, S, hidden), computed in ``kind``."""
        prefix, (count, length) = len(row.prefix), row.samples.shape
        ids = torch.cat([row.prefix, row.samples.flatten()])
        places = torch.cat([torch.arange(prefix), torch.arange(prefix, prefix + length).repeat(count)])
        turn = _angles(places, self.shape)
        x = F.embedding(ids, self.model.embed_tokens.weight.to(kind))
        turn = (turn[0].to(kind), turn[1].to(kind))
        for layer in self.model.layers:
            x = layer(x, turn, row)
        x = F.rms_norm(x, x.shape[-1:], self.model.norm.weight.to(kind), 1e-5)
        return x[prefix:].view(count, length, -1)

    def logits(self, hidden: Tensor) -> Tensor:
        """Scores over the vocabulary for (m, hidden) states, shape (m, vocabulary)."""
        return F.linear(hidden, self.model.embed_tokens.weight.to(hidden.dtype))


def _angles(places: Tensor, shape: Shape) -> tuple[Tensor, Tensor]:
    size = shape.hidden // shape.heads
    rates = shape.rope_theta ** (-torch.arange(0, size, 2).float() / size)
    angles = torch.outer(places.float(), rates).repeat(1, 2)[:, None]
    return angles.cos(), angles.sin()


def _turn(x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    """Rotary position embedding; shape (tokens, heads, size)."""
    first, second = x.chunk(2, dim=-1)
    return x * turn[0] + torch.cat([-second, first], dim=-1) * turn[1]


def _attend(q: Tensor, k: Tensor, v: Tensor, row: Row) -> Tensor:
    """Attention of the prefix to itself, and of each sample to the prefix and itself; shape (tokens, heads, size).

    Written out, because on CPU in bfloat16 this takes a third of the time of the fused kernel.
    """
    prefix, (count, length) = len(row.prefix), row.samples.shape
    heads, size = q.shape[1:]
    q = q * size**-0.5
    first_q, first_k, first_v = (part[:prefix].transpose(0, 1) for part in (q, k, v))
    first = (first_q @ first_k.transpose(1, 2) + _unseen(prefix, q.dtype)).softmax(-1) @ first_v
    own_q, own_k, own_v = (part[prefix:].view(count, length, heads, size).permute(2, 0, 1, 3) for part in (q, k, v))
    to_prefix = q[prefix:].transpose(0, 1) @ first_k.transpose(1, 2)
    to_own = own_q @ own_k.transpose(2, 3) + _unseen(length, q.dtype)
    weights = torch.cat([to_prefix.view(heads, count, length, prefix), to_own], dim=-1).softmax(-1)
    from_prefix = weights[..., :prefix].reshape(heads, count * length, prefix) @ first_v
    rest = from_prefix.view(heads, count, length, size) + weights[..., prefix:] @ own_v
    return torch.cat([first.transpose(0, 1), rest.permute(1, 2, 0, 3).reshape(count * length, heads, size)])


def _unseen(length: int, kind: torch.dtype) -> Tensor:
    """What keeps a token from looking ahead."""
    return torch.full((length, length), -1e4, dtype=kind).triu(1)
