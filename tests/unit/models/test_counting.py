"""Counts from a model's class: 36 published models, down to the last weight; and what an entry makes of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.published_configs import entry_of, published

from quantbench.config import Counts, ModelEntry, read_entries
from quantbench.config.architecture import UNCOUNTED_FAMILIES, counted_by_formula
from quantbench.errors import ModelError
from quantbench.models.counting import architecture_of, count, model_class
from quantbench.models.random_weights import class_settings, empty_model
from quantbench.planner import Setting, Workload
from quantbench.planner.terms import kv_cache, weights

THE_TWELVE = (
    *("llama-3.3-70b", "qwen2.5-3b", "qwen2.5-7b", "qwen2.5-14b", "qwen2.5-32b", "qwen2.5-72b", "phi-4"),
    *("deepseek-llm-67b", "clinicalcamel-70b", "llama3-med42-70b", "huatuogpt-o1-70b", "meditron-70b"),
)


@pytest.fixture(scope="module")
def models(repository: Path) -> dict[str, ModelEntry]:
    return read_entries(repository / "config/models", ModelEntry)


@pytest.mark.parametrize("name", published())
def test_every_weight_of_a_published_model_is_counted_once(name: str, precisions) -> None:
    """Against the number of weights that its files hold, which nothing here was made from."""
    entry = entry_of(published()[name].config, name)
    counts = entry.counted
    assert counts.parameters + counts.rest == published()[name].weights
    assert counts.rest < 0.003 * published()[name].weights
    setting = Setting(entry, precisions["full"], Workload())
    planned = weights(setting, setting.whole, "prompt")
    assert planned == 2 * published()[name].weights


@pytest.mark.parametrize("name", published())
def test_a_stand_in_of_an_entry_is_of_the_same_class(name: str) -> None:
    entry = entry_of(published()[name].config, name)
    made = class_settings(entry)
    assert architecture_of(made) == entry.architecture
    assert count(model_class(made)) == entry.counts


@pytest.mark.parametrize("name", THE_TWELVE)
def test_shipped_entries_state_what_their_class_has(name: str, models: dict[str, ModelEntry]) -> None:
    entry = models[name]
    assert count(empty_model(entry)) == entry.counts
    by_formula = counted_by_formula(entry.family, entry.architecture)
    assert by_formula.model_copy(update={"rest": entry.counted.rest}) == entry.counts


@pytest.mark.parametrize("name", published())
def test_a_token_leaves_keys_and_values_in_every_layer(name: str, precisions) -> None:
    """Two numbers a layer, key-value head and place of a head, 2 bytes each; a window bounds them while answers are written."""
    config = published()[name].config
    text = config.get_text_config()
    head = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    a_layer = 2 * text.num_key_value_heads * head * 2
    kinds = getattr(text, "layer_types", None) or ["full_attention"] * text.num_hidden_layers
    sliding = sum(kind == "sliding_attention" for kind in kinds)
    if kinds == ["full_attention"] * len(kinds) and text.model_type in {"mistral", "phi3"} and text.sliding_window:
        sliding = text.num_hidden_layers
    entry = entry_of(config, name)
    setting = Setting(entry, precisions["full"], Workload(prompt_tokens=6000, new_tokens=100))
    window = min(6100, text.sliding_window) if sliding else 0
    expected = a_layer * ((text.num_hidden_layers - sliding) * 6099 + sliding * min(6099, window))
    assert kv_cache(setting, setting.whole, "answer") == expected
    assert kv_cache(setting, setting.whole, "prompt") == a_layer * text.num_hidden_layers * 6000


def test_experts_are_told_from_what_is_quantized() -> None:
    """Of Qwen3-30B-A3B 30 billion weights, bitsandbytes quantizes the attention alone; 3 billion multiply a token."""
    counts = entry_of(published()["qwen3-30b-a3b"].config).counted
    assert counts.experts == 48 * 128 * 3 * 2048 * 768
    assert counts.active_experts == 48 * 8 * 3 * 2048 * 768
    assert counts.expert_intermediate == 8 * 768
    assert counts.quantized_share == pytest.approx(0.03, abs=0.005)
    assert counts.linear + counts.active_experts + counts.tables == pytest.approx(3.3e9, rel=0.02)


def test_joined_projections_are_found_by_their_shape() -> None:
    assert entry_of(published()["phi-4-mini"].config).counted.fused
    assert not entry_of(published()["llama-3.2-1b"].config).counted.fused


def test_layers_that_keep_no_keys_and_values_are_refused() -> None:
    from transformers import AutoConfig

    mamba = AutoConfig.for_model("mamba", num_hidden_layers=2, hidden_size=64, vocab_size=600)
    with pytest.raises(ModelError, match="model_type 'mamba'"):
        count(model_class(mamba))


def test_a_class_that_writes_no_text_is_refused() -> None:
    from transformers import AutoConfig

    with pytest.raises(ModelError, match=r"transformers cannot build this architecture \(vit\)"):
        model_class(AutoConfig.for_model("vit", num_hidden_layers=1))


def test_entries_without_counts_are_planned_by_formula_for_three_families_alone(models: dict[str, ModelEntry]) -> None:
    known = models["qwen2.5-3b"].model_dump(exclude={"counts"})
    old = type(models["qwen2.5-3b"]).model_validate(known)
    assert old.counted == Counts(**{**models["qwen2.5-3b"].counted.model_dump(), "rest": 0})
    assert "qwen3" not in UNCOUNTED_FAMILIES
    with pytest.raises(ValueError, match=r"counts are missing, and family qwen3 .*`quantbench add-model`"):
        type(old).model_validate({**known, "family": "qwen3"})


BEYOND = {
    "llama": ({}, []),
    "qwen3_moe": ({"num_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 64}, []),
    "gpt_neox": ({}, ["a feed-forward part without a gate"]),
    "olmo_hybrid": ({}, ["layers that keep a state in place of tokens (state space, linear attention)"]),
    "falcon_h1": (
        {"mamba_d_ssm": 96, "mamba_n_heads": 4, "mamba_d_head": 24, "mamba_n_groups": 1, "mamba_d_state": 32},
        ["layers that keep a state in place of tokens (state space, linear attention)"],
    ),
    "starcoder2": ({}, ["a feed-forward part without a gate"]),
    "deepseek_v3": (
        {"num_key_value_heads": 4, "n_routed_experts": 8, "n_group": 1, "topk_group": 1, "first_k_dense_replace": 1},
        ["attention with keys and values of different size"],
    ),
}


@pytest.mark.parametrize("family", BEYOND)
def test_layers_without_formulas_are_named(family: str) -> None:
    from transformers import AutoConfig

    further, expected = BEYOND[family]
    sizes = {"hidden_size": 96, "intermediate_size": 224, "num_hidden_layers": 2, "vocab_size": 600, "pad_token_id": 1}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2}
    config = AutoConfig.for_model(family, **{**sizes, **heads, **further})
    counts = count(model_class(config))
    assert counts.beyond_formulas == expected
    assert bool(counts.state) == any("state" in words for words in expected)
    assert bool(counts.experts) == (family in {"qwen3_moe", "deepseek_v3"})
