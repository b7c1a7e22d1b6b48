"""From what was kept of each sample to ``likelihoods.npz``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..contracts.likelihoods import TOP, Likelihoods, OptionScores, ReferenceTokens, WrittenTokens
from ..contracts.sample_scores import ReferenceScores, SampleScores, TokenScores, joined
from .questions import Questions

Scores = TypeVar("Scores", TokenScores, ReferenceScores)

_NO_TOKENS = TokenScores(
    tokens=np.zeros(0, np.int32),
    log_probabilities=np.zeros(0, np.float32),
    top_tokens=np.zeros((0, TOP), np.int32),
    top_log_probabilities=np.zeros((0, TOP), np.float32),
    other_log_probabilities=np.zeros(0, np.float32),
)
_NOT_READ = ReferenceScores(np.zeros(0, np.float32), np.zeros(0, np.float32), np.zeros(0, np.bool_))


def likelihoods_of(sample_ids: Sequence[str], kept: Mapping[str, SampleScores], asked: Questions) -> Likelihoods:
    """A cell's file.

    Args:
        sample_ids: in the order of ``predictions.jsonl``.
        kept: sample id -> its scores; a sample without was answered before they were kept.
        asked: what the options are called, and which answers of full precision were read.
    """
    found = [kept.get(sample_id) for sample_id in sample_ids]
    return Likelihoods(
        sample_ids=tuple(sample_ids),
        written=_written([one.written if one else _NO_TOKENS for one in found]),
        options=_options(sample_ids, found, asked) if asked.names else None,
        reference=_reference([(one and one.reference) or _NOT_READ for one in found], asked),
    )


def _written(parts: Sequence[TokenScores]) -> WrittenTokens:
    whole = joined([_NO_TOKENS, *parts])
    return WrittenTokens(
        starts=_starts([len(part.tokens) for part in parts]),
        tokens=whole.tokens,
        log_probabilities=_half(whole.log_probabilities),
        top_tokens=whole.top_tokens,
        top_log_probabilities=_half(whole.top_log_probabilities),
        other_log_probabilities=_half(whole.other_log_probabilities),
    )


def _options(sample_ids: Sequence[str], found: Sequence[SampleScores | None], asked: Questions) -> OptionScores:
    names = tuple(dict.fromkeys(name for own in asked.names.values() for name in own))
    places = {name: place for place, name in enumerate(names)}
    scored = [one.options if one else None for one in found]
    own = [
        [] if scores is None else [places[name] for name in asked.names[sample_id]]
        for sample_id, scores in zip(sample_ids, scored, strict=True)
    ]
    return OptionScores(
        names=names,
        starts=_starts([len(part) for part in own]),
        options=np.array([place for part in own for place in part], dtype=np.int16),
        log_probabilities=_half(np.concatenate([np.zeros(0, np.float32), *(one for one in scored if one is not None)])),
    )


def _reference(parts: Sequence[ReferenceScores], asked: Questions) -> ReferenceTokens | None:
    if asked.full is None or not asked.full.outputs:
        return None
    whole = joined([_NOT_READ, *parts])
    return ReferenceTokens(
        predictions_sha256=asked.full.sha256,
        starts=_starts([len(part.agrees) for part in parts]),
        log_probabilities=_half(whole.log_probabilities),
        divergences=_half(whole.divergences),
        agrees=whole.agrees,
    )


def _starts(counts: Sequence[int]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def _half(logs: NDArray[np.float32]) -> NDArray[np.float16]:
    """In 16 bits; what lies below their range, near e to the minus 65,504, is no possibility any more."""
    with np.errstate(over="ignore"):
        return logs.astype(np.float16)
