"""How much of a model is quantized is read off its layers, and a layer that should be and is not refuses the cell."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import torch
from tests.tiny_checkpoints import ENTRY, SHAPES, edit_config, rewrite, save_checkpoint, save_quantized

from quantbench.config import ModelEntry, PrecisionEntry
from quantbench.errors import ModelError
from quantbench.models.counting import count, model_class
from quantbench.models.loading import LoadedModel, load_model
from quantbench.models.published_config import text_config
from quantbench.models.quantized_layers import matrices, wrong_layers

PUBLISHED = ENTRY.model_copy(update={"precision": "as_published"})
# Weights in linear layers of the attention and, where it is dense, of the feed-forward part; two layers of each.
ATTENTION = 2 * (2 * 64 * 64 + 2 * 64 * 32)
DENSE = ATTENTION + 2 * 3 * 64 * 128
QUANTIZED = {"llama": DENSE, "phi3": DENSE, "qwen2": DENSE, "gpt2": 2 * 12 * 64 * 64}
QUANTIZED |= {"qwen3_moe": ATTENTION, "mixtral": ATTENTION, "gpt_oss": ATTENTION}


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> dict[str, Path]:
    """Checkpoints by architecture."""
    return {kind: save_checkpoint(tmp_path_factory.mktemp(kind), kind) for kind in SHAPES}


@pytest.fixture(scope="module")
def folder(saved, tmp_path_factory) -> Path:
    """A checkpoint that was published quantized."""
    return save_quantized(saved["llama"], tmp_path_factory.mktemp("published"), bnb_4bit_compute_dtype=torch.bfloat16)


def load(folder: Path, precision: PrecisionEntry, entry: ModelEntry = ENTRY) -> LoadedModel:
    return load_model(folder, entry, precision, None, "cpu")


def share(loaded: LoadedModel) -> tuple[int, float]:
    """Weights that are quantized, and their share of all but embeddings and output head."""
    applied = loaded.applied
    assert applied.weights is not None and applied.quantized is not None
    assert applied.quantized_share == applied.quantized.of_all
    return sum(one.weights for one in applied.weights if one.quantized), applied.quantized.of_layers


@pytest.mark.parametrize("name", ["w8a16", "w4a16", "int8wo"])
@pytest.mark.parametrize("kind", ["llama", "phi3", "qwen2", "gemma3_text"])
def test_every_linear_layer_of_a_dense_model_is_quantized(saved, precisions, kind: str, name: str) -> None:
    weights, of_layers = share(load(saved[kind], precisions[name]))
    assert weights == QUANTIZED.get(kind, weights) > 0
    assert of_layers == 1


@pytest.mark.parametrize("kind", ["qwen3_moe", "mixtral", "gpt_oss", "llama4_text"])
def test_experts_stay_as_they_are_and_the_manifest_says_so(saved, precisions, kind: str) -> None:
    loaded = load(saved[kind], precisions["w4a16"])
    weights, of_layers = share(loaded)
    assert weights == QUANTIZED.get(kind, weights)
    assert 0 < of_layers < 0.6
    experts = [one for one in loaded.applied.weights if one.holder.endswith("Experts")]
    assert [(one.quantized, one.place) for one in experts] == [(False, "layers")]
    linear = [one for one in loaded.applied.weights if one.holder == "Linear4bit"]
    assert [(one.storage, one.weights) for one in linear] == [("nf4, scales quantized", weights)]


@pytest.mark.parametrize("kind", ["llama", "qwen2", "phi3", "gpt2", "qwen3_moe", "mixtral", "gpt_oss", "llama4_text"])
def test_what_is_quantized_is_what_the_planner_counts(saved, precisions, kind: str) -> None:
    """Read off the loaded model, and counted on its class before anything is downloaded."""
    planned = count(model_class(text_config(saved[kind])))
    assert share(load(saved[kind], precisions["w4a16"]))[0] == planned.linear


@pytest.mark.parametrize("kind", ["llama", "mixtral", "gpt2"])
def test_nothing_is_quantized_under_full(saved, precisions, kind: str) -> None:
    loaded = load(saved[kind], precisions["full"])
    assert share(loaded) == (0, 0)
    assert sum(one.weights for one in loaded.applied.weights) == sum(
        weight.numel()
        for name, weight in loaded.model.named_parameters()
        if weight.dim() > 1 and not name.endswith("bias")
    )


def test_a_tied_head_is_counted_once(saved, precisions) -> None:
    tables = [one for one in load(saved["qwen2"], precisions["full"]).applied.weights if one.place != "layers"]
    assert [(one.holder, one.matrices, one.weights) for one in tables] == [("Embedding", 1, 100 * 64)]


def test_layers_that_a_library_leaves_are_refused_by_name(saved, precisions) -> None:
    message = (
        f"{saved['gpt2']}: loaded, and not at precision 'INT8 weight-only': transformer.h.0.attn.c_attn (Conv1D, bfloat16), "
        "transformer.h.0.attn.c_proj (Conv1D, bfloat16), transformer.h.0.mlp.c_fc (Conv1D, bfloat16) and 5 more should be "
        "torchao; nothing was computed with it"
    )
    with pytest.raises(ModelError) as found:
        load(saved["gpt2"], precisions["int8wo"])
    assert re.sub("float32", "bfloat16", str(found.value)) == message


def test_a_checkpoint_that_leaves_a_layer_out_is_refused_by_name(saved, precisions, tmp_path) -> None:
    save_quantized(saved["llama"], tmp_path, llm_int8_skip_modules=["lm_head", "q_proj"])
    with pytest.raises(
        ModelError,
        match=r"model\.layers\.0\.self_attn\.q_proj \(Linear, \w+\), model\.layers\.1.* should be nf4, scales quantized",
    ):
        load_model(tmp_path, ENTRY, precisions["w4a16"], None, "cpu", quantized=True)


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"bnb_4bit_quant_type": "fp4"}, "fp4, scales quantized"),
        ({"bnb_4bit_use_double_quant": False}, "nf4"),
        ({"load_in_4bit": False, "load_in_8bit": True}, "int8"),
    ],
)
def test_a_checkpoint_quantized_otherwise_is_refused(saved, precisions, tmp_path, settings, found: str) -> None:
    save_quantized(saved["llama"], tmp_path, **settings)
    with pytest.raises(
        ModelError, match=rf"q_proj \(Linear\w+, {found}\).* and 11 more should be nf4, scales quantized"
    ):
        load_model(tmp_path, ENTRY, precisions["w4a16"], None, "cpu", quantized=True)


def test_four_bits_count_whatever_type_they_are_stored_as(saved, precisions) -> None:
    usual = precisions["w4a16"]
    stored = usual.model_copy(update={"settings": usual.settings | {"bnb_4bit_quant_storage": "bfloat16"}})
    assert share(load(saved["llama"], stored)) == (DENSE, 1)


def test_eight_bits_that_keep_their_float16_weights_are_none(saved, precisions) -> None:
    usual = precisions["w8a16"]
    kept = usual.model_copy(update={"settings": usual.settings | {"llm_int8_has_fp16_weight": True}})
    with pytest.raises(ModelError, match=r"q_proj \(Linear8bitLt, \w*float\d+\).* should be int8"):
        load(saved["llama"], kept)


def test_quantized_weights_are_refused_under_full(saved, precisions, tmp_path) -> None:
    save_quantized(saved["llama"], tmp_path)
    loaded = load(tmp_path, precisions["as_published"], PUBLISHED)
    assert "q_proj (Linear4bit, nf4, scales quantized)" in wrong_layers(loaded.model, "none", {})


def test_weights_packed_in_integers_are_counted_by_the_layer_s_size() -> None:
    class QuantLinear(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.in_features, self.out_features = 64, 32
            self.register_buffer("qweight", torch.zeros(8, 32, dtype=torch.int32))
            self.register_buffer("scales", torch.zeros(1, 32, dtype=torch.float16))

    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table, self.layer = torch.nn.Embedding(10, 64), QuantLinear()

        def get_input_embeddings(self) -> torch.nn.Module:
            return self.table

        def get_output_embeddings(self) -> None:
            return None

    found = {one.name: (one.weights, one.storage, one.quantized, one.place) for one in matrices(Model())}
    assert found == {
        "table": (640, "float32", False, "embeddings and head"),
        "layer": (64 * 32, "packed in int32", True, "layers"),
    }


class TestPublishedQuantized:
    """A checkpoint of NF4, as transformers saves it, is loaded as it is."""

    def test_the_precision_is_read_off_the_checkpoint(self, folder, precisions) -> None:
        loaded = load(folder, precisions["as_published"], PUBLISHED)
        applied = loaded.applied
        assert applied.method == "bitsandbytes"
        assert applied.settings["bnb_4bit_quant_type"] == "nf4"
        assert applied.settings["bnb_4bit_use_double_quant"] is True
        assert share(loaded) == (DENSE, 1)

    def test_it_answers_as_the_same_weights_quantized_while_loading(self, saved, folder, precisions) -> None:
        fresh = load(saved["llama"], precisions["w4a16"]).model
        published = load(folder, precisions["as_published"], PUBLISHED).model
        assert fresh.dtype == published.dtype
        tokens = torch.arange(1, 30).unsqueeze(0)
        with torch.inference_mode():
            assert torch.equal(fresh(input_ids=tokens).logits, published(input_ids=tokens).logits)

    def test_weights_that_transformers_only_dequantizes_are_refused(self, saved, precisions, tmp_path) -> None:
        shutil.copytree(saved["llama"], tmp_path / "copy")
        edit_config(tmp_path / "copy", quantization_config={"quant_method": "fp8"})
        with pytest.raises(ModelError, match="no weight is quantized: transformers has dequantized them"):
            load(tmp_path / "copy", precisions["as_published"], PUBLISHED)

    def test_a_missing_tensor_is_found_in_it_too(self, folder, precisions, tmp_path) -> None:
        shutil.copytree(folder, tmp_path / "copy")
        rewrite(tmp_path / "copy", lambda held: {name: held[name] for name in held if name != "model.norm.weight"})
        with pytest.raises(ModelError, match=r"1 missing \(model\.norm\.weight\)"):
            load(tmp_path / "copy", precisions["as_published"], PUBLISHED)

    def test_a_method_that_transformers_does_not_know_is_refused(self, saved, precisions, tmp_path) -> None:
        shutil.copytree(saved["llama"], tmp_path / "copy")
        edit_config(tmp_path / "copy", quantization_config={"quant_method": "gptqq"})
        with pytest.raises(
            ModelError, match=r"quant_method 'gptqq', which this transformers does not load; did you mean 'gptq'"
        ):
            load(tmp_path / "copy", precisions["as_published"], PUBLISHED)

    def test_settings_that_lack_something_are_refused(self, saved, precisions, tmp_path) -> None:
        shutil.copytree(saved["llama"], tmp_path / "copy")
        edit_config(tmp_path / "copy", quantization_config={"quant_method": "torchao"})
        with pytest.raises(ModelError, match=r"copy: not loadable at precision 'as published': KeyError 'quant_type'"):
            load(tmp_path / "copy", precisions["as_published"], PUBLISHED)
