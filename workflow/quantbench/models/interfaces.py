"""What is used of transformers' models and tokenizers, whose own annotations leave open what their calls return."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import torch
    from transformers import DynamicCache, GenerationConfig, PreTrainedConfig
    from transformers.generation.continuous_batching import ContinuousBatchingManager


class AddedToken(Protocol):
    """A token that a tokenizer looks for before it cuts a text; ``str()`` is how it is written."""

    special: bool


class Tokenizer(Protocol):
    """A tokenizer that pads on the left and knows where answers end."""

    bos_token_id: int | None
    eos_token_id: int
    pad_token_id: int
    chat_template: str | dict[str, str] | None

    @property
    def special_tokens_map(self) -> Mapping[str, str]:
        """What its special tokens are called, ``bos_token``, and how they are written."""

    @property
    def all_special_tokens(self) -> list[str]:
        """How they are written, those without a name included."""

    @property
    def all_special_ids(self) -> list[int]:
        """Their numbers."""

    @property
    def added_tokens_decoder(self) -> Mapping[int, AddedToken]:
        """What it looks for before it cuts a text, by number."""

    def __call__(
        self, text: str, *, add_special_tokens: bool = True, split_special_tokens: bool = False
    ) -> Mapping[str, list[int]]:
        """The tokens of a text, as ``input_ids``; special tokens in it are text where they are to be split."""

    def convert_ids_to_tokens(self, ids: int) -> str:
        """How one token is written."""

    def decode(self, token_ids: Sequence[int], *, skip_special_tokens: bool = False) -> str:
        """The text of some tokens."""


class Computed(Protocol):
    """What one pass through a model leaves."""

    past_key_values: DynamicCache
    logits: torch.Tensor


class Generated(Protocol):
    """What ``generate`` leaves."""

    sequences: torch.Tensor
    past_key_values: DynamicCache


class CausalModel(Protocol):
    """A model that continues texts."""

    config: PreTrainedConfig
    generation_config: GenerationConfig

    @property
    def device(self) -> torch.device:
        """Where its inputs go."""

    def __call__(self, **inputs: object) -> Computed:
        """One pass through all layers."""

    def generate(self, **options: object) -> Generated:
        """Prompts with what follows them, as ``return_dict_in_generate`` asks."""

    def register_forward_hook(self, hook: Callable[[object, object, object], None]) -> AbstractContextManager[object]:
        """Call something after each pass through all layers, until the context ends."""

    def continuous_batching_context_manager(
        self, **options: object
    ) -> AbstractContextManager[ContinuousBatchingManager]:
        """A manager that starts the next prompt where an answer ends."""

    def eval(self) -> object:
        """Leave training behind."""

    def parameters(self) -> Iterator[torch.nn.Parameter]:
        """Its weights."""

    def buffers(self) -> Iterator[torch.Tensor]:
        """What it holds beside them."""

    def named_parameters(self, *, remove_duplicate: bool = True) -> Iterator[tuple[str, torch.nn.Parameter]]:
        """Its weights with their names; a tied one by its first name alone, unless duplicates are wanted."""

    def named_buffers(self, *, remove_duplicate: bool = True) -> Iterator[tuple[str, torch.Tensor]]:
        """The same of what it holds beside them."""

    def modules(self) -> Iterator[torch.nn.Module]:
        """All of its layers and their parts."""

    def named_modules(self) -> Iterator[tuple[str, torch.nn.Module]]:
        """The same, with their names."""

    def get_decoder(self) -> torch.nn.Module:
        """Its layers that continue texts, without what reads images or sound."""

    def get_input_embeddings(self) -> torch.nn.Module | None:
        """The layer that turns tokens into numbers."""

    def get_output_embeddings(self) -> torch.nn.Module | None:
        """The layer that turns numbers into a score for each token."""

    def save_pretrained(self, folder: Path, **options: object) -> None:
        """Write it in transformers' own format."""
