"""What decides the next token: greedy search, or the generation settings that come with a model.

Published ``generation_config.json`` files carry sampling settings and repetition penalties that would silently change greedy
answers, so of them only the end tokens are kept, unless the run says otherwise (``protocol.decoding``).
"""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import JsonValue
from transformers import GenerationConfig

from ..config import Reasoning
from ..contracts.manifest import Decoding

if TYPE_CHECKING:
    from ..models.loading import LoadedModel


@dataclass(frozen=True)
class GenerationSettings:
    """How answers are generated.

    Attributes:
        max_new_tokens: of one output.
        chains: outputs a request.
        temperature: of sampling; None: greedy.
        seed: of sampling.
        reasoning: markers of the model's thoughts, which its outputs keep.
        decoding: ``of_model`` and ``sampled``: the generation settings that come with the model decide the next token, at
            ``temperature`` where they sample, or always. Requests are then answered one at a time, one chain after another.
        timed: whether each answer says how long it took.
    """

    max_new_tokens: int
    chains: int = 1
    temperature: float | None = None
    seed: int = 0
    reasoning: Reasoning | None = None
    decoding: Literal["greedy", "of_model", "sampled"] = "greedy"
    timed: bool = False

    @property
    def by_model(self) -> bool:
        """Whether the model's own settings decide."""
        return self.decoding != "greedy"


# What says where an answer ends, and how it is computed, is no decision about the next token.
_NOT_ABOUT_TOKENS = ("transformers_version", "_from_model_config", "use_cache", "max_length", "max_new_tokens")
# What `generate` hands back besides the tokens of one answer, and whether it drafts for another model: nobody here takes that.
_NOT_ASKED_FOR = (
    *("num_return_sequences", "return_dict_in_generate", "output_scores", "output_logits"),
    *("output_attentions", "output_hidden_states", "is_assistant"),
)


def greedy(loaded: LoadedModel, max_new_tokens: int) -> GenerationConfig:
    """Greedy search up to the model's end tokens: those of its published settings and of its tokenizer."""
    stated = end_tokens(loaded.model.generation_config)
    own = loaded.tokenizer.eos_token_id
    return GenerationConfig(
        do_sample=False,
        max_new_tokens=max_new_tokens,
        eos_token_id=sorted(stated if own is None else stated | {own}),
        pad_token_id=loaded.tokenizer.pad_token_id,
        use_cache=True,
    )


def of_model(loaded: LoadedModel, max_new_tokens: int, temperature: float, sampled: bool = False) -> GenerationConfig:
    """The model's published settings, with nothing but a limit and, where they sample or it shall be ``sampled``, a temperature put in.

    End tokens are those of these settings alone, as in ``generate`` called without any; the tokenizer's stand in only where there
    are none.
    """
    settings, unset = deepcopy(loaded.model.generation_config), GenerationConfig()
    own = loaded.tokenizer.eos_token_id
    settings.update(
        **{name: getattr(unset, name) for name in _NOT_ASKED_FOR},
        max_new_tokens=max_new_tokens,
        max_length=None,
        pad_token_id=loaded.tokenizer.pad_token_id,
        eos_token_id=sorted(end_tokens(settings)) or own,
        use_cache=True,
    )
    if settings.do_sample or sampled:
        settings.update(do_sample=True, temperature=temperature)
    return settings


def recorded(settings: GenerationConfig, seeds: list[int]) -> Decoding:
    """What decides the next token, for the manifest; ``seeds`` of each time that a sample is answered."""
    # Some settings are objects, such as that of watermarks; in the file they came from, all are JSON.
    written = json.loads(settings.to_json_string(use_diff=True))
    stated: dict[str, JsonValue] = {
        name: value
        for name, value in written.items()
        if name not in _NOT_ABOUT_TOKENS and not name.endswith("token_id")
    }
    sampled = bool(settings.do_sample)
    return Decoding(sampled=sampled, settings=stated, seeds=seeds if sampled else [])


def end_tokens(settings: GenerationConfig) -> set[int]:
    """The tokens that end an answer."""
    stated = settings.eos_token_id
    ends = stated if isinstance(stated, list | tuple) else [stated]
    return {int(token) for token in ends if token is not None}
