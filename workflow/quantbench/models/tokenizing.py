"""Loading a tokenizer, ready to pad batches."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from ..errors import ModelError
from .interfaces import Tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# Where a folder keeps chat templates beside the default one, each under its name.
NAMED_TEMPLATES = "additional_chat_templates"


def load_tokenizer(folder: Path, vocab_size: int | None = None) -> Tokenizer:
    """Load the tokenizer, padding on the left: generation continues at a prompt's right end.

    Args:
        folder: the model's.
        vocab_size: rows of the model's embeddings, of which padding takes one; None: any number is one.

    Raises:
        ModelError: it cannot be loaded, or names no end-of-text token, or one that the model has no embedding of.
    """
    tokenizer = _published(folder)
    if tokenizer.eos_token_id is None:
        raise ModelError(f"{folder}: the tokenizer names no end-of-text token, so no answer would ever end")
    if vocab_size is not None and not 0 <= tokenizer.eos_token_id < vocab_size:
        raise ModelError(
            f"{folder}: the tokenizer's end-of-text token is number {tokenizer.eos_token_id}, outside of the model's {vocab_size} "
            "embeddings, so no answer would ever end; put the tokenizer there that came with the model"
        )
    # Padding is masked out, so its identity does not matter, but it must have a row; base models often name none.
    own = [tokenizer.pad_token_id, tokenizer.eos_token_id, tokenizer.bos_token_id, *tokenizer.all_special_ids]
    padding = next(one for one in own if one is not None and (vocab_size is None or 0 <= one < vocab_size))
    if padding != tokenizer.pad_token_id:
        tokenizer.pad_token = tokenizer.convert_ids_to_tokens(padding)
    return cast(Tokenizer, tokenizer)


def _published(folder: Path) -> PreTrainedTokenizerBase:
    """What transformers makes of the tokenizer's files, which are other people's and may hold anything."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False, padding_side="left"
        )
        tokenizer("x")
    except Exception as error:
        if _needs_sentencepiece(folder):
            raise ModelError(
                f"{folder}: its tokenizer is a tokenizer.model, which needs the packages sentencepiece and protobuf; pip install "
                "-r requirements/inference.txt"
            ) from error
        said = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        if not (folder / "tokenizer.json").exists() and (folder / "tokenizer.model").exists():
            said = f"tokenizer.model is damaged, or not what tokenizer_config.json says ({type(error).__name__})"
        raise ModelError(
            f"{folder}: its tokenizer cannot be loaded: {said[:300]}; put the tokenizer.json there that its makers publish"
        ) from error
    return cast("PreTrainedTokenizerBase", tokenizer)


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
