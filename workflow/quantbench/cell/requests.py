"""From samples to token ids: rendered prompts, chat templates, and the checks that come before a model loads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from .. import tasks
from ..contracts.records import Sample, read_records
from ..engine.batches import Request
from ..errors import DataError, ModelError
from ..prompts import as_chat, read_template, render
from ..study.spec import CellSpec

if TYPE_CHECKING:
    from ..models.interfaces import Tokenizer


def build_requests(spec: CellSpec, data: Path, tokenizer: Tokenizer) -> list[Request]:
    """Render and tokenize the prompts of a cell, in dataset order; a stand-in's are cut or filled as its settings say.

    Args:
        spec: the cell.
        data: the prepared dataset, a folder with ``samples.jsonl`` and ``shots.jsonl``.
        tokenizer: a Hugging Face tokenizer.

    Raises:
        DataError: fewer worked examples than shots.
        ModelError: no or a doubled start token, or no chat template where one is configured, or one without the switch that
            is.
    """
    template, examples = read_template(spec.template), _worked_examples(spec, data)
    name = spec.cell.model
    requests = []
    for sample in read_records(data / "samples.jsonl", Sample):
        text = render(spec.dataset, template, sample, examples)
        if spec.model.chat_template == "tokenizer":
            text = _chat(tokenizer, text, spec)
            # The template writes the start token itself; adding it again would double it.
            token_ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        else:
            token_ids = tokenizer(text)["input_ids"]
        requests.append(Request(sample.sample_id, text, token_ids))
    _check_start_token(requests, tokenizer, name)
    return resized(requests, spec.prompt_tokens) if spec.model.has_random_weights and spec.prompt_tokens else requests


def resized(requests: Sequence[Request], tokens: int) -> list[Request]:
    """Prompts of exactly ``tokens`` tokens: the ends of longer ones, shorter ones repeated. For stand-ins only."""
    return [
        replace(request, token_ids=(request.token_ids * -(-tokens // len(request.token_ids)))[-tokens:])
        for request in requests
    ]


def check_context(requests: Sequence[Request], spec: CellSpec) -> None:
    """Refuse prompts that, with their answer, exceed the model's context; costs nothing before the model loads.

    Raises:
        ModelError: names the longest prompt.
    """
    context_length, max_new_tokens = spec.model.architecture.context_length, spec.max_new_tokens
    longest = max(requests, key=lambda request: len(request.token_ids))
    if len(longest.token_ids) + max_new_tokens > context_length:
        thought = spec.model.reasoning_tokens
        raise ModelError(
            f"{spec.cell.label}: the longest prompt (sample {longest.sample_id}) has {len(longest.token_ids)} tokens, and with "
            f"{max_new_tokens} new tokens{f', {thought} of them for its thought,' if thought else ''} exceeds the context of "
            f"{context_length}; lower shots{', reasoning_tokens' if thought else ''} or max_new_tokens"
        )


def _worked_examples(spec: CellSpec, data: Path) -> list[tuple[Sample, str]]:
    cell = spec.cell
    if cell.shots == 0:
        return []
    pool = read_records(data / "shots.jsonl", Sample)
    if len(pool) < cell.shots:
        raise DataError(f"{data / 'shots.jsonl'}: {len(pool)} worked examples, {cell.label} needs {cell.shots}")
    task = tasks.get(spec.dataset)
    return [(example, task.render(example.gold, example)) for example in pool[: cell.shots]]


def _chat(tokenizer: Tokenizer, text: str, spec: CellSpec) -> str:
    name, template = spec.cell.model, getattr(tokenizer, "chat_template", None)
    if not template:
        raise ModelError(f"model {name!r}: its tokenizer has no chat template; set chat_template: none in its entry")
    thinking = spec.model.enable_thinking
    # A template is told anything and says nothing; a stand-in's is none of the model's own.
    if thinking is not None and "enable_thinking" not in str(template) and not spec.model.has_random_weights:
        raise ModelError(
            f"model {name!r}: enable_thinking is {str(thinking).lower()} in its entry, and its chat template knows no such switch; "
            "leave it out"
        )
    return as_chat(tokenizer, text, thinking)


def _check_start_token(requests: Sequence[Request], tokenizer: Tokenizer, name: str) -> None:
    """A tokenizer that starts texts with a start token must do so exactly once: a doubled one changes answers."""
    start = tokenizer.bos_token_id
    if start is None or start not in tokenizer("x")["input_ids"]:
        return
    for request in requests:
        count = request.token_ids.count(start)
        if count != 1 or request.token_ids[0] != start:
            raise ModelError(
                f"model {name!r}: prompt of sample {request.sample_id} has {count} start tokens, expected 1 first"
            )
