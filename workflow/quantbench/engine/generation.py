"""Generating answers: one padded batch, or one timed prompt, through transformers' own ``generate``."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from copy import copy
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import torch
from transformers import LogitsProcessorList, StoppingCriteria, StoppingCriteriaList

from ..contracts.manifest import Decoding
from ..contracts.records import Prediction
from ..contracts.sample_scores import SampleScores
from ..measure.latency import Timing
from ..models.broken_numbers import broken_numbers
from ..models.loading import LoadedModel
from .batches import Request
from .cache import reserved
from .decoding import AnswerReader, Decoder
from .decoding_settings import GenerationSettings, end_tokens, greedy, of_model, recorded
from .finite import FiniteScores
from .given_tokens import Prompted
from .ledger import Ledger, merged
from .prefix import SharedPrefix, all_but_last
from .sampling import SeededSampling, row_seed
from .step_scores import StepScores
from .stopping import LineWatch, RowStops
from .token_times import TokenTimes

if TYPE_CHECKING:
    from ..models.interfaces import CausalModel

Completes = Callable[[Request, str], bool]


@dataclass(frozen=True)
class _Rows:
    """What one call of ``generate`` made.

    Attributes:
        tokens: new tokens of each row (requests x chains), with whatever follows its end.
        lengths: where a check stopped a row; None where none did.
        seconds: wall time of the call.
        prompted: the prompts, a row an output, and the cache that the call left; None: nothing looked on.
    """

    tokens: list[list[int]]
    lengths: list[int | None]
    seconds: float
    prompted: Prompted | None


@dataclass(frozen=True)
class _Alone:
    """One request answered by itself, with the likelihoods of its chains where somebody notes them."""

    prediction: Prediction
    scores: SampleScores | None


class Generator:
    """A loaded model with its generation settings, which take the place of those that came with it.

    Args:
        loaded: the model with its tokenizer.
        settings: how answers are generated.
        completes: whether a request's text so far holds its whole answer, so that its row may stop; None: rows end by
            themselves or at the token limit.
        ledger: notes the likelihoods of what :meth:`answer` answers; None: nobody does.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        settings: GenerationSettings,
        completes: Completes | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        self._loaded = loaded
        self._ledger = ledger
        self.settings = settings
        self._completes = completes
        self._decode = Decoder(loaded.tokenizer, settings.reasoning)
        self._watch = LineWatch(self._decode)
        self._prefix: SharedPrefix | None = None
        if settings.by_model:
            assert settings.temperature is not None
            decided = of_model(
                loaded, settings.max_new_tokens, settings.temperature, sampled=settings.decoding == "sampled"
            )
        else:
            decided = greedy(loaded, settings.max_new_tokens)
        self._reader = AnswerReader(self._decode, end_tokens(decided), settings.reasoning)
        loaded.model.generation_config = decided

    def with_seed(self, seed: int) -> Generator:
        """The same model drawing from another seed; likelihoods are noted of the first seed's answers alone."""
        other = copy(self)
        other._ledger = None
        other.settings = replace(self.settings, seed=seed)
        return other

    @property
    def draws(self) -> bool:
        """Whether tokens are drawn, so that another seed may give another answer."""
        settings = self.settings
        return bool(self.model.generation_config.do_sample) if settings.by_model else settings.temperature is not None

    def decoding(self, seeds: list[int]) -> Decoding:
        """What decides the next token, for the manifest."""
        return recorded(self.model.generation_config, seeds)

    def share_prefix(self, plan: Sequence[Request]) -> int:
        """Compute what all prompts of a plan begin with once, for every later :meth:`answer`; returns its tokens."""
        prompts = [request.token_ids for request in plan]
        self._prefix = SharedPrefix(self._loaded.model, prompts, self.settings.max_new_tokens, self._loaded.device)
        return self._prefix.length

    def take_scores(self) -> list[SampleScores]:
        """The likelihoods of what was answered since the last time; nothing without a ledger."""
        return self._ledger.take() if self._ledger else []

    def answer(self, batch: Sequence[Request]) -> list[Prediction]:
        """Generate the answers of one batch; ``chains`` outputs a request.

        After :meth:`share_prefix`, every request must be of that plan.
        """
        if self.settings.by_model or self.settings.timed:
            alone = [self._answer_alone(request) for request in batch]
            if self._ledger:  # of all at once: where one fails, all are answered again
                self._ledger.note([one.scores for one in alone if one.scores])
            return [one.prediction for one in alone]
        chains = self.settings.chains
        checks = (
            [partial(self._is_complete, request) for request in batch for _ in range(chains)] if self._completes else []
        )
        steps = self._ledger.watch(batch, range(chains)) if self._ledger else None
        try:
            rows = self._generate(batch, checks, self._prefix, steps=steps)
        except Exception:
            if self._prefix:
                self._prefix.forget()
            raise
        own = [slice(place * chains, (place + 1) * chains) for place in range(len(batch))]
        predictions = [
            self._reader.prediction(request, rows.tokens[part], rows.lengths[part])
            for request, part in zip(batch, own, strict=True)
        ]
        if self._ledger and steps and rows.prompted:
            lengths = [length for one in predictions for length in one.new_tokens]
            self._ledger.note(self._ledger.scores(batch, range(chains), steps, lengths, rows.prompted))
        return predictions

    def _answer_alone(self, request: Request) -> _Alone:
        """One request, one chain after another; its time is that of the last chain, as the paper's authors took it."""
        check = [partial(self._is_complete, request)] if self._completes else []
        made, scores = [], []
        for chain in range(self.settings.chains):
            self._seed(request, chain)
            steps = self._ledger.watch([request], [chain]) if self._ledger else None
            made.append(self._generate([request], check, chains=[chain], steps=steps))
            if self._ledger and steps and made[-1].prompted:
                lengths = [self._reader.read(made[-1].tokens[0], made[-1].lengths[0])[1]]
                scores += self._ledger.scores([request], [chain], steps, lengths, made[-1].prompted)
        prediction = self._reader.prediction(request, [one.tokens[0] for one in made], [one.lengths[0] for one in made])
        timed = replace(prediction, latency_s=made[-1].seconds) if self.settings.timed else prediction
        return _Alone(timed, merged(scores) if scores else None)

    def _seed(self, request: Request, chain: int) -> None:
        """Begin the stream that ``generate`` itself draws from, so that no draw depends on what ran before."""
        if self.settings.by_model:
            torch.manual_seed(row_seed(self.settings.seed, request.sample_id, chain))

    @property
    def reader(self) -> AnswerReader:
        """Reads new tokens as answers, for engines that generate by themselves."""
        return self._reader

    @property
    def model(self) -> CausalModel:
        """The transformers model."""
        return self._loaded.model

    @property
    def attention(self) -> str:
        """Which of transformers' implementations computes attention."""
        return str(self.model.config.get_text_config()._attn_implementation)

    @property
    def stops_early(self) -> bool:
        """Whether complete answers are not generated further."""
        return self._completes is not None

    def completes(self, request: Request, tokens: list[int]) -> bool:
        """Whether the newest of a request's new tokens completed its answer."""
        return self.stops_early and self._watch(tokens[-1]) and self._is_complete(request, self._decode(tokens))

    def _is_complete(self, request: Request, text: str) -> bool:
        assert self._completes is not None
        return self._completes(request, self._reader.with_opening(request, text))

    def time_one(self, request: Request, new_tokens: int | None = None) -> Timing:
        """Generate one answer (all its chains, for self-consistency, unless the model's own settings decide) and note when each
        token was ready.

        Nothing stops early here: latency is that of the model, as the paper measured it.

        Args:
            request: the request.
            new_tokens: of each output exactly, end tokens suppressed; at most the limit. None: up to the model's own end.
        """
        watch = TokenTimes(self.synchronize)
        self._seed(request, 0)
        chains = [0] if self.settings.by_model else None
        rows = self._generate([request], watches=[watch], chains=chains, length=new_tokens)
        return Timing(watch.at, len(request.token_ids), sum(self._reader.read(row, None)[1] for row in rows.tokens))

    def check_numbers(self, request: Request) -> None:
        """Refuse a model whose scores after a prompt are no numbers, for engines that generate by themselves.

        Raises:
            ModelError: says why they are none.
        """
        tokens, mask = self._padded([request], 0)
        with torch.inference_mode():
            reading = self._loaded.model(input_ids=tokens, attention_mask=mask, use_cache=False, logits_to_keep=1)
        FiniteScores(partial(broken_numbers, self._loaded))(tokens, reading.logits[:, -1])

    def synchronize(self) -> None:
        """Wait until all devices in use have finished."""
        if self._loaded.device.type == "cuda":
            for index in range(torch.cuda.device_count()):
                torch.cuda.synchronize(index)

    def _generate(
        self,
        batch: Sequence[Request],
        checks: Sequence[Callable[[str], bool]] = (),
        prefix: SharedPrefix | None = None,
        watches: Sequence[StoppingCriteria] = (),
        chains: Sequence[int] | None = None,
        length: int | None = None,
        steps: StepScores | None = None,
    ) -> _Rows:
        """Generate the rows of a batch.

        Args:
            batch: requests.
            checks: of each row, whether its text is complete; none: no row is stopped.
            prefix: what all requests begin with, computed already.
            watches: look at each step.
            chains: numbers of the chains of each request; None: all.
            length: new tokens of each row exactly; None: up to its end or the limit.
            steps: notes the scores of each step.

        Raises:
            ModelError: scores are no numbers.
        """
        chains = range(self.settings.chains) if chains is None else chains
        tokens, mask = self._padded(batch, prefix.length if prefix else 0)
        width, model = tokens.shape[1], self._loaded.model
        whole = width + self.settings.max_new_tokens
        cache = prefix.for_rows(len(batch), width if len(chains) > 1 else whole) if prefix else None
        stops = RowStops(checks, width, self._decode, self._watch)
        with torch.inference_mode():
            if len(chains) > 1:  # the prompt is computed once for all its chains
                cache = reserved(model.config, whole, all_but_last(model, tokens, mask, cache), len(chains))
                tokens, mask = tokens.repeat_interleave(len(chains), 0), mask.repeat_interleave(len(chains), 0)
            finite = FiniteScores(partial(broken_numbers, self._loaded))
            looking_on = model.register_forward_hook(steps.see) if steps else nullcontext()
            begin = time.perf_counter()
            with looking_on:
                output = model.generate(
                    input_ids=tokens,
                    attention_mask=mask,
                    logits_processor=LogitsProcessorList([finite, *self._sampling(batch, chains)]),
                    stopping_criteria=StoppingCriteriaList(
                        [*watches, *([steps] if steps else []), *([stops] if checks else [])]
                    ),
                    past_key_values=cache,
                    return_dict_in_generate=True,
                    **({} if length is None else {"min_new_tokens": length, "max_new_tokens": length}),
                )
            seconds = time.perf_counter() - begin
        finite.check()
        new: list[list[int]] = output.sequences[:, width:].tolist()
        prompted = Prompted(model, tokens, mask, output.past_key_values) if steps else None
        return _Rows(new, stops.lengths or [None] * len(new), seconds, prompted)

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

    def _sampling(self, batch: Sequence[Request], chains: Sequence[int]) -> list[SeededSampling]:
        settings = self.settings
        if settings.by_model or settings.temperature is None:
            return []
        seeds = [row_seed(settings.seed, request.sample_id, chain) for request in batch for chain in chains]
        return [SeededSampling(settings.temperature, seeds, self._loaded.device)]
