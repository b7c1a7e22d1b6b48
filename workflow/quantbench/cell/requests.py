"""From samples to token ids: rendered prompts, chat templates, and the checks that come before a model loads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import JsonValue

from ..contracts.records import Sample, read_records
from ..datasets import worked_examples
from ..engine.batches import Request
from ..errors import ConfigError, DataError, ModelError
from ..models.chat import Chat, find_chat
from ..models.prompt_tokens import PromptTokenizer
from ..prompts import read_template, render
from ..reading.library_errors import in_one_line
from ..study.spec import CellSpec, identity_hash
from .prompt_checks import check_prompts, check_words

if TYPE_CHECKING:
    from ..models.interfaces import Tokenizer


@dataclass(frozen=True)
class Prompts:
    """The prompts of a cell, in dataset order.

    Attributes:
        requests: as the engine takes them.
        day: what the chat template was told is today; None: no prompt shows it.
    """

    requests: list[Request]
    day: date | None

    @property
    def sha256(self) -> str:
        """Of all that the model reads, sample by sample: cells are compared only where it is the same."""
        rows: list[JsonValue] = [[one.sample_id, one.text, list(one.token_ids)] for one in self.requests]
        return identity_hash({"prompts": rows})


def build_prompts(spec: CellSpec, data: Path, tokenizer: Tokenizer) -> Prompts:
    """Render, tokenize and check the prompts of a cell; a stand-in's are cut or filled as its settings say.

    Args:
        spec: the cell.
        data: the prepared dataset, a folder with ``samples.jsonl`` and ``shots.jsonl``.
        tokenizer: a Hugging Face tokenizer.

    Raises:
        ConfigError: what is wrong with the prompt template, with its file and line.
        DataError: fewer worked examples than shots.
        ModelError: what is wrong with the chat template (:mod:`quantbench.models.chat`) or with the token ids
            (:mod:`quantbench.cell.prompt_checks`).
    """
    template, examples = read_template(spec.template), _worked_examples(spec, data)
    samples = read_records(data / "samples.jsonl", Sample)
    try:
        prompts = [render(spec.dataset, template, sample, examples, spec.protocol.slips) for sample in samples]
    except ConfigError as error:
        inputs = ", ".join(sorted({name for sample in samples for name in sample.inputs}))
        raise ConfigError(f"{spec.template}: {error} (inputs of the samples: {inputs or 'none'})") from None
    chat = _chat(spec, tokenizer, prompts[0])
    with in_one_line(
        f"model {spec.cell.model!r}", "its tokenizer fails at a prompt", "retrieve the tokenizer's files again"
    ):
        own = PromptTokenizer(tokenizer)
        found = [own.tokenize(prompt, chat.render if chat else None) for prompt in prompts]
    requests = [Request(sample.sample_id, one.text, one.token_ids) for sample, one in zip(samples, found, strict=True)]
    if not spec.model.has_random_weights:
        check_words(prompts, requests, spec.cell.model)
        check_prompts(requests, tokenizer, own, spec)
    elif spec.prompt_tokens:
        requests = resized(requests, spec.prompt_tokens)
    return Prompts(requests, spec.prompt_date if chat and chat.shows_day(prompts[0]) else None)


def _chat(spec: CellSpec, tokenizer: Tokenizer, prompt: str) -> Chat | None:
    """The chat template where one is configured, tried on a prompt; a stand-in's is none of the model's own."""
    if spec.model.chat_template == "none":
        return None
    chat = find_chat(tokenizer, spec.cell.model, spec.model, spec.prompt_date)
    if not spec.model.has_random_weights:
        chat.check(prompt)
    return chat


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
    prepared = read_records(data / "shots.jsonl", Sample)
    found = worked_examples(prepared, spec.dataset, cell.shots, spec.protocol.examples)
    if len(found) < cell.shots:
        by_label = spec.protocol.examples == "first_rows"
        raise DataError(
            f"{data / 'shots.jsonl'}: {len(found)} worked examples, {cell.label} needs {cell.shots}; lower the shots of its study, or "
            f"give its train or dev file more rows{' of each label, or set protocol.examples: balanced' if by_label else ''}"
        )
    return found
