"""Generating answers: one padded batch, or one timed prompt, through transformers' own ``generate``."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import GenerationConfig, LogitsProcessorList, StoppingCriteria, StoppingCriteriaList

from ..measure.latency import Timing
from ..models.loading import LoadedModel
from ..records import Prediction
from .prefix import SharedPrefix, all_but_last
from .requests import Request
from .sampling import SeededSampling, row_seed


@dataclass(frozen=True)
class GenerationSettings:
    """How answers are generated: greedily with one chain, or ``chains`` sampled ones."""

    max_new_tokens: int
    chains: int = 1
    temperature: float | None = None
    seed: int = 0


class Generator:
    """A loaded model with its generation settings.

    The model's own ``generation_config`` is replaced: published ones carry sampling settings and repetition penalties
    that would silently change greedy answers. Only its end-of-text tokens are kept.
    """

    def __init__(self, loaded: LoadedModel, settings: GenerationSettings) -> None:
        self._loaded = loaded
        self._settings = settings
        self._stops = _end_tokens(loaded)
        self._prefix: SharedPrefix | None = None
        loaded.model.generation_config = GenerationConfig(
            do_sample=False,
            max_new_tokens=settings.max_new_tokens,
            eos_token_id=sorted(self._stops),
            pad_token_id=loaded.tokenizer.pad_token_id,
            use_cache=True,
        )

    def share_prefix(self, plan: Sequence[Request]) -> int:
        """Compute what all prompts of a plan begin with once, for every later :meth:`answer`; returns its tokens."""
        self._prefix = SharedPrefix(self._loaded.model, [request.token_ids for request in plan], self._loaded.device)
        return self._prefix.length

    def answer(self, batch: Sequence[Request]) -> list[Prediction]:
        """Generate the answers of one batch; ``chains`` outputs a request.

        After :meth:`share_prefix`, every request must be of that plan.
        """
        new = self._generate(batch, StoppingCriteriaList(), self._prefix).tolist()
        texts, counts, reasons = zip(*(self._read(row) for row in new), strict=True)
        chains = self._settings.chains
        return [
            Prediction(
                sample_id=request.sample_id,
                outputs=list(texts[position * chains : (position + 1) * chains]),
                prompt_tokens=len(request.token_ids),
                new_tokens=list(counts[position * chains : (position + 1) * chains]),
                finish_reason=list(reasons[position * chains : (position + 1) * chains]),
            )
            for position, request in enumerate(batch)
        ]

    def time_one(self, request: Request) -> Timing:
        """Generate one answer (all its chains, for self-consistency) and note when each token was ready."""
        watch = _TokenTimes(self.synchronize)
        new = self._generate([request], StoppingCriteriaList([watch])).tolist()
        return Timing(watch.at, len(request.token_ids), sum(self._read(row)[1] for row in new))

    def synchronize(self) -> None:
        """Wait until all devices in use have finished."""
        if self._loaded.device.type == "cuda":
            for index in range(torch.cuda.device_count()):
                torch.cuda.synchronize(index)

    def _generate(
        self, batch: Sequence[Request], stopping: StoppingCriteriaList, prefix: SharedPrefix | None = None
    ) -> torch.Tensor:
        """Return the new tokens, shape (requests x chains, at most max_new_tokens)."""
        tokens, mask = self._padded(batch, prefix.length if prefix else 0)
        cache = prefix.for_rows(len(batch)) if prefix else None
        chains = self._settings.chains
        with torch.inference_mode():
            if chains > 1:  # the prompt is computed once for all its chains
                cache = all_but_last(self._loaded.model, tokens, mask, cache)
                if cache is not None:
                    cache.batch_repeat_interleave(chains)
                tokens, mask = tokens.repeat_interleave(chains, 0), mask.repeat_interleave(chains, 0)
            output = self._loaded.model.generate(
                input_ids=tokens,
                attention_mask=mask,
                logits_processor=self._sampling(batch),
                stopping_criteria=stopping,
                past_key_values=cache,
            )
        assert isinstance(output, torch.Tensor)
        return output[:, tokens.shape[1] :]

    def _padded(self, batch: Sequence[Request], shared: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Token ids and mask, both of shape (requests, longest prompt); padding follows the shared tokens."""
        device, pad = self._loaded.device, self._loaded.tokenizer.pad_token_id
        width = max(len(request.token_ids) for request in batch)
        gaps = [width - len(request.token_ids) for request in batch]
        rows = [
            request.token_ids[:shared] + [pad] * gap + request.token_ids[shared:]
            for request, gap in zip(batch, gaps, strict=True)
        ]
        mask = [[1] * shared + [0] * gap + [1] * (width - shared - gap) for gap in gaps]
        return torch.tensor(rows, device=device), torch.tensor(mask, device=device)

    def _sampling(self, batch: Sequence[Request]) -> LogitsProcessorList:
        settings = self._settings
        if settings.temperature is None:
            return LogitsProcessorList()
        seeds = [
            row_seed(settings.seed, request.sample_id, chain) for request in batch for chain in range(settings.chains)
        ]
        return LogitsProcessorList([SeededSampling(settings.temperature, seeds, self._loaded.device)])

    def _read(self, row: list[int]) -> tuple[str, int, str]:
        """Text, number of new tokens (the end token counted) and finish reason of one row."""
        end = next((position for position, token in enumerate(row) if token in self._stops), None)
        tokens = row if end is None else row[:end]
        text = self._loaded.tokenizer.decode(tokens, skip_special_tokens=True)
        return text, len(row) if end is None else end + 1, "length" if end is None else "stop"


class _TokenTimes(StoppingCriteria):
    """Notes the time when each new token exists; never stops anything.

    Synchronizing here costs next to nothing: ``generate`` itself waits for the device after each token, to see whether
    all rows have ended.
    """

    def __init__(self, synchronize: Any) -> None:
        self.at: list[float] = []
        self._synchronize = synchronize

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        self._synchronize()
        self.at.append(time.perf_counter())
        return torch.zeros(input_ids.shape[0], dtype=torch.bool, device=input_ids.device)


def _end_tokens(loaded: LoadedModel) -> set[int]:
    """The tokens that end an answer, by the model's published generation settings and its tokenizer."""
    stated = loaded.model.generation_config.eos_token_id
    ends = stated if isinstance(stated, list | tuple) else [stated]
    return {int(token) for token in [*ends, loaded.tokenizer.eos_token_id] if token is not None}
