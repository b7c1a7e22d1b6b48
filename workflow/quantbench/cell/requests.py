"""From samples to token ids: rendered prompts, chat templates, and the checks that come before a model loads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from .. import tasks
from ..config import DatasetEntry, ModelEntry
from ..contracts.records import Sample, read_records
from ..engine.batches import Request
from ..errors import DataError, ModelError
from ..prompts import as_chat, read_template, render, template_path
from ..study.grid import Cell


def build_requests(
    root: Path, cell: Cell, model: ModelEntry, entry: DatasetEntry, data: Path, tokenizer: Any
) -> list[Request]:
    """Render and tokenize the prompts of a cell, in dataset order.

    Args:
        root: the repository, for templates.
        cell: prompting and shots are read.
        model: its chat template setting is read.
        entry: the dataset.
        data: the prepared dataset, a folder with ``samples.jsonl`` and ``shots.jsonl``.
        tokenizer: a Hugging Face tokenizer.

    Raises:
        DataError: fewer worked examples than shots.
        ModelError: no or a doubled start token, or no chat template where one is configured.
    """
    template = read_template(template_path(root, cell.dataset, cell.prompting))
    examples = _worked_examples(entry, data, cell)
    requests = []
    for sample in read_records(data / "samples.jsonl", Sample):
        text = render(entry, template, sample, examples)
        if model.chat_template == "tokenizer":
            text = _chat(tokenizer, text, cell.model)
            # The template writes the start token itself; adding it again would double it.
            token_ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        else:
            token_ids = tokenizer(text)["input_ids"]
        requests.append(Request(sample.sample_id, text, token_ids))
    _check_start_token(requests, tokenizer, cell.model)
    return requests


def resized(requests: Sequence[Request], tokens: int) -> list[Request]:
    """Prompts of exactly ``tokens`` tokens: the ends of longer ones, shorter ones repeated. For stand-ins only."""
    return [
        replace(request, token_ids=(request.token_ids * -(-tokens // len(request.token_ids)))[-tokens:])
        for request in requests
    ]


def check_context(requests: Sequence[Request], cell: Cell, context_length: int, max_new_tokens: int) -> None:
    """Refuse prompts that, with their answer, exceed the model's context; costs nothing before the model loads."""
    longest = max(requests, key=lambda request: len(request.token_ids))
    if len(longest.token_ids) + max_new_tokens > context_length:
        raise ModelError(
            f"{cell.label}: the longest prompt (sample {longest.sample_id}) has {len(longest.token_ids)} tokens, and with "
            f"{max_new_tokens} new tokens exceeds the context of {context_length}; lower shots or max_new_tokens"
        )


def _worked_examples(entry: DatasetEntry, data: Path, cell: Cell) -> list[tuple[Sample, str]]:
    if cell.shots == 0:
        return []
    pool = read_records(data / "shots.jsonl", Sample)
    if len(pool) < cell.shots:
        raise DataError(f"{data / 'shots.jsonl'}: {len(pool)} worked examples, {cell.label} needs {cell.shots}")
    task = tasks.get(entry)
    return [(example, task.render(example.gold, example)) for example in pool[: cell.shots]]


def _chat(tokenizer: Any, text: str, name: str) -> str:
    if not getattr(tokenizer, "chat_template", None):
        raise ModelError(f"model {name!r}: its tokenizer has no chat template; set chat_template: none in its entry")
    return as_chat(tokenizer, text)


def _check_start_token(requests: Sequence[Request], tokenizer: Any, name: str) -> None:
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
