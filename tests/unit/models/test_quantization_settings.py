"""Every setting of a precision reaches the library that it is meant for, and the loaded layers say that it was applied."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any, get_args

import pytest
import torch
from tests.tiny_checkpoints import ENTRY, save_checkpoint

from quantbench.config import PrecisionEntry
from quantbench.config.library_arguments import BitsandbytesArguments
from quantbench.errors import ModelError
from quantbench.models.applied_settings import wrong_settings
from quantbench.models.interfaces import CausalModel
from quantbench.models.loading import load_model
from quantbench.models.quantization_settings import quantization_config

ARGUMENTS = BitsandbytesArguments.model_fields


def unchecked(method: str, settings: dict[str, Any]) -> PrecisionEntry:
    """A precision as a program may make it, without the checks of an entry."""
    return PrecisionEntry.model_construct(title="odd", method=method, settings=settings)


def values_of(name: str) -> tuple[str, ...]:
    return get_args(ARGUMENTS[name].annotation)


def test_the_arguments_stated_are_those_of_the_library_with_its_defaults() -> None:
    from transformers import BitsAndBytesConfig

    signature = inspect.signature(BitsAndBytesConfig)
    assert {*ARGUMENTS, *BitsandbytesArguments.refused} == {*signature.parameters} - {"kwargs"}
    taken = BitsAndBytesConfig().to_dict()
    assert {name: taken[name] for name in ARGUMENTS} == {name: field.default for name, field in ARGUMENTS.items()}


def test_the_types_of_four_bits_stated_are_all_that_bitsandbytes_has() -> None:
    import bitsandbytes.functional as bnb

    for name in values_of("bnb_4bit_quant_type"):
        assert bnb.get_4bit_type(name, device="cpu").numel() == 16
    others = {"nf5", "int4", "NF4"}
    for name in others:
        with pytest.raises((ValueError, NotImplementedError)):
            bnb.quantize_4bit(torch.ones(64, 64), quant_type=name)


def test_every_storage_format_stated_is_one_the_library_takes() -> None:
    for name in values_of("bnb_4bit_quant_storage"):
        made = quantization_config(unchecked("bitsandbytes", {"load_in_4bit": True, "bnb_4bit_quant_storage": name}))
        assert made.to_dict()["bnb_4bit_quant_storage"] == name


@pytest.mark.parametrize(
    ("method", "settings", "message"),
    [
        (
            "bitsandbytes",
            {"load_in_4bit": True, "bnb_4bit_quanttype": "nf4"},
            "'nf4'; did you mean 'bnb_4bit_quant_type'",
        ),
        ("bitsandbytes", {"load_in_8bit": True, "llm_int8_threshold": "six"}, "llm_int8_threshold must be a float"),
        ("bitsandbytes", {"load_in_8bit": True, "llm_int8_threshold": True}, "llm_int8_threshold must be a float"),
        ("torchao", {"config": "quantize_"}, "no configuration 'quantize_' that a precision can name"),
        ("torchao", {"config": "Int9WeightOnlyConfig"}, "did you mean 'Int"),
        ("torchao", {"config": "FqnToConfig"}, "no configuration 'FqnToConfig' that a precision can name"),
        ("torchao", {"config": "Int8WeightOnlyConfig", "group": 3}, "'group', .* value 3; did you mean 'group_size'"),
        ("torchao", {"config": "Int8WeightOnlyConfig", "set_inductor_config": 1}, "value 1, and bool is expected"),
        ("torchao", {"config": "Int8WeightOnlyConfig", "granularity": "PerRow"}, "which an entry cannot hold"),
        (
            "torchao",
            {"config": "Int8WeightOnlyConfig", "group_size": 32},
            "Only support version 2 with group_size=None",
        ),
        ("torchao", {"config": "IntxWeightOnlyConfig", "weight_dtype": "int44"}, "'int44', and dtype is expected"),
        ("torchao", {"config": "IntxWeightOnlyConfig", "mapping_type": "even"}, "'even'; known: ASYMMETRIC, SYMMETRIC"),
    ],
)
def test_a_setting_that_the_installed_library_does_not_take_is_named(
    method: str, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ModelError, match=rf"precision 'odd': {method} refuses its settings: .*{message}"):
        quantization_config(unchecked(method, settings))


def test_texts_become_the_types_that_torchao_states() -> None:
    settings = {"config": "IntxWeightOnlyConfig", "weight_dtype": "int4", "mapping_type": "asymmetric"}
    made = quantization_config(unchecked("torchao", settings)).quant_type
    assert made.weight_dtype == torch.int4
    assert made.mapping_type.name == "ASYMMETRIC"


def test_a_whole_number_is_taken_where_the_library_has_a_float() -> None:
    made = quantization_config(unchecked("bitsandbytes", {"load_in_8bit": True, "llm_int8_threshold": 4}))
    assert made.llm_int8_threshold == 4.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_checkpoint(tmp_path_factory.mktemp("llama"))


def four_bit_layer(model: CausalModel) -> Any:
    return model.get_submodule("model.layers.1.mlp.up_proj")


@pytest.mark.parametrize(
    ("name", "tamper", "said"),
    [
        (
            "w4a16",
            lambda layer: setattr(layer.weight.quant_state, "quant_type", "fp4"),
            "type of its 4 bits is fp4, and nf4",
        ),
        (
            "w4a16",
            lambda layer: setattr(layer.weight.quant_state, "nested", False),
            "double quantization is False, and True",
        ),
        ("w4a16", lambda layer: setattr(layer.weight.quant_state, "blocksize", 128), "share a scale is 128, and 64"),
        ("w4a16", lambda layer: setattr(layer.weight.quant_state.state2, "blocksize", 512), "together is 512, and 256"),
        ("w4a16", lambda layer: setattr(layer, "compute_dtype", torch.float64), "computes in is float64, and "),
        ("w8a16", lambda layer: setattr(layer.state, "threshold", 0.0), "llm_int8_threshold is 0.0, and 6.0"),
        ("w8a16-t0", lambda layer: setattr(layer.state, "threshold", 6.0), "llm_int8_threshold is 6.0, and 0.0"),
        ("int8wo", lambda layer: setattr(layer.weight, "block_size", [1, 32]), r"block .* is \(1, 32\), and \(1, 64\)"),
        ("int8wo", lambda layer: setattr(layer.weight, "act_quant_kwargs", ()), "activations is True, and False"),
    ],
)
def test_a_layer_that_says_something_else_than_was_asked_for_is_named(
    folder, precisions, name: str, tamper: Callable[[Any], None], said: str
) -> None:
    loaded = load_model(folder, ENTRY, precisions[name], None, "cpu")
    applied = loaded.applied
    assert wrong_settings(loaded.model, applied.method, applied.settings) == ""
    tamper(four_bit_layer(loaded.model))
    found = wrong_settings(loaded.model, applied.method, applied.settings)
    assert found.startswith("model.layers.1.mlp.up_proj")
    assert found.endswith("was asked for")
    assert re.search(said, found), found


@pytest.mark.parametrize(
    ("dropped", "said"),
    [
        ("bnb_4bit_quant_type", r"q_proj \(Linear4bit, fp4, scales quantized\).* should be nf4"),
        ("bnb_4bit_use_double_quant", r"q_proj \(Linear4bit, nf4\).* should be nf4, scales quantized"),
        ("bnb_4bit_quant_storage", "the format it is packed in is uint8, and bfloat16 was asked for"),
    ],
)
def test_a_library_that_drops_an_argument_is_found_once_the_model_is_loaded(
    folder, precisions, monkeypatch, dropped: str, said: str
) -> None:
    import transformers

    settings = precisions["w4a16"].settings | {"bnb_4bit_quant_storage": "bfloat16"}
    right = transformers.BitsAndBytesConfig
    monkeypatch.setattr(
        "quantbench.models.loading.quantization_config",
        lambda precision: right(**{key: value for key, value in precision.settings.items() if key != dropped}),
    )
    with pytest.raises(ModelError, match=rf"loaded, and not at precision 'odd': .*{said}"):
        load_model(folder, ENTRY, unchecked("bitsandbytes", settings), None, "cpu")
