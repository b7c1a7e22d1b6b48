"""Models of other families on two simulated devices: windows, experts and latent attention mix no devices, and answer as on the CPU."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from quantbench.config import ModelEntry, PrecisionEntry, read_entries
from quantbench.contracts.records import Prediction
from quantbench.engine.batches import Request
from quantbench.engine.decoding_settings import GenerationSettings
from quantbench.engine.generation import Generator
from quantbench.models.chat import find_chat
from quantbench.models.describing import describe
from quantbench.models.loading import LoadedModel, load_model
from quantbench.models.prompt_tokens import PromptTokenizer
from quantbench.models.tokenizing import load_tokenizer
from quantbench.planner import Placement
from tests.model_folders import write_model

from .conftest import SimulatedCuda
from .simulated_tensor import Machine

SHARED = "Text: aspirin lowers fever; warfarin does not. Which label applies? Labels: a; b. " * 2
# The last one holds the name of a special token, which is text there.
ENDS = ("Text: aspirin", "a", "yes no maybe yes no maybe", "Answer: </s> C")


@pytest.fixture(scope="module")
def two_devices(simulated_cuda: SimulatedCuda) -> Iterator[Machine]:
    with simulated_cuda(2, 4.0) as machine:
        yield machine


def entry_of(folder: Path) -> ModelEntry:
    """The entry that the folder's files make."""
    described = describe(json.loads((folder / "config.json").read_text(encoding="utf-8")), "config.json")
    return ModelEntry(
        title=described.family,
        family=described.family,
        domain="general",
        folder=str(folder),
        chat_template="tokenizer",
        full_dtype="float32",
        licence="MIT",
        architecture=described.architecture,
        counts=described.counts,
    )


def answers(loaded: LoadedModel, entry: ModelEntry) -> list[Prediction]:
    """In a batch behind what all prompts begin with, in chains, and one by one."""
    chat = find_chat(loaded.tokenizer, "m", entry, date(2024, 7, 26))
    own = PromptTokenizer(loaded.tokenizer)
    tokens = [own.tokenize(SHARED + end, chat.render) for end in ENDS]
    requests = [Request(str(number), one.text, one.token_ids) for number, one in enumerate(tokens)]
    # A generator's settings are the model's, so that one follows the other.
    batch = Generator(loaded, GenerationSettings(5))
    batch.share_prefix(requests)
    found = [*batch.answer(requests), *Generator(loaded, GenerationSettings(5)).answer(requests[2:3])]
    return [*found, *Generator(loaded, GenerationSettings(3, 2, 0.7, 1)).answer(requests[:2])]


@pytest.mark.parametrize("family", ["gemma3", "gpt_oss", "qwen3_moe", "deepseek_v2", "granite"])
def test_a_family_answers_as_on_the_cpu(repository: Path, tmp_path: Path, two_devices: Machine, family: str) -> None:
    full = read_entries(repository / "config/precisions", PrecisionEntry)["full"]
    folder = write_model(tmp_path, family)
    entry = entry_of(folder)
    expected = answers(load_model(folder, entry, full, load_tokenizer(folder), "cpu"), entry)
    head = 0 if entry.architecture.tied_head else 1
    loaded = load_model(
        folder, entry, full, load_tokenizer(folder), "cuda", placement=Placement(embedding=0, blocks=(0, 1), head=head)
    )
    assert all(two_devices.live)
    assert answers(loaded, entry) == expected
