"""A tokenizer for stand-ins: any text becomes about as many tokens as a trained tokenizer makes of it."""

from __future__ import annotations

import zlib

from transformers import PreTrainedTokenizer

from .random_weights import END, PADDING, SPECIAL_TOKENS

_SPECIAL = ("<end>", "<padding>")
# Of English text, by the rule of thumb; biomedical words take a few more (docs/memory.md).
CHARACTERS_A_TOKEN = 4


class SyntheticTokenizer(PreTrainedTokenizer):
    """Cuts text into pieces of four characters; a hash of a piece is its token, so equal pieces are equal tokens.

    Tokens are decoded to their numbers: there is no way back to a text, and a random model's answer has none.
    """

    def __init__(self, vocab_size: int) -> None:
        """Take the model's number of tokens; all of them occur."""
        self._size = vocab_size
        super().__init__(  # type: ignore[no-untyped-call]
            eos_token=_SPECIAL[END], pad_token=_SPECIAL[PADDING], padding_side="left"
        )
        # One user turn, marked as trained templates mark it.
        self.chat_template = "{% for message in messages %}<user>{{ message['content'] }}<turn>{% endfor %}<assistant>"

    @property
    def vocab_size(self) -> int:
        """Number of tokens."""
        return self._size

    def get_vocab(self) -> dict[str, int]:
        """Every token's name and number."""
        return {str(self._convert_id_to_token(number)): number for number in range(self._size)}

    def _tokenize(self, text: str, **_: object) -> list[str]:
        return [text[start : start + CHARACTERS_A_TOKEN] for start in range(0, len(text), CHARACTERS_A_TOKEN)]

    def _convert_token_to_id(self, token: str) -> int:
        if token in _SPECIAL:
            return _SPECIAL.index(token)
        return SPECIAL_TOKENS + zlib.crc32(token.encode()) % (self._size - SPECIAL_TOKENS)

    def _convert_id_to_token(self, index: int) -> str:
        return _SPECIAL[index] if index < SPECIAL_TOKENS else f"<{index}>"

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """Join names of tokens by blanks."""
        return " ".join(tokens)
