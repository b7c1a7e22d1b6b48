"""Loading a tokenizer, ready to pad batches."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ..errors import ModelError
from ..reading import json_text
from ..reading.library_errors import in_one_line
from ..reading.text_files import read_bytes
from .interfaces import Tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# Where a folder keeps chat templates beside the default one, each under its name.
NAMED_TEMPLATES = "additional_chat_templates"
_WHOLE = "tokenizer.json"
_JSON = (_WHOLE, "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json", "config.json")
_REMEDY = "put the tokenizer.json there that its makers publish"
# The largest vocabulary has a quarter of a million tokens. The library makes room for every number below the largest.
_MOST_TOKENS = 10_000_000
_PERHAPS_FAR = re.compile(rb":\s*\d{8}")


def load_tokenizer(folder: Path, vocab_size: int | None = None) -> Tokenizer:
    """Load the tokenizer, padding on the left: generation continues at a prompt's right end.

    Args:
        folder: the model's.
        vocab_size: rows of the model's embeddings, of which padding takes one; None: any number is one.

    Raises:
        ModelError: it cannot be loaded, or names no end-of-text token, or one that the model has no embedding of.
    """
    _refuse_far_numbers(folder / _WHOLE)
    with in_one_line(folder, "its tokenizer cannot be loaded", _REMEDY):
        try:
            return _ready(_published(folder), folder, vocab_size)
        except ModelError:
            raise
        except Exception:
            _name_the_file(folder)
            raise


def _ready(tokenizer: PreTrainedTokenizerBase, folder: Path, vocab_size: int | None) -> Tokenizer:
    """The tokenizer with a token that pads, once answers can end and what it adds to every prompt has a row.

    Raises:
        ModelError: names the token's number.
    """
    if tokenizer.eos_token_id is None:
        raise ModelError(f"{folder}: the tokenizer names no end-of-text token, so no answer would ever end")
    if vocab_size is not None and not 0 <= tokenizer.eos_token_id < vocab_size:
        raise ModelError(
            f"{folder}: the tokenizer's end-of-text token is number {tokenizer.eos_token_id}, outside of the model's {vocab_size} "
            "embeddings, so no answer would ever end; put the tokenizer there that came with the model"
        )
    written: list[int] = tokenizer("x")["input_ids"]
    if vocab_size is not None and max(written, default=0) >= vocab_size:
        raise ModelError(
            f"{folder}: the tokenizer writes 'x' with token {max(written)}, outside of the model's {vocab_size} embeddings; put the "
            "tokenizer there that came with the model"
        )
    # Padding is masked out, so its identity does not matter, but it must have a row; base models often name none.
    own = [tokenizer.pad_token_id, tokenizer.eos_token_id, tokenizer.bos_token_id, *tokenizer.all_special_ids]
    padding = next(one for one in own if one is not None and (vocab_size is None or 0 <= one < vocab_size))
    if padding != tokenizer.pad_token_id:
        tokenizer.pad_token = tokenizer.convert_ids_to_tokens(padding)
    return cast(Tokenizer, tokenizer)


def _published(folder: Path) -> PreTrainedTokenizerBase:
    """What transformers makes of the tokenizer's files, which are other people's and may hold anything.

    Raises:
        ModelError: it needs a package that is not installed, or its only file is damaged.
    """
    from transformers import AutoTokenizer

    try:
        return cast(
            "PreTrainedTokenizerBase",
            AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False, padding_side="left"),
        )
    except Exception as error:
        if _needs_sentencepiece(folder):
            raise ModelError(
                f"{folder}: its tokenizer is a tokenizer.model, which needs the packages sentencepiece and protobuf; pip install "
                "-r requirements/inference.txt"
            ) from None
        if not (folder / _WHOLE).exists() and (folder / "tokenizer.model").exists():
            raise ModelError(
                f"{folder}: its tokenizer cannot be loaded: tokenizer.model is damaged, or not what tokenizer_config.json says "
                f"({type(error).__name__}); {_REMEDY}"
            ) from None
        raise


def _refuse_far_numbers(path: Path) -> None:
    """Refuse a token number for which the library would fill the memory."""
    if not path.is_file() or not _PERHAPS_FAR.search(read_bytes(path, ModelError)):
        return
    parts = json_text.read_object(path, ModelError, remedy=_REMEDY, foreign=True)
    model, added = parts.get("model"), parts.get("added_tokens")
    vocabulary = model.get("vocab") if isinstance(model, dict) else None
    numbers = dict(vocabulary) if isinstance(vocabulary, dict) else {}
    for token in added if isinstance(added, list) else []:
        if isinstance(token, dict):
            numbers[str(token.get("content"))] = token.get("id")
    for content, number in numbers.items():
        if isinstance(number, int) and number >= _MOST_TOKENS:
            raise ModelError(
                f"{path}: token {content!r} has the number {number}, and no vocabulary has {_MOST_TOKENS} tokens; {_REMEDY}"
            )


def _name_the_file(folder: Path) -> None:
    """Refuse the file that is no JSON, with its line; libraries name neither."""
    for path in (folder / name for name in _JSON):
        if path.is_file():
            json_text.read_object(
                path, ModelError, remedy=f"put the {path.name} there that its makers publish", foreign=True
            )


def _needs_sentencepiece(folder: Path) -> bool:
    """Whether a tokenizer has no other form than one that a missing package reads; transformers names another package then."""
    if (folder / "tokenizer.json").exists() or not (folder / "tokenizer.model").exists():
        return False
    try:
        import google.protobuf
        import sentencepiece
    except ImportError:
        return True
    return not (google.protobuf and sentencepiece)
