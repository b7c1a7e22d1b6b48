"""What is wrong with the token ids of prompts, said before a model loads that would answer them all the same."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..engine.batches import Request
from ..errors import ModelError
from ..models.prompt_tokens import PromptTokenizer
from ..study.spec import CellSpec

if TYPE_CHECKING:
    from ..models.interfaces import Tokenizer

# Who writes start tokens, by the entry's chat_template. transformers reads add_bos_token only where there is no tokenizer.json.
_WRITER = {
    "tokenizer": "its chat template",
    "none": "post_processor in its tokenizer.json (add_bos_token in tokenizer_config.json where it has tokenizer.model alone)",
}


def check_prompts(
    requests: Sequence[Request], tokenizer: Tokenizer, prompt_tokenizer: PromptTokenizer, spec: CellSpec
) -> None:
    """Refuse prompts that the model was not trained to read, by the first sample of each kind.

    Args:
        requests: of the cell.
        tokenizer: the model's.
        prompt_tokenizer: what made the token ids.
        spec: the cell; its model's entry states the number of embeddings, and whether texts begin with a start token.

    Raises:
        ModelError: a token without embedding, no or a second start token, an end token after the prompt, or no token.
    """
    name, rows = spec.cell.model, spec.model.architecture.vocab_size
    starts = _starts(tokenizer, prompt_tokenizer, spec)
    if tokenizer.eos_token_id in prompt_tokenizer.end and spec.model.chat_template == "none":
        print(f"model {name!r}: the end token that its tokenizer puts after a text is left off", file=sys.stderr)
    for request in requests:
        wrong = _without_row(request.token_ids, rows, tokenizer) or _wrong_ends(
            request.token_ids, tokenizer, starts, _WRITER[spec.model.chat_template]
        )
        if wrong:
            raise ModelError(f"model {name!r}: prompt of sample {request.sample_id} {wrong}")


def check_words(prompts: Sequence[str], requests: Sequence[Request], name: str) -> None:
    """Refuse a chat template that leaves out or changes what the user says: samples would be answered unread.

    Args:
        prompts: before the template.
        requests: the same with it.
        name: the model's.

    Raises:
        ModelError: names the first sample.
    """
    for prompt, request in zip(prompts, requests, strict=True):
        if prompt.strip() not in request.text:  # templates may trim
            raise ModelError(
                f"model {name!r}: its chat template leaves out or changes what the user says (sample {request.sample_id}), so the "
                "model would answer another prompt; mend the template in its folder, or set chat_template: none in its entry"
            )


def _starts(tokenizer: Tokenizer, prompt_tokenizer: PromptTokenizer, spec: CellSpec) -> bool | None:
    """Whether prompts must begin with a start token; None: nobody knows."""
    stated = spec.model.start_token
    if stated and tokenizer.bos_token_id is None:
        raise ModelError(
            f"model {spec.cell.model!r}: start_token is true in its entry, and its tokenizer names none; state bos_token in "
            "tokenizer_config.json, or set start_token: false if the model was trained without"
        )
    return stated if stated is not None else (tokenizer.bos_token_id in prompt_tokenizer.start or None)


def _without_row(token_ids: Sequence[int], rows: int, tokenizer: Tokenizer) -> str | None:
    largest = max(token_ids, default=None)
    if largest is None:
        return "has no tokens; mend the prompt template or the tokenizer"
    if largest < rows:
        return None
    return (
        f"holds {tokenizer.convert_ids_to_tokens(largest)!r}, token number {largest}, and the model has embeddings for {rows} "
        "(architecture.vocab_size), numbered from 0; put the tokenizer and the weights into its folder that were published together"
    )


def _wrong_ends(token_ids: Sequence[int], tokenizer: Tokenizer, starts: bool | None, writer: str) -> str | None:
    start = tokenizer.bos_token_id
    first, count = token_ids[0] == start, token_ids.count(0 if start is None else start)
    if starts and not (first and count == 1):
        return (
            f"has {count} start tokens, expected 1 first; mend {writer}, or state in the model's entry what it was trained with "
            "(start_token)"
        )
    if starts is False and start is not None and first:
        return (
            f"begins with a start token, and start_token is false in the model's entry; mend {writer}, or state start_token: true "
            "if the model was trained with one"
        )
    if token_ids[-1] == tokenizer.eos_token_id:
        return (
            "ends with the end token, behind which nothing is to be expected; mend the chat template, which must open the "
            "model's turn (add_generation_prompt)"
        )
    return None
