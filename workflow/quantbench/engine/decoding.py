"""From new tokens to text: special tokens are left out, but for those that mark a model's thoughts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..config import Reasoning

if TYPE_CHECKING:
    from ..models.interfaces import Tokenizer


class Decoder:
    """Reads tokens as text.

    Some models mark thoughts by special tokens (``[THINK]``, the channels of gpt-oss). Without them nothing would tell a
    thought from the answer, so those that a marker named by the model's entry is written with stay.
    """

    def __init__(self, tokenizer: Tokenizer, reasoning: Reasoning | None = None) -> None:
        self._tokenizer = tokenizer
        self._special: dict[int, bool] = {}
        markers = [reasoning.open, reasoning.close] if reasoning else []
        written = [token for marker in markers for token in tokenizer(marker, add_special_tokens=False)["input_ids"]]
        self._kept = frozenset(filter(self._is_special, written))

    def __call__(self, tokens: Sequence[int]) -> str:
        """The text of some tokens."""
        if not self._kept:
            return self._tokenizer.decode(tokens, skip_special_tokens=True)
        shown = [token for token in tokens if token in self._kept or not self._is_special(token)]
        return self._tokenizer.decode(shown)

    def _is_special(self, token: int) -> bool:
        """Whether a token has a text that decoding leaves out on demand."""
        if token not in self._special:
            text, shown = (self._tokenizer.decode([token], skip_special_tokens=skip) for skip in (False, True))
            self._special[token] = text != shown
        return self._special[token]
