"""Each term against bytes counted by hand, mostly for Llama 3.3 70B: 80 layers, 8192 wide, 64 heads, 8 for keys."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from quantbench.errors import ConfigError
from quantbench.planner import GPUS, INSTALLED, PUBLISHED, Libraries, Setting, Workload, plan_memory
from quantbench.planner import terms as by_part
from quantbench.planner.terms import Stage

MIB = 2**20


class Whole:
    """The terms of one device that holds everything: ``terms.weights(setting, stage)``."""

    def __getattr__(self, name: str) -> Callable[[Setting, Stage], float]:
        return lambda setting, stage: by_part.TERMS[name](setting, setting.whole, stage)


terms = Whole()


def test_the_cache_takes_320_kib_a_token(setting) -> None:
    """A key and a value of 8 heads of 128 float16 numbers in 80 layers."""
    one = setting("llama-3.3-70b", "full", prompt_tokens=1, new_tokens=5)
    assert terms.kv_cache(one, "prompt") == 2 * 80 * 8 * 128 * 2 == 320 * 1024
    assert terms.kv_cache(one, "answer") == 5 * 320 * 1024  # the last token written is not read any more


def test_activations_of_a_prompt(setting) -> None:
    """Layer input, sum after attention and its normalized form, positions, feed-forward part; the embedded prompt."""

    def a_token(model: str, precision: str) -> float:
        one = setting(model, precision, prompt_tokens=1000)
        return (terms.activations(one, "prompt") - 40 * one.workload.capacity) / 1000  # without ids, masks, positions

    llama, phi = 3 * 8192 + 2 * 128 + 8192, 3 * 5120 + 2 * 128 + 5120
    assert a_token("llama-3.3-70b", "full") == (llama + 3 * 28672) * 2
    assert a_token("llama-3.3-70b", "w4a16") == (llama + 2 * 28672) * 2
    assert a_token("llama-3.3-70b", "w8a16") == llama * 2 + 8192 + 28672 * (2 + 4 + 2)
    assert a_token("phi-4", "full") == (phi + 4 * 17920) * 2
    assert a_token("phi-4", "w8a16") == phi * 2 + 5120 + 17920 * (2 + 2 + 4 + 4)


def test_every_device_has_its_own_activations_and_buffer(setting) -> None:
    """Here each of four devices holds 20 blocks; the embedded prompt lies on the first, logits on the last."""
    one, four = (
        setting("llama-3.3-70b", "w4a16", prompt_tokens=100, new_tokens=1, devices=devices) for devices in (1, 4)
    )
    plan, embedded = plan_memory(four), 100 * 8192 * 2 + 40 * four.workload.capacity
    for name in ("dequantization_buffer", "allocator_base"):
        assert {device.terms[name] for device in plan.devices} == {getattr(terms, name)(one, "prompt")}
    first, *others = (by_part.activations(four, device.part, "prompt") for device in plan.devices)
    assert {first - embedded} == set(others)
    assert plan.terms["kv_cache"] == terms.kv_cache(one, "prompt")
    on_device = [by_part.logits(four, device.part, "choice") for device in plan.devices]
    assert on_device == [128256 * (2 + 4 + 4), 0, 0, 128256 * 2]  # chosen from on the first device


def test_nf4_dequantizes_its_largest_matrix(setting) -> None:
    """In 16 bits, beside its scales of 64 weights each, which stand there in float32 twice."""
    scales = 2 * 4 / 64 / 2
    assert terms.dequantization_buffer(setting("llama-3.3-70b", "w4a16"), "prompt") == 448 * MIB * (1 + scales)
    # Gate and up in one.
    assert terms.dequantization_buffer(setting("phi-4", "w4a16"), "prompt") == 350 * MIB * (1 + scales)
    assert terms.dequantization_buffer(setting("llama-3.3-70b", "w8a16"), "prompt") == 0
    published = setting("llama-3.3-70b", "w4a16", PUBLISHED)
    assert terms.dequantization_buffer(published, "prompt") == 448 * MIB * (1 + scales / 2)
    # A single row is multiplied without a copy.
    assert terms.dequantization_buffer(setting("llama-3.3-70b", "w4a16"), "answer") == 0


def test_few_rows_of_nf4_are_multiplied_without_a_copy(setting) -> None:
    """How few depends on matrix and GPU; the down projection copies from fewer rows on than the up projection does."""

    def copied(tokens: int, gpu: str, libraries: Libraries = INSTALLED) -> float:
        one = setting("llama-3.3-70b", "w4a16", libraries, prompt_tokens=tokens)
        return terms.dequantization_buffer(replace(one, gpu=GPUS[gpu]), "prompt")

    assert copied(32, "a100-40gb") == 0 < copied(33, "a100-40gb")
    assert copied(16, "h100-80gb") == 0 < copied(17, "h100-80gb")
    assert copied(16, "a100-40gb", PUBLISHED) > 0


def test_a_long_prompt_outgrows_the_dequantized_copy(setting) -> None:
    """From about 9200 tokens a third intermediate result is larger than the copy, which is gone when it exists."""
    long = setting("llama-3.3-70b", "w4a16", prompt_tokens=10_000)
    assert terms.dequantization_buffer(long, "prompt") == 0
    held = terms.activations(long, "prompt") - 40 * long.workload.capacity
    assert held == (4 * 8192 + 2 * 128 + 3 * 28672) * 2 * 10_000


def test_a_cache_of_views_keeps_fused_projections_until_an_answer_begins(setting) -> None:
    """The queries and keys of Phi-4: 40 + 10 heads of 128 in 40 layers."""
    phi = setting("phi-4", "full", PUBLISHED, prompt_tokens=100)
    assert terms.kept_projections(phi, "prompt") == 100 * 40 * 50 * 128 * 2
    assert terms.kept_projections(phi, "answer") == 0
    assert terms.kept_projections(setting("phi-4", "full", prompt_tokens=100), "prompt") == 0
    assert terms.kept_projections(setting("llama-3.3-70b", "full", PUBLISHED, prompt_tokens=100), "prompt") == 0


def test_outlier_copies(catalogue, setting) -> None:
    kept = terms.outlier_copies(setting("llama-3.3-70b", "w8a16", PUBLISHED), "prompt")
    assert kept == pytest.approx(0.001 * 80 * (8192 * 128 * 144 + 3 * 8192 * 28672) * 2)
    assert 0 < terms.outlier_copies(setting("llama-3.3-70b", "w8a16"), "prompt") < 2 * MIB
    assert terms.outlier_copies(setting("llama-3.3-70b", "w4a16", PUBLISHED), "prompt") == 0


def test_a_threshold_of_zero_looks_for_no_outliers(setting) -> None:
    found = setting("llama-3.3-70b", "w8a16", PUBLISHED)
    precision = found.precision.model_copy(update={"settings": found.precision.settings | {"llm_int8_threshold": 0.0}})
    assert terms.outlier_copies(type(found)(found.model, precision, found.workload, PUBLISHED), "prompt") == 0


def test_logits_do_not_depend_on_the_prompt(setting) -> None:
    """In 16 bits, and twice in float32: the last token's beside this one's; once more where likelihoods are noted."""
    for tokens in (1, 4000):
        batch = setting("llama-3.3-70b", "full", prompt_tokens=tokens, batch=8)
        assert terms.logits(batch, "choice") == 8 * 128256 * (2 + 4 + 4)
        assert terms.logits(batch, "answer") == 8 * 128256 * 4
        assert terms.logits(batch, "prompt") == 0
    noted = setting("llama-3.3-70b", "full", likelihoods=True)
    assert terms.logits(noted, "choice") == 128256 * (2 + 3 * 4)


def test_a_long_shared_prefix_is_read_before_short_prompts(setting) -> None:
    """One row of 900 tokens holds more at once than two rows of 97 others, whose cache is not there yet."""
    work = {"prompt_tokens": 997, "new_tokens": 10, "batch": 2, "shared_tokens": 900}
    plan = plan_memory(setting("qwen2.5-3b", "w8a16", **work))
    assert plan.stage == "prefix"
    assert plan.terms["kv_cache"] == 900 * 36 * 2 * 2 * 128 * 2
    assert plan_memory(setting("qwen2.5-3b", "w8a16", **(work | {"shared_tokens": 0}))).stage == "prompt"


def test_chains_share_one_reading_of_their_prompt(setting) -> None:
    """The cache of the prompt stands beside that of its chains while it is repeated."""
    five = setting("llama-3.3-70b", "full", prompt_tokens=1000, new_tokens=100, chains=5)
    a_token = 320 * 1024
    assert terms.kv_cache(five, "prompt") == 1000 * a_token
    assert terms.kv_cache(five, "repeat") == (1000 + 5 * 1100) * a_token
    assert terms.kv_cache(five, "answer") == 5 * 1100 * a_token


def test_a_batch_reserves_its_cache_from_the_first_token(setting) -> None:
    batch = setting("llama-3.3-70b", "full", prompt_tokens=1000, new_tokens=100, batch=4, shared_tokens=300)
    for stage in ("prompt", "answer", "choice"):
        assert terms.kv_cache(batch, stage) == (4 * 1100 + 300) * 320 * 1024
    assert terms.kv_cache(batch, "prefix") == 300 * 320 * 1024


def test_the_peak_is_the_larger_stage_and_its_terms_add_up(setting) -> None:
    long_prompt = plan_memory(setting("llama-3.3-70b", "full", prompt_tokens=2000, new_tokens=1))
    long_answer = plan_memory(setting("llama-3.3-70b", "full", prompt_tokens=1, new_tokens=2000))
    assert (long_prompt.stage, long_answer.stage) == ("prompt", "answer")
    for plan in (long_prompt, long_answer):
        assert plan.peak_bytes == sum(plan.terms.values())
        assert plan.terms == {name: getattr(terms, name)(plan.setting, plan.stage) for name in by_part.TERMS}


@pytest.mark.parametrize("precision", ["full", "w8a16", "w4a16"])
@pytest.mark.parametrize("name", ["prompt_tokens", "new_tokens", "batch", "devices", "chains"])
def test_more_of_anything_never_takes_less(setting, precision: str, name: str) -> None:
    peaks = [plan_memory(setting("phi-4", precision, **{name: value})).peak_bytes for value in (1, 2, 30, 4000)]
    assert all(less <= more for less, more in pairwise(peaks))


def test_float32_models_take_twice_the_bytes(catalogue, setting) -> None:
    half = setting("qwen2.5-3b", "full")
    single = type(half)(half.model.model_copy(update={"full_dtype": "float32"}), half.precision, half.workload)
    for name in ("weights", "kv_cache", "activations"):
        term = getattr(terms, name)
        ids = 40 * half.workload.capacity if name == "activations" else 0
        assert term(single, "prompt") - ids == 2 * (term(half, "prompt") - ids)


@pytest.mark.parametrize("name", ["prompt_tokens", "new_tokens", "batch", "devices", "chains"])
@pytest.mark.parametrize("value", [0, -5])
def test_a_workload_without_work_is_refused(name: str, value: int) -> None:
    with pytest.raises(ConfigError, match=f"{name} has the value {value}"):
        Workload(**{name: value})
