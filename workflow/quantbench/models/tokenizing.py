"""Loading a tokenizer, ready to pad batches."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from ..errors import ModelError
from .interfaces import Tokenizer


def load_tokenizer(folder: Path) -> Tokenizer:
    """Load the tokenizer, padding on the left: generation continues at a prompt's right end."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False, padding_side="left"
    )
    if tokenizer.eos_token_id is None:
        raise ModelError(f"{folder}: the tokenizer names no end-of-text token, so no answer would ever end")
    if tokenizer.pad_token_id is None:
        # Padding is masked out, so its identity does not matter; base models often name none.
        tokenizer.pad_token = tokenizer.eos_token
    return cast(Tokenizer, tokenizer)
