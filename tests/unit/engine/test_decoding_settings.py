"""Decoding by the settings that come with a model: what is drawn depends on seed, sample and chain, and on nothing else."""

from collections.abc import Callable
from pathlib import Path

import pytest
from transformers import GenerationConfig

from quantbench.config import ModelEntry, PrecisionEntry
from quantbench.engine.batches import Request
from quantbench.engine.decoding_settings import GenerationSettings
from quantbench.engine.generation import Generator
from quantbench.models.loading import load_model
from quantbench.models.tokenizing import load_tokenizer

# As Qwen2.5 publishes them.
QWEN = {"do_sample": True, "temperature": 0.7, "top_p": 0.8, "top_k": 20, "repetition_penalty": 1.05}
TEXTS = ["Text: aspirin", "Which label applies? Text: warfarin does not. Labels:", "a"]
Make = Callable[..., Generator]


@pytest.fixture
def make(random_model: ModelEntry, precisions: dict[str, PrecisionEntry]) -> Make:
    folder = Path(str(random_model.folder))

    def made(published: dict[str, object], **settings: object) -> Generator:
        loaded = load_model(folder, random_model, precisions["full"], load_tokenizer(folder), "cpu")
        ends = {"eos_token_id": loaded.model.generation_config.eos_token_id}
        loaded.model.generation_config = GenerationConfig(**(ends | published))
        given = {"max_new_tokens": 12, "temperature": 0.7, "seed": 5, "decoding": "of_model"}
        return Generator(loaded, GenerationSettings(**(given | settings)))

    return made


@pytest.fixture
def requests(random_model: ModelEntry) -> list[Request]:
    tokenizer = load_tokenizer(Path(str(random_model.folder)))
    return [Request(str(number), text, tokenizer(text)["input_ids"]) for number, text in enumerate(TEXTS)]


def outputs(engine: Generator, requests: list[Request]) -> list[list[str]]:
    return [engine.answer([request])[0].outputs for request in requests]


def test_draws_depend_on_seed_and_sample_not_on_what_ran_before(make: Make, requests: list[Request]) -> None:
    engine = make(QWEN)
    assert engine.draws
    first = outputs(engine, requests)
    assert outputs(engine, requests[::-1]) == first[::-1]
    assert outputs(make(QWEN), requests[2:]) == first[2:]
    again = outputs(engine.with_seed(6), requests)
    assert again != first
    assert outputs(engine.with_seed(5), requests) == first


def test_a_model_whose_settings_are_greedy_answers_greedily(make: Make, requests: list[Request]) -> None:
    engine = make({})
    assert not engine.draws
    assert outputs(engine, requests) == outputs(engine.with_seed(6), requests)
    assert outputs(engine, requests) == outputs(make({}, decoding="greedy", temperature=None), requests)


def test_every_model_can_be_sampled(make: Make, requests: list[Request]) -> None:
    engine = make({"repetition_penalty": 1.1}, decoding="sampled")
    assert engine.draws
    assert outputs(engine, requests) != outputs(engine.with_seed(6), requests)
    assert engine.decoding([5]).settings == {"do_sample": True, "temperature": 0.7, "repetition_penalty": 1.1}


def test_settings_of_the_model_decide(make: Make, requests: list[Request]) -> None:
    """Of one candidate nothing is drawn: the answers are the greedy ones. A repetition penalty changes them."""
    greedy = outputs(make({}), requests)
    assert outputs(make(QWEN | {"top_k": 1, "repetition_penalty": 1.0}), requests) == greedy
    assert outputs(make({"repetition_penalty": 5.0}), requests) != greedy


def test_chains_are_drawn_one_after_another(make: Make, requests: list[Request]) -> None:
    [prediction] = make(QWEN, chains=3, timed=True).answer(requests[:1])
    assert len(prediction.outputs) == len(prediction.new_tokens) == len(prediction.finish_reason) == 3
    assert len(set(prediction.outputs)) > 1
    assert prediction.latency_s is not None and prediction.latency_s > 0


def test_what_decided_is_recorded(make: Make) -> None:
    decoding = make(QWEN | {"temperature": 0.2}).decoding([5, 6])
    assert decoding.sampled and decoding.seeds == [5, 6]
    assert decoding.settings == QWEN
    greedy = make({"repetition_penalty": 1.1}).decoding([5])
    assert not greedy.sampled and greedy.seeds == []
    assert greedy.settings == {"repetition_penalty": 1.1}


def test_the_tokenizers_end_token_ends_no_answer_where_the_settings_state_another(
    make: Make, random_model: ModelEntry
) -> None:
    """Which is why some models probably ran on to the limit in the paper's study."""
    own = load_tokenizer(Path(str(random_model.folder))).eos_token_id
    ends = {
        decoding: make({"eos_token_id": [0]}, decoding=decoding).model.generation_config.eos_token_id
        for decoding in ("of_model", "greedy")
    }
    assert own != 0
    assert ends == {"of_model": [0], "greedy": sorted({0, own})}
    assert make({"eos_token_id": None}).model.generation_config.eos_token_id == own


@pytest.mark.parametrize(
    "unread",
    [
        {"return_dict_in_generate": True, "output_scores": True},
        {"num_return_sequences": 2, "do_sample": True, "top_k": 1},
        {"is_assistant": True},
    ],
)
def test_nothing_but_the_tokens_of_one_answer_is_asked_for(
    make: Make, requests: list[Request], unread: dict[str, object]
) -> None:
    engine = make(unread)
    assert outputs(engine, requests) == outputs(make({}), requests)
    assert not {"return_dict_in_generate", "num_return_sequences", "is_assistant"} & engine.decoding([]).settings.keys()


def test_settings_that_are_objects_are_recorded_as_their_file_has_them(make: Make) -> None:
    recorded = make({"watermarking_config": {"greenlist_ratio": 0.25}}).decoding([5]).settings["watermarking_config"]
    assert isinstance(recorded, dict) and recorded["greenlist_ratio"] == 0.25
