"""From a prompt to its tokens: what a clinical text says is text, even where it reads like a special token.

A text that holds ``<s>`` or ``<|eot_id|>`` must not end a turn. Prompts without such a string, which are nearly all, go through
the tokenizer as they are. For the others the tokenizer's special tokens get other names, characters that no text has; the
template's own are renamed likewise, those of the text stay, and the whole prompt is tokenized at once, so that nothing else of
it comes out otherwise.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from .interfaces import Tokenizer

if TYPE_CHECKING:
    import tokenizers

# Supplementary Private Use Area-B: characters without a meaning, which tokenizers neither normalize nor know.
_PRIVATE = range(0x100000, 0x10FFFE)


@dataclass(frozen=True)
class PromptTokens:
    """A prompt as the model reads it: its text, chat template included, and its token ids."""

    text: str
    token_ids: list[int]


class PromptTokenizer:
    """Tokenizes the prompts of one model."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        added = tokenizer.added_tokens_decoder.values()
        special = {*tokenizer.all_special_tokens, *(str(token) for token in added if token.special)}
        self._special = sorted(filter(None, special))
        self._names = _any_of(self._special)
        self._renamed: dict[str, tokenizers.Tokenizer] = {}
        self.start, self.end = self._added()

    def tokenize(self, prompt: str, chat: Callable[[str], str] | None = None) -> PromptTokens:
        """The tokens of a prompt.

        Args:
            prompt: the user's words.
            chat: wraps them by the chat template, which writes the start token itself; None: a base model, whose tokenizer
                adds it. What the tokenizer adds at the end is left off: the model is to go on, not to begin anew.
        """
        if self._names.search(prompt):
            return self._literal(prompt, chat)
        text = chat(prompt) if chat else prompt
        return PromptTokens(text, self._whole(text, chat is None))

    def _whole(self, text: str, add: bool) -> list[int]:
        if not add:
            return self._tokenizer(text, add_special_tokens=False)["input_ids"]
        token_ids = self._tokenizer(text)["input_ids"]
        return token_ids[: len(token_ids) - len(self.end)]

    def _added(self) -> tuple[list[int], list[int]]:
        """The special tokens that the tokenizer adds to a text by itself, before and after it."""
        alone, whole = (self._tokenizer("x", add_special_tokens=add)["input_ids"] for add in (False, True))
        for place in range(len(whole) - len(alone) + 1):
            if whole[place : place + len(alone)] == alone:
                return whole[:place], whole[place + len(alone) :]
        return [], []

    def _literal(self, prompt: str, chat: Callable[[str], str] | None) -> PromptTokens:
        """As :meth:`tokenize`, of a prompt with the name of a special token in it."""
        free = _unused(prompt)
        hidden = dict(zip(self._special, islice(free, len(self._special)), strict=True))
        shown = _replaced(self._names, hidden, prompt)
        text = chat(shown) if chat else shown
        back = {character: name for name, character in hidden.items()}
        characters = _any_of(back)
        start = [] if chat else self.start
        if self._fast is None:
            token_ids = self._in_parts(text, characters, back)
        else:
            renamed = dict(zip(self._special, islice(free, len(self._special)), strict=True))
            marked = _replaced(characters, back, _replaced(self._names, renamed, text))
            token_ids = self._under_other_names(self._fast, renamed).encode(marked, add_special_tokens=False).ids
        return PromptTokens(_replaced(characters, back, text), [*start, *token_ids])

    @cached_property
    def _fast(self) -> str | None:
        """The tokenizer as ``tokenizer.json`` would hold it; None: it is written in Python."""
        backend: tokenizers.Tokenizer | None = getattr(self._tokenizer, "backend_tokenizer", None)
        return None if backend is None else backend.to_str()

    def _under_other_names(self, tokenizer_json: str, names: dict[str, str]) -> tokenizers.Tokenizer:
        """See :func:`_renamed`; made once, since all prompts but odd ones get the same names."""
        key = "".join(names.values())
        if key not in self._renamed:
            self._renamed[key] = _renamed(tokenizer_json, names)
        return self._renamed[key]

    def _in_parts(self, text: str, characters: re.Pattern[str], back: dict[str, str]) -> list[int]:
        """Tokens of a text whose hidden names are tokenized apart, as text; for tokenizers written in Python."""
        found: list[int] = []
        for part in re.split(f"({characters.pattern})", text):
            literal = part in back
            found += self._tokenizer(back.get(part, part), add_special_tokens=False, split_special_tokens=literal)[
                "input_ids"
            ]
        return found


def _any_of(names: Iterable[str]) -> re.Pattern[str]:
    """A pattern of any of these texts, the longest first; of none, one that matches nothing."""
    longest_first = sorted(names, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)) or "(?!)")


def _replaced(names: re.Pattern[str], others: dict[str, str], text: str) -> str:
    return names.sub(lambda found: others[found[0]], text)


def _unused(text: str) -> Iterator[str]:
    """Private characters that a text does not have."""
    return (chr(number) for number in _PRIVATE if chr(number) not in text)


def _renamed(tokenizer_json: str, names: dict[str, str]) -> tokenizers.Tokenizer:
    """The same tokenizer, whose special tokens have other names, and whose old ones are text like any other."""
    import tokenizers

    parts = json.loads(tokenizer_json)
    for token in parts["added_tokens"]:
        token["content"] = names.get(token["content"], token["content"])
    model = parts["model"]
    vocabulary: dict[str, int] | list[tuple[str, float]] = model["vocab"]
    if isinstance(vocabulary, dict):
        model["vocab"] = {names.get(piece, piece): number for piece, number in vocabulary.items()}
    else:  # Unigram: pieces with their scores
        model["vocab"] = [[names.get(piece, piece), score] for piece, score in vocabulary]
    if model.get("unk_token") in names:
        model["unk_token"] = names[model["unk_token"]]
    if "merges" in model:  # those that make a special token, or go on from one, name what the vocabulary no longer has
        model["merges"] = [pair for pair in model["merges"] if names.keys().isdisjoint({*pair, "".join(pair)})]
    # What is added at either end is the caller's affair, and named by the old names.
    parts |= {"post_processor": None, "truncation": None, "padding": None}
    return tokenizers.Tokenizer.from_str(json.dumps(parts))
