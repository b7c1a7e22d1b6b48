"""The project's own engine on shapes: one timed sample, or a batch with its shared prefix, from the prompt to the last token.

The generator, transformers' ``generate`` and everything below it are what runs on a GPU. Values are nobody's here, so the
first answer to "has it ended?" is always no; the steps between the first written token and the last ones are skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import torch
from transformers import masking_utils

from ..contracts.manifest import AppliedPrecision
from ..engine.batches import Request
from ..engine.decoding_settings import GenerationSettings
from ..engine.generation import Generator
from ..engine.ledger import Asked, Ledger
from ..engine.sampling import SeededSampling
from ..models.interfaces import CausalModel, Tokenizer
from ..models.loading import LoadedModel
from ..models.synthetic_tokenizer import SyntheticTokenizer
from ..planner import Workload
from .cache_growth import cache_known, grow
from .counting_mode import CountingMode
from .meta_model import META

if TYPE_CHECKING:
    from transformers import PreTrainedModel

# Written tokens that are traced: the first, which the prompt leads to, and after a jump the last ones.
_FIRST, _LAST = 1, 2
_TOKEN, _OTHER = 3, 4


@dataclass(frozen=True)
class Use:
    """What a cell's engine does at once.

    Attributes:
        prompt_tokens: of the longest prompt.
        new_tokens: most that are generated of one output.
        samples: prompts of a batch; 1: one timed sample, as the measurement pass runs it; more: engine ``static``.
        prefix_tokens: that all prompts of the run begin with.
        chains: outputs a prompt.
        likelihoods: those of what is written are noted, as the quality pass does it.
        reserves: the cache has its full length from the start, as engine ``static`` makes it; several prompts have it in any case.
    """

    prompt_tokens: int
    new_tokens: int
    samples: int = 1
    prefix_tokens: int = 0
    chains: int = 1
    likelihoods: bool = False
    reserves: bool = False

    @classmethod
    def of(cls, work: Workload) -> Use:
        """What the planner plans for."""
        return cls(
            work.prompt_tokens,
            work.new_tokens,
            work.batch,
            work.shared_tokens,
            work.chains,
            likelihoods=work.likelihoods,
            reserves=work.reserves,
        )

    @property
    def by_plan(self) -> bool:
        """Whether it is a batch of engine ``static``, and no sample timed by itself."""
        return self.reserves or self.samples > 1 or self.prefix_tokens > 0


class _Enough(Exception):
    """The last token is written."""


class _Generator(Generator):
    """The generator, whose random streams are a processor's: shapes have none."""

    def _sampling(self, batch: Sequence[Request], chains: Sequence[int]) -> list[SeededSampling]:
        if self.settings.temperature is None:
            return []
        return [SeededSampling(self.settings.temperature, [0] * (len(batch) * len(chains)), torch.device("cpu"))]


def walk(model: PreTrainedModel, use: Use, counting: CountingMode, answer_begins: Callable[[], None]) -> None:
    """Read the prompts and write their answers.

    Args:
        model: with its weights made in the counting mode, which must be active.
        use: what is read and written.
        counting: the mode.
        answer_begins: called once the prompts are read, before the first token is chosen.
    """
    tokenizer = cast(Tokenizer, SyntheticTokenizer(model.config.get_text_config().vocab_size))
    temperature = 1.0 if use.chains > 1 else None  # of any value
    settings = GenerationSettings(use.new_tokens, chains=use.chains, temperature=temperature)
    loaded = LoadedModel(cast(CausalModel, model), tokenizer, META, AppliedPrecision.model_construct())
    generator = _Generator(loaded, settings, ledger=Ledger(Asked()) if use.likelihoods else None)
    requests = _requests(use)
    counting.rows_differ = use.samples > 1 or use.prefix_tokens > 0
    with torch.inference_mode(), _mask_asked(), _stepping(model, use, counting, answer_begins), cache_known(counting):
        try:
            if use.by_plan:
                generator.share_prefix(requests)
            generator.answer(requests)
        except _Enough:
            pass


def _requests(use: Use) -> list[Request]:
    """Prompts of one length, each with other tokens behind what they share."""
    own = use.prompt_tokens - use.prefix_tokens
    shared = [_TOKEN] * use.prefix_tokens
    return [Request(str(number), "", shared + [_OTHER + number] * own) for number in range(use.samples)]


@contextmanager
def _stepping(
    model: PreTrainedModel, use: Use, counting: CountingMode, answer_begins: Callable[[], None]
) -> Iterator[None]:
    """Count the steps of ``generate`` where it notes each one, and skip those in the middle."""
    steps, ids = 0, list[torch.Tensor]()
    note = cast("Callable[..., dict[str, object]]", model._update_model_kwargs_for_generation)

    def noted(outputs: object, kwargs: dict[str, object], *args: object, **options: object) -> dict[str, object]:
        nonlocal steps
        steps += 1
        if steps == 1:
            answer_begins()
        if steps == min(_FIRST + _LAST, use.new_tokens):
            raise _Enough
        found = note(outputs, kwargs, *args, **options)
        skipped = use.new_tokens - _FIRST - _LAST
        if steps == _FIRST and skipped > 0:
            with counting.overlooked(), counting.made_on(0):  # where the model's inputs are
                found = _skipped(found, skipped, counting)
                rows = use.samples * use.chains
                ids.append(torch.empty((rows, skipped), dtype=torch.long, device=META))  # that were not appended
        return found

    model._update_model_kwargs_for_generation = noted  # type: ignore[assignment]
    try:
        yield
    finally:
        del model._update_model_kwargs_for_generation


def _skipped(kwargs: dict[str, object], tokens: int, counting: CountingMode) -> dict[str, object]:
    """What a step hands to the next, as if so many more tokens had been written."""
    from transformers.cache_utils import Cache

    longer = dict(kwargs)
    cache = kwargs.get("past_key_values")
    if isinstance(cache, Cache):
        grow(cache, tokens, counting)
    for name in ("attention_mask", "position_ids"):
        known = kwargs.get(name)
        if isinstance(known, torch.Tensor):
            longer[name] = torch.cat([known, known.new_zeros((*known.shape[:-1], tokens))], dim=-1)
    return longer


@contextmanager
def _mask_asked() -> Iterator[None]:
    """Have transformers ask a mask whether all of it is set, in place of comparing its sum."""
    asked = masking_utils.fast_all
    masking_utils.fast_all = torch.Tensor.all  # type: ignore[assignment]
    try:
        yield
    finally:
        masking_utils.fast_all = asked
