"""Maps of modules to devices: every tensor of 42 models' real classes goes somewhere, once, block by block."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from tests.published_configs import published

from quantbench.config import ModelEntry, read_entries
from quantbench.errors import ModelError
from quantbench.models.counting import model_class
from quantbench.models.device_map import device_map
from quantbench.models.random_weights import empty_model
from quantbench.planner.placement import Placement

if TYPE_CHECKING:
    from transformers import PreTrainedModel

REPOSITORY = Path(__file__).parents[3]
SHIPPED = read_entries(REPOSITORY / "config/models", ModelEntry)
# Families with other names, tables of positions, tensors outside of any module, a norm that is defined before its blocks, or
# layers that are no list of one class.
OTHERS = (
    *("gpt2", "opt", "falcon", "gpt_neox", "gptj", "gpt_bigcode"),
    *("ctrl", "cohere2", "glm4", "lfm2", "deepseek_v3", "zaya", "qwen3_next", "falcon_h1"),
)


def empty(name: str) -> PreTrainedModel:
    if name in SHIPPED:
        return empty_model(SHIPPED[name])
    return model_class(published()[name].config if name in published() else config(name))


def config(family: str, **facts: object):
    from transformers import AutoConfig

    return AutoConfig.for_model(family, **facts)


def blocks_of(model: PreTrainedModel) -> int:
    return int(model.config.get_text_config(decoder=True).num_hidden_layers)


def spread(model: PreTrainedModel, devices: int) -> Placement:
    """Blocks in equal parts, the head last unless it is the embedding."""
    count = blocks_of(model)
    tied = model.get_output_embeddings().weight is model.get_input_embeddings().weight
    return Placement(0, tuple(block * devices // count for block in range(count)), 0 if tied else devices - 1)


@pytest.mark.parametrize("name", [*published(), *SHIPPED, *OTHERS])
def test_every_tensor_has_one_device(name: str) -> None:
    from transformers.integrations.accelerate import expand_device_map

    model = empty(name)
    placement = spread(model, 3)
    places = device_map(model, placement)
    tensors = [*model.named_parameters(remove_duplicate=False), *model.named_buffers(remove_duplicate=False)]
    named = {tensor: [key for key in places if tensor == key or tensor.startswith(f"{key}.")] for tensor, _ in tensors}
    assert {tensor: keys for tensor, keys in named.items() if len(keys) != 1} == {}
    # transformers looks names up by a regular expression of its own.
    assert expand_device_map(places, list(named)) == {tensor: places[keys[0]] for tensor, keys in named.items()}
    assert {id(weight): places[named[tensor][0]] for tensor, weight in tensors} == {
        id(weight): places[named[tensor][0]] for tensor, weight in reversed(tensors)
    }, "a tied weight has two devices"
    numbered = [device for key, device in places.items() if key.rpartition(".")[2].isdigit()]
    assert numbered == list(placement.blocks)
    assert next(iter(places.values())) == placement.embedding, "accelerate has inputs go to the first device it reads"


@pytest.mark.parametrize("number_format", [torch.float16, torch.float32])
def test_experts_of_any_format_can_be_spread(number_format: torch.dtype) -> None:
    """Stand-ins with random weights are built in float32, of which torch knows the experts' product on shapes no more than of float16."""
    model = model_class(published()["qwen3-30b-a3b"].small, number_format)
    assert set(device_map(model, spread(model, 2)).values()) == {0, 1}


@pytest.mark.parametrize(
    ("name", "norm", "with_the_embedding"),
    [
        ("llama-3.3-70b", "model.norm", "model.rotary_emb"),
        ("gemma-3-4b", "model.language_model.norm", "model.vision_tower"),
        ("opt", "model.decoder.final_layer_norm", "model.decoder.embed_positions"),
        ("gpt2", "transformer.ln_f", "transformer.wpe"),
        ("lfm2", "model.embedding_norm", "model.rotary_emb"),
    ],
)
def test_what_runs_after_the_blocks_stays_with_the_last(name: str, norm: str, with_the_embedding: str) -> None:
    model = empty(name)
    count = blocks_of(model)
    places = device_map(model, Placement(0, (0, *[1] * (count - 1)), 0))
    assert (places[norm], places[with_the_embedding], places["lm_head"]) == (1, 0, 0)


def test_blocks_go_where_the_placement_says() -> None:
    model = model_class(published()["llama-3.2-1b"].small)
    places = device_map(model, Placement(2, (2, 3), 2))
    assert places == {
        **{"model.embed_tokens": 2, "model.layers.0": 2, "model.rotary_emb": 2, "lm_head": 2},
        **{"model.layers.1": 3, "model.norm": 3},
    }


@pytest.mark.parametrize(
    ("family", "facts", "placement", "why"),
    [
        ("llama", {"num_hidden_layers": 3}, Placement(0, (0, 1), 1), r"it has no list of 2 blocks"),
        (
            *("llama", {"num_hidden_layers": 2, "tie_word_embeddings": True}, Placement(0, (0, 1), 1)),
            r"its output head is its embedding, and they are placed on devices 1 and 0",
        ),
        ("bart", {"decoder_layers": 2}, Placement(0, (0, 1), 0), r"its class does not run on shapes alone"),
    ],
)
def test_what_cannot_be_spread_is_refused(family: str, facts: dict, placement: Placement, why: str) -> None:
    model = model_class(config(family, **facts))
    with pytest.raises(
        ModelError, match=rf"ForCausalLM cannot be spread over several GPUs: {why}.*; run it on one GPU"
    ):
        device_map(model, placement)
