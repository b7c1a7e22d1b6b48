"""Stand-ins with random weights: the bytes and the outputs of a model whose files are there, made weight by weight."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.live_tensors import LiveTensors
from tests.stand_ins import FACTS, stand_in

from quantbench.config import PrecisionEntry
from quantbench.errors import ModelError
from quantbench.models.loading import load_model
from quantbench.models.random_weights import END, empty_model, random_weights
from quantbench.models.synthetic_tokenizer import SyntheticTokenizer
from quantbench.models.weight_sizes import weight_bytes
from quantbench.planner import Setting, Workload
from quantbench.planner.terms import quantization_state, weights

ARMS = ["full", "w8a16", "w8a16-t0", "int8wo", "w4a16", "w4a16-bf16"]
FLOATS = (torch.bfloat16, torch.float16, torch.float32)


def load(entry, precision: PrecisionEntry, folder: Path = Path("nowhere")):
    """The loaded model on CPU; a stand-in reads no folder."""
    return load_model(folder, entry, precision, SyntheticTokenizer(entry.architecture.vocab_size), "cpu").model


def logits(model) -> torch.Tensor:
    prompts = torch.arange(2, 42).reshape(2, 20)
    with torch.inference_mode():
        return model(input_ids=prompts).logits


@pytest.mark.parametrize("family", ["llama", "qwen2", "phi3"])
@pytest.mark.parametrize("arm", ARMS)
def test_a_stand_in_is_the_model_that_its_saved_weights_load_as(
    tmp_path: Path, precisions, family: str, arm: str
) -> None:
    """Same weights through a folder and ``from_pretrained``, quantized on the way: same outputs to the last bit."""
    entry = stand_in(family)
    load(entry, precisions["full"]).save_pretrained(tmp_path)
    published = entry.model_copy(update={"weights": "published", "folder": str(tmp_path)})
    expected, found = load(published, precisions[arm], tmp_path), load(entry, precisions[arm])
    assert weight_bytes(found) == weight_bytes(expected)
    assert torch.equal(logits(found), logits(expected))


@pytest.mark.parametrize("arm", [arm for arm in ARMS if arm != "full"])
def test_no_more_than_one_layer_exists_in_full_precision(precisions, arm: str) -> None:
    """A 72B model in small: eight layers, and while they are quantized at most one layer's bytes at a time.

    In 16 bits with bitsandbytes; torchao finds its scales in float32.
    """
    entry = stand_in("qwen2")
    facts = entry.architecture
    with LiveTensors(FLOATS) as live:
        model = load(entry, precisions[arm])
    tables = 2 * facts.vocab_size * facts.hidden_size * 2  # embeddings and head stay in 16 bits
    layer = entry.counted.linear // facts.layers * (4 if precisions[arm].method == "torchao" else 2)
    kept = sum(live.held.values()) - tables  # scales, norms, biases
    assert live.peak - tables <= layer + kept
    assert kept < layer
    del model


def test_the_counter_sees_weights_that_are_made_all_at_once() -> None:
    """The test above can fail: weights that were not freed one by one are counted, all of them."""
    entry = stand_in("qwen2")
    with LiveTensors(FLOATS) as live:
        whole = [weight.to("cpu") for weight in random_weights(empty_model(entry), torch.bfloat16).values()]
    assert live.peak >= sum(weight.nbytes for weight in whole) > entry.counted.linear * 2


@pytest.mark.parametrize("family", ["qwen2", "phi3"])
@pytest.mark.parametrize("tied_head", [True, False])
@pytest.mark.parametrize("arm", ARMS)
def test_planned_bytes_of_weights_are_the_measured(precisions, family: str, tied_head: bool, arm: str) -> None:
    entry = stand_in(family, hidden_size=512, intermediate_size=1536, layers=2, tied_head=tied_head)
    setting = Setting(entry, precisions[arm], Workload())
    planned = weights(setting, setting.whole, "prompt") + quantization_state(setting, setting.whole, "prompt")
    assert weight_bytes(load(entry, precisions[arm]), entry.full_dtype) == pytest.approx(planned, rel=0.01)


@pytest.mark.parametrize("arm", ARMS)
def test_every_arm_generates(precisions, arm: str) -> None:
    model = load(stand_in("qwen2"), precisions[arm])
    prompts = torch.arange(2, 42).reshape(2, 20)
    output = model.generate(prompts, attention_mask=torch.ones_like(prompts), do_sample=False, max_new_tokens=5)
    assert output.shape == (2, 25)


def test_the_same_weights_each_time_and_others_for_each_name(precisions) -> None:
    first, again = (load(stand_in(), precisions["full"]).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    one, other = (first[f"model.layers.{layer}.mlp.up_proj.weight"] for layer in (0, 1))
    assert not torch.equal(one, other)
    assert float(one.float().std()) == pytest.approx(0.02, rel=0.02)


@pytest.mark.parametrize("tied_head", [False, True])
def test_answers_run_to_their_limit(precisions, tied_head: bool) -> None:
    """A random model that ended by chance would make token counts differ between precisions."""
    model = load(stand_in("llama", tied_head=tied_head), precisions["full"])
    prompts = torch.randint(2, FACTS.vocab_size, (8, 12), generator=torch.Generator().manual_seed(1))
    output = model.generate(prompts, attention_mask=torch.ones_like(prompts), do_sample=False, max_new_tokens=16)
    assert output.shape[1] == 12 + 16
    assert END not in output[:, 12:]
    assert model.generation_config.eos_token_id == END


def test_llm_int8_finds_outliers_in_every_layer(precisions) -> None:
    """Without some it would measure faster than published models, which have about 0.1% of outlier columns."""
    model = load(stand_in("llama"), precisions["full"])
    found = []
    for layer in model.model.layers:
        layer.mlp.up_proj.register_forward_pre_hook(lambda _, inputs: found.append(inputs[0]))
    logits(model)
    columns = [int((activations.abs() >= 6).flatten(0, -2).any(dim=0).sum()) for activations in found]
    assert columns == [1] * FACTS.layers


def test_an_architecture_that_cannot_be_built_is_named() -> None:
    with pytest.raises(ModelError, match=r"random qwen2: transformers cannot build this architecture"):
        empty_model(stand_in(hidden_size=7, attention_heads=14))
