"""Twins of published architectures, shrunk, with random weights: every family through every engine and precision."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from tests.published_configs import KINDS, entry_of, published

from quantbench.config import ModelEntry, PrecisionEntry, read_entries
from quantbench.contracts.records import Prediction
from quantbench.engine.batches import Request
from quantbench.engine.decoding_settings import GenerationSettings
from quantbench.engine.generation import Generator
from quantbench.engine.kinds.continuous import answer_continuously
from quantbench.models.loading import load_model
from quantbench.models.synthetic_tokenizer import SyntheticTokenizer

NEW_TOKENS = 8
# What the prompts begin with is longer than the windows of the twins (12 tokens), and so are two of their ends.
LENGTHS = (3, 30, 9, 17)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Products this small take longer to divide than to make."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def twins() -> dict[str, ModelEntry]:
    return {name: entry_of(published()[name].small, name) for name in KINDS}


@pytest.fixture(scope="module")
def precisions(repository: Path) -> dict[str, PrecisionEntry]:
    return read_entries(repository / "config/precisions", PrecisionEntry)


def prompts() -> list[Request]:
    draw = torch.Generator().manual_seed(4)
    shared = torch.randint(2, 600, (20,), generator=draw).tolist()
    ends = [torch.randint(2, 600, (length,), generator=draw).tolist() for length in LENGTHS]
    return [Request(str(number), "", [*shared, *end]) for number, end in enumerate(ends)]


def generator(entry: ModelEntry, precision: PrecisionEntry, full_dtype: str = "bfloat16") -> Generator:
    entry = entry.model_copy(update={"full_dtype": full_dtype})
    tokenizer = SyntheticTokenizer(entry.architecture.vocab_size)
    return Generator(load_model(Path("nowhere"), entry, precision, tokenizer, "cpu"), GenerationSettings(NEW_TOKENS))


def by_id(answers: list[Prediction]) -> list[Prediction]:
    return sorted(answers, key=lambda answer: answer.sample_id)


@pytest.mark.parametrize("name", KINDS)
def test_every_engine_gives_the_same_answers_in_float32(twins, precisions, name: str) -> None:
    """One prompt at a time, a padded batch, a batch behind a shared prefix, and continuous batching."""
    engine, requests = generator(twins[name], precisions["full"], "float32"), prompts()
    with torch.no_grad():
        for weight in engine.model.parameters():
            weight.mul_(8 if weight.dim() == 2 else 1)  # else some twins say one token only, whatever they are asked
    alone = [engine.answer([request])[0] for request in requests]
    assert len({answer.outputs[0] for answer in alone}) > 1  # the twin does tell prompts apart
    assert engine.answer(requests) == alone
    assert by_id(list(answer_continuously(engine, requests, 1024, name))) == alone
    engine.share_prefix(requests)
    assert engine.answer(requests) == alone
    assert engine.answer(requests[1:3]) == alone[1:3]


@pytest.mark.parametrize("precision", ["full", "w8a16", "w4a16"])
@pytest.mark.parametrize("name", KINDS)
def test_every_family_runs_at_every_precision(twins, precisions, name: str, precision: str) -> None:
    engine, requests = generator(twins[name], precisions[precision]), prompts()
    timed = engine.time_one(requests[0])
    assert timed.new_tokens == NEW_TOKENS
    engine.share_prefix(requests)
    for answers in (engine.answer(requests), by_id(list(answer_continuously(engine, requests, 1024, name)))):
        assert [answer.new_tokens for answer in answers] == [[NEW_TOKENS]] * len(requests)
