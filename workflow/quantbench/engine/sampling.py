"""Sampling whose draws depend on the sample alone, not on its batch or on what ran before it."""

from __future__ import annotations

import hashlib

import torch
from transformers import LogitsProcessor


class SeededSampling(LogitsProcessor):
    """Turns greedy search into sampling at a temperature, one random stream a row.

    Adding independent Gumbel noise to the scaled logits and taking the largest draws exactly from their softmax
    (the Gumbel-max trick; Maddison et al. 2014). A resumed run so draws what an unbroken one would have drawn.
    """

    def __init__(self, temperature: float, seeds: list[int], device: torch.device) -> None:
        self._temperature = temperature
        self._streams = [torch.Generator(device=device).manual_seed(seed) for seed in seeds]

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Return perturbed scores; both of shape (rows, vocabulary)."""
        exponential = torch.empty_like(scores, dtype=torch.float32)
        for row, stream in zip(exponential, self._streams, strict=True):
            row.exponential_(generator=stream)
        return scores.float() / self._temperature - exponential.log()


def row_seed(seed: int, sample_id: str, chain: int) -> int:
    """A 63-bit seed for one chain of one sample."""
    digest = hashlib.sha256(f"{seed}/{sample_id}/{chain}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
