"""Continuous batching with a real model: the answers of the other engines, and refusals that say what is needed."""

import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from quantbench.cell.requests import Request
from quantbench.config import ModelEntry, read_entries
from quantbench.config.entries import PrecisionEntry
from quantbench.engine.decoding_settings import GenerationSettings
from quantbench.engine.generation import Generator
from quantbench.engine.kinds.continuous import answer_continuously, check_one_device
from quantbench.errors import ModelError
from quantbench.models.loading import LoadedModel, load_model
from quantbench.models.tokenizing import load_tokenizer

SHARED = "Which label applies? Text: aspirin lowers fever; warfarin does not. "
TEXTS = ["Text: aspirin", "a", "yes no maybe yes", "Answer: C; Answer:", "fever;", "Labels: b", "Which label"]


@pytest.fixture(scope="module")
def loaded(random_model: ModelEntry, repository: Path) -> LoadedModel:
    folder = Path(str(random_model.folder))
    full = read_entries(repository / "config/precisions", PrecisionEntry)["full"]
    return load_model(folder, random_model, full, load_tokenizer(folder), "cpu")


@pytest.fixture(scope="module")
def requests(loaded: LoadedModel) -> list[Request]:
    texts = [SHARED + text for text in TEXTS]
    return [Request(str(number), text, loaded.tokenizer(text)["input_ids"]) for number, text in enumerate(texts)]


@pytest.mark.parametrize("early", [False, True])
def test_the_answers_of_the_static_engine(loaded: LoadedModel, requests: list[Request], early: bool) -> None:
    engine = Generator(loaded, GenerationSettings(40), (lambda _, text: True) if early else None)
    expected = engine.answer(requests)
    found = {answer.sample_id: answer for answer in answer_continuously(engine, requests, 512, "cell")}
    assert [found[request.sample_id] for request in requests] == expected
    assert (expected != Generator(loaded, GenerationSettings(40)).answer(requests)) == early
    assert engine.answer(requests) == expected  # the model is as it was


def test_few_blocks_are_enough(loaded: LoadedModel, requests: list[Request]) -> None:
    engine = Generator(loaded, GenerationSettings(12))
    assert len(list(answer_continuously(engine, requests, 1, "cell"))) == len(requests)


def test_who_stops_listening_does_not_wait_for_the_rest(loaded: LoadedModel, requests: list[Request]) -> None:
    def generating() -> list[threading.Thread]:
        return [thread for thread in threading.enumerate() if "_run_generation_loop" in thread.name]

    steps: list[int] = []
    many = [Request(f"{number}", asked.text, asked.token_ids) for number in range(60) for asked in requests[:1]]
    stream = answer_continuously(Generator(loaded, GenerationSettings(200)), many, 600, "cell")
    with loaded.model.register_forward_hook(lambda *_: steps.append(1)):
        next(stream)
        assert generating()
        before = len(steps)
        assert before > 0
        stream.close()
    assert not generating()
    assert len(steps) < before + 100  # answering the rest would take 200 steps and more


def test_a_model_on_several_devices_is_refused() -> None:
    check_one_device(SimpleNamespace(hf_device_map={"": 0}), "cell")
    spread = SimpleNamespace(hf_device_map={"model.layers.0": 0, "model.layers.1": 1, "lm_head": "cpu"})
    with pytest.raises(ModelError, match=r"m full on d: .*needs the model on one GPU, .*over 0, 1, cpu; use .*static"):
        check_one_device(spread, "m full on d")


def test_a_cache_beyond_the_memory_is_refused(loaded: LoadedModel, requests: list[Request]) -> None:
    engine = Generator(loaded, GenerationSettings(12))
    with pytest.raises(
        ModelError,
        match=r"cell: out of memory in continuous batching .* 39 tokens: .* are free .*inference.engine: static takes less",
    ):
        list(answer_continuously(engine, requests, 1 << 40, "cell"))
    assert len(engine.answer(requests)) == len(requests)
