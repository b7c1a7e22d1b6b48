"""Generation with a real model: batches answer like single prompts, sampling depends on the sample alone."""

import gc
import weakref
from pathlib import Path

import pytest

from quantbench.cell.requests import Request
from quantbench.config import ModelEntry, read_entries
from quantbench.config.entries import PrecisionEntry
from quantbench.engine.decoding_settings import GenerationSettings
from quantbench.engine.generation import Generator
from quantbench.engine.prefix import shared_length
from quantbench.errors import ModelError
from quantbench.models.loading import load_model
from quantbench.models.tokenizing import load_tokenizer
from quantbench.models.weight_sizes import weight_bytes

TEXTS = [
    "Text: aspirin",
    "Which label applies? Text: warfarin does not. Labels:",
    "a",
    "yes no maybe yes",
    "Answer: C; Answer:",
]


@pytest.fixture(scope="module")
def precisions(repository: Path) -> dict[str, PrecisionEntry]:
    return read_entries(repository / "config/precisions", PrecisionEntry)


@pytest.fixture(scope="module")
def requests(random_model: ModelEntry) -> list[Request]:
    tokenizer = load_tokenizer(Path(str(random_model.folder)))
    return [Request(str(number), text, tokenizer(text)["input_ids"]) for number, text in enumerate(TEXTS)]


def generator(entry: ModelEntry, precision: PrecisionEntry, settings: GenerationSettings) -> Generator:
    folder = Path(str(entry.folder))
    return Generator(load_model(folder, entry, precision, load_tokenizer(folder), "cpu"), settings)


def test_a_padded_batch_answers_like_single_prompts(random_model, precisions, requests) -> None:
    engine = generator(random_model, precisions["full"], GenerationSettings(max_new_tokens=12))
    alone = [engine.answer([request])[0] for request in requests]
    assert engine.answer(requests) == alone
    assert len({answer.outputs[0] for answer in alone}) > 1  # the model does tell prompts apart
    assert [answer.prompt_tokens for answer in alone] == [len(request.token_ids) for request in requests]


@pytest.mark.parametrize("name", ["full", "w8a16", "w4a16"])
def test_a_shared_prefix_changes_no_answer(random_model, precisions, name: str) -> None:
    tokenizer = load_tokenizer(Path(str(random_model.folder)))
    texts = ["Which label applies? Text: aspirin lowers fever; " + text for text in TEXTS]
    requests = [Request(str(number), text, tokenizer(text)["input_ids"]) for number, text in enumerate(texts)]
    engine = generator(random_model, precisions[name], GenerationSettings(max_new_tokens=12))
    alone = [engine.answer([request])[0] for request in requests]
    shared = engine.share_prefix(requests)
    assert shared >= 16
    answers = engine.answer(requests)
    if name == "full":  # float32: token for token
        assert answers == alone
        assert engine.answer(requests[:2]) == alone[:2]  # the prefix is not used up by a batch
        assert engine.answer(requests[1:4]) == alone[1:4]
        assert [engine.answer([request])[0] for request in requests[::-1]] == alone[::-1]
    assert [answer.prompt_tokens for answer in answers] == [answer.prompt_tokens for answer in alone]


def test_a_batch_that_fails_leaves_its_memory(random_model, precisions, requests, monkeypatch) -> None:
    engine = generator(random_model, precisions["full"], GenerationSettings(max_new_tokens=4))
    shared = [Request(request.sample_id, "", [*requests[1].token_ids, *request.token_ids]) for request in requests]
    assert engine.share_prefix(shared) >= 16
    expected = engine.answer(shared)
    held = weakref.ref(engine._prefix._held[2].layers[0])  # type: ignore[index, union-attr]
    assert held() is not None
    with monkeypatch.context() as patched:
        patched.setattr(engine.model, "generate", lambda **_: (_ for _ in ()).throw(MemoryError()))
        with pytest.raises(MemoryError):
            engine.answer(shared[:3])
    gc.collect()
    assert held() is None
    assert engine.answer(shared) == expected


def test_the_shared_prefix_leaves_each_prompt_a_token() -> None:
    assert shared_length([[1, 2, 3], [1, 2, 4, 5]]) == 2
    assert shared_length([[1, 2, 3], [1, 2, 3]]) == 2
    assert shared_length([[1, 2], [1, 2, 3, 4]]) == 1
    assert shared_length([[1], [2]]) == 0


@pytest.mark.parametrize("name", ["w8a16", "w4a16"])
def test_quantized_models_generate_and_are_smaller(random_model, precisions, requests, name: str) -> None:
    folder = Path(str(random_model.folder))
    tokenizer = load_tokenizer(folder)
    full = load_model(folder, random_model, precisions["full"], tokenizer, "cpu")
    loaded = load_model(folder, random_model, precisions[name], tokenizer, "cpu")
    assert weight_bytes(loaded.model) < weight_bytes(full.model)
    answers = Generator(loaded, GenerationSettings(max_new_tokens=6)).answer(requests)
    assert all(1 <= answer.new_tokens[0] <= 6 for answer in answers)
    applied = {**loaded.applied.settings}
    multiplied_in = applied.pop("bnb_4bit_compute_dtype", None)  # as configured, or what this processor multiplies
    assert applied == {key: value for key, value in precisions[name].settings.items() if key in applied}
    assert multiplied_in in ({"float16", "float32"} if name == "w4a16" else {None})


def test_sampled_chains_do_not_depend_on_their_batch(random_model, precisions, requests) -> None:
    settings = GenerationSettings(max_new_tokens=8, chains=3, temperature=0.9, seed=7)
    engine = generator(random_model, precisions["full"], settings)
    together = engine.answer(requests)
    assert together == [engine.answer([request])[0] for request in requests]
    assert engine.answer(requests[::-1])[::-1] == together
    assert any(len(set(answer.outputs)) > 1 for answer in together)
    assert engine.share_prefix([Request("x", "", [*requests[1].token_ids, 5]), requests[1]]) >= 16
    assert engine.answer([requests[1]]) == [together[1]]
    other = generator(random_model, precisions["full"], GenerationSettings(8, 3, 0.9, seed=8))
    assert other.answer(requests) != together


def test_sampling_draws_from_the_softmax() -> None:
    import torch

    from quantbench.engine.sampling import SeededSampling

    logits = torch.tensor([2.0, 1.0, 0.0, -1.0])
    rows = 20_000
    sampling = SeededSampling(0.7, list(range(rows)), torch.device("cpu"))
    drawn = sampling(torch.empty(0), logits.repeat(rows, 1)).argmax(dim=1)
    found = torch.bincount(drawn, minlength=4) / rows
    # Four standard errors of a share estimated from 20,000 draws.
    assert torch.allclose(found, torch.softmax(logits / 0.7, 0), atol=4 * 0.5 / rows**0.5)


@pytest.mark.parametrize("settings", [GenerationSettings(12), GenerationSettings(12, chains=3, temperature=0.9)])
def test_timing_counts_tokens_and_finds_the_first(random_model, precisions, requests, settings) -> None:
    import time

    engine = generator(random_model, precisions["full"], settings)
    begin = time.perf_counter()
    timing = engine.time_one(requests[1])
    end = time.perf_counter()
    assert begin < timing.token_at[0] < timing.token_at[-1] < end
    new_tokens = engine.answer([requests[1]])[0].new_tokens
    assert timing.new_tokens == sum(new_tokens)
    assert len(timing.token_at) == max(new_tokens)  # chains are generated side by side


@pytest.mark.parametrize("settings", [GenerationSettings(12), GenerationSettings(12, chains=3, temperature=0.9)])
def test_at_a_fixed_length_no_end_token_is_written(random_model, precisions, requests, settings) -> None:
    """The first token of the natural answer is made an end token, which stops that answer and must not stop this one."""
    import torch

    engine = generator(random_model, precisions["full"], settings)
    with torch.inference_mode():
        scores = engine.model(input_ids=torch.tensor([requests[1].token_ids])).logits[0, -1]
    ends = scores.topk(3).indices.tolist()
    engine.model.generation_config.eos_token_id += ends
    if settings.chains == 1:
        assert len(engine.time_one(requests[1]).token_at) == 1
    for length in (7, 12):
        timing = engine.time_one(requests[1], length)
        assert len(timing.token_at) == length
        assert timing.new_tokens == length * settings.chains
    assert engine.model.generation_config.max_new_tokens == 12


def test_a_setting_bitsandbytes_refuses_is_named(random_model) -> None:
    odd = PrecisionEntry.model_construct(title="odd", method="bitsandbytes", settings={"load_in_4bit": "yes"})
    with pytest.raises(ModelError, match="precision 'odd'"):
        generator(random_model, odd, GenerationSettings(4))
