"""Answers on simulated devices: the CPU's, token for token, on one device and on two."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from pathlib import Path

import pytest

from quantbench.config import ModelEntry, PrecisionEntry, read_entries
from quantbench.engine.batches import Request
from quantbench.engine.decoding_settings import GenerationSettings
from quantbench.engine.generation import Generator
from quantbench.models.loading import LoadedModel, load_model
from quantbench.models.tokenizing import load_tokenizer

from .conftest import SimulatedCuda


def load(root: Path, device: str) -> LoadedModel:
    folder = root / "resources/demo/models/tiny-m"
    # In bfloat16 the CPU's own kernels round otherwise by the shape of a batch.
    entry = read_entries(root / "config/models", ModelEntry)["tiny-m"].model_copy(update={"full_dtype": "float32"})
    full = read_entries(root / "config/precisions", PrecisionEntry)["full"]
    return load_model(folder, entry, full, load_tokenizer(folder), device)


def prompts(loaded: LoadedModel) -> list[Request]:
    shared = "Question: which gene causes the disease? " * 6
    texts = [shared + f"number {number} " * (number + 1) + "\nAnswer:" for number in range(5)]
    return [Request(str(n), text, loaded.tokenizer(text)["input_ids"]) for n, text in enumerate(texts)]


@dataclass(frozen=True)
class Answers:
    batch: list[list[str]]
    single: list[list[str]]
    shared_tokens: int
    sharing: list[list[str]]


def answers(loaded: LoadedModel) -> Answers:
    generator, requests = Generator(loaded, GenerationSettings(12)), prompts(loaded)
    batch = [one.outputs for one in generator.answer(requests)]
    single = [one.outputs for request in requests[:2] for one in generator.answer([request])]
    shared = generator.share_prefix(requests)
    return Answers(batch, single, shared, [one.outputs for one in generator.answer(requests)])


@pytest.mark.parametrize("devices", [1, 2])
def test_the_answers_of_the_cpu(repository: Path, simulated_cuda: SimulatedCuda, devices: int) -> None:
    expected = answers(load(repository, "cpu"))
    with simulated_cuda(devices, 4.0) as machine:
        loaded = load(repository, "cuda")
        held = list(machine.live)
        assert answers(loaded) == expected
        assert all(held) and all(peak > now for peak, now in zip(machine.peak, held, strict=True))
        del loaded
        gc.collect()  # accelerate's hooks and their modules hold each other
        assert machine.live == [0] * devices
    assert expected.shared_tokens > 16
