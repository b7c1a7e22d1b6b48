"""From new tokens to text, special tokens left out but for those that mark a model's thoughts, and to answers."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..config import Reasoning
from ..contracts.records import Prediction
from ..tasks.thoughts import opened_by
from .batches import Request

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


@dataclass(frozen=True)
class AnswerReader:
    """Reads the new tokens of rows as answers.

    Attributes:
        decode: from tokens to text.
        stops: tokens that end an answer.
        reasoning: markers of the model's thoughts.
    """

    decode: Decoder
    stops: Container[int]
    reasoning: Reasoning | None

    def prediction(self, request: Request, rows: Sequence[list[int]], lengths: Sequence[int | None]) -> Prediction:
        """Read one request's answers from new tokens.

        Args:
            request: the request.
            rows: new tokens of each chain, with whatever follows its end.
            lengths: where a chain was stopped since its answer was complete; None where it was not.
        """
        texts, counts, reasons = zip(*map(self.read, rows, lengths), strict=True)
        return Prediction(
            sample_id=request.sample_id,
            outputs=[self.with_opening(request, text) for text in texts],
            prompt_tokens=len(request.token_ids),
            new_tokens=list(counts),
            finish_reason=list(reasons),
        )

    def with_opening(self, request: Request, text: str) -> str:
        """What was generated, behind the marker of the thought that the prompt opened, where it did: no reader sees prompts."""
        return opened_by(request.text, self.reasoning) + text

    def read(self, row: list[int], length: int | None) -> tuple[str, int, str]:
        """Text, number of new tokens (the end token counted) and finish reason of one row."""
        end = next((place for place, token in enumerate(row[:length]) if token in self.stops), None)
        tokens = row[:length] if end is None else row[:end]
        text = self.decode(tokens)
        if end is None and length is None:
            return text, len(row), "length"
        return text, len(tokens) if end is None else end + 1, "stop"
