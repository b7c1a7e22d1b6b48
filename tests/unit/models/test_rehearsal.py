"""What a folder's files hold is compared with the model that config.json describes, before anything loads."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tests.tiny_checkpoints import ENTRY, SHAPES, edit_config, rewrite, save_checkpoint

from quantbench.config import PrecisionEntry
from quantbench.errors import ModelError
from quantbench.models.counting import count, model_class
from quantbench.models.loading import load_model
from quantbench.models.published_config import text_config
from quantbench.models.rehearsal import rehearse

FULL = PrecisionEntry(title="full", method="none")
DOWN = "model.layers.1.mlp.down_proj.weight"
UNLIKE = ": its weights are not those of the LlamaForCausalLM that config.json describes: "


@pytest.fixture
def llama(tmp_path: Path) -> Path:
    return save_checkpoint(tmp_path / "model")


@pytest.fixture
def unread(monkeypatch) -> None:
    """Fail where a weight is read."""
    monkeypatch.setattr(
        "quantbench.models.loading._published_model", lambda *_: pytest.fail("the model's weights were read")
    )


def refused(folder: Path, message: str) -> None:
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        load_model(folder, ENTRY, FULL, None, "cpu")


@pytest.mark.parametrize("kind", SHAPES)
def test_what_transformers_saved_is_whole(kind: str, tmp_path: Path) -> None:
    rehearse(save_checkpoint(tmp_path, kind))


def test_tensors_may_lack_the_prefix_that_transformers_adds_itself(llama: Path) -> None:
    rewrite(llama, lambda held: {name.removeprefix("model."): held[name] for name in held})
    rehearse(llama)
    loaded = load_model(llama, ENTRY, FULL, None, "cpu").model.state_dict()[DOWN]
    assert torch.equal(loaded.float(), load_file(llama / "model.safetensors")[DOWN.removeprefix("model.")].float())


@pytest.mark.usefixtures("unread")
class TestRefusedBeforeLoading:
    """Each of these ended before, with weights made up at random."""

    def test_a_missing_tensor(self, llama: Path) -> None:
        rewrite(llama, lambda held: {name: held[name] for name in held if name != DOWN})
        refused(
            llama,
            f"{llama}{UNLIKE}1 missing ({DOWN}); what is missing would be made up at random: retrieve the model again, or save it "
            "whole",
        )

    def test_no_output_head(self, llama: Path) -> None:
        rewrite(llama, lambda held: {name: held[name] for name in held if name != "lm_head.weight"})
        refused(
            llama,
            f"{llama}{UNLIKE}1 missing (lm_head.weight); where head and embedding are one matrix, config.json says "
            "tie_word_embeddings: true; else retrieve the model again",
        )

    @pytest.mark.parametrize("prefix", ["base_model.model.", "module.", "_orig_mod."])
    def test_names_behind_a_prefix(self, llama: Path, prefix: str) -> None:
        rewrite(llama, lambda held: {f"{prefix}{name}": held[name] for name in held})
        with pytest.raises(
            ModelError,
            match=rf"21 missing \(lm_head\.weight, .* and 18 more\).*; the names in the files begin with '{prefix}', as a wrapper "
            r"around the model saves them \(.*merge_and_unload.*\): save the inner model, or rename the tensors$",
        ):
            load_model(llama, ENTRY, FULL, None, "cpu")

    def test_an_adapter_that_is_not_merged(self, llama: Path) -> None:
        q = "model.layers.0.self_attn.q_proj"
        rewrite(
            llama,
            lambda held: {
                **{name: held[name] for name in held if name != f"{q}.weight"},
                f"{q}.base_layer.weight": held[f"{q}.weight"],
                f"{q}.lora_A.default.weight": torch.zeros(4, 64),
            },
        )
        with pytest.raises(ModelError, match=r"2 unexpected .*; they hold an adapter that is not merged: merge it"):
            load_model(llama, ENTRY, FULL, None, "cpu")

    def test_a_tensor_too_many(self, llama: Path) -> None:
        rewrite(llama, lambda held: held | {"model.extra.weight": torch.zeros(2, 2)})
        refused(
            llama,
            f"{llama}{UNLIKE}1 unexpected (model.extra.weight); config.json and weights are not of one model: retrieve both again",
        )

    def test_a_tensor_of_another_shape(self, llama: Path) -> None:
        rewrite(llama, lambda held: held | {DOWN: torch.zeros(3, 5)})
        refused(
            llama,
            f"{llama}{UNLIKE}1 of another shape ({DOWN}: (3, 5) in the files, (64, 128) by config.json); config.json and weights are "
            "not of one model: retrieve both again",
        )

    @pytest.mark.parametrize(
        ("kind", "name"),
        [
            ("qwen3_moe", "model.layers.1.mlp.experts.2.up_proj.weight"),
            ("mixtral", "model.layers.1.block_sparse_moe.experts.2.w1.weight"),
        ],
    )
    def test_one_expert_s_matrix_is_missing_or_misshapen(self, tmp_path: Path, kind: str, name: str) -> None:
        save_checkpoint(tmp_path, kind)
        rewrite(tmp_path, lambda held: held | {name: torch.zeros(3, 5)})
        with pytest.raises(ModelError, match=rf"1 of another shape \({re.escape(name)}: \(3, 5\) in the files, "):
            load_model(tmp_path, ENTRY, FULL, None, "cpu")
        rewrite(tmp_path, lambda held: {other: held[other] for other in held if other != name})
        with pytest.raises(ModelError, match=rf"1 missing \({re.escape(name)}\)"):
            load_model(tmp_path, ENTRY, FULL, None, "cpu")

    def test_weights_in_eight_bits_that_nothing_explains(self, llama: Path) -> None:
        rewrite(llama, lambda held: held | {DOWN: held[DOWN].to(torch.float8_e4m3fn)})
        refused(
            llama,
            f"{llama / 'model.safetensors'}: {DOWN!r} is stored as F8_E4M3, so that the weights are quantized, and config.json has "
            "no quantization_config that says how; name the model they were made from",
        )

    def test_code_of_its_own(self, llama: Path) -> None:
        edit_config(llama, model_type="ownmodel", auto_map={"AutoModelForCausalLM": "modeling_own.Own"})
        refused(
            llama,
            f"{llama / 'config.json'}: model_type is 'ownmodel', which this transformers does not know, and auto_map names code of "
            "its own ({'AutoModelForCausalLM': 'modeling_own.Own'}), which is never run; a newer transformers may, or take a "
            "version of the model in transformers' own format",
        )

    def test_an_architecture_that_continues_no_texts(self, llama: Path) -> None:
        edit_config(llama, model_type="vit")
        with pytest.raises(
            ModelError, match=r"config\.json: model_type is 'vit', which transformers has no causal language"
        ):
            load_model(llama, ENTRY, FULL, None, "cpu")

    @pytest.mark.parametrize("architecture", ["LlamaForSequenceClassification", "BertForMaskedLM", "LlamaModel"])
    def test_another_head(self, llama: Path, architecture: str) -> None:
        edit_config(llama, architectures=[architecture])
        with pytest.raises(
            ModelError, match=rf"architectures is \['{architecture}'\], which continues no texts; name a model"
        ):
            load_model(llama, ENTRY, FULL, None, "cpu")

    def test_no_model_type(self, llama: Path) -> None:
        edit_config(llama, model_type=None)
        with pytest.raises(ModelError, match=r"config\.json: model_type is missing"):
            load_model(llama, ENTRY, FULL, None, "cpu")

    def test_facts_that_make_no_model(self, llama: Path) -> None:
        edit_config(llama, hidden_act="none_such")
        with pytest.raises(ModelError, match=r"config\.json: transformers cannot build this architecture .*none_such"):
            load_model(llama, ENTRY, FULL, None, "cpu")


def test_a_name_that_transformers_does_not_know_is_no_other_head(llama: Path) -> None:
    rehearse(edit_config(llama, architectures=["LLaMAForCausalLM"]))


@pytest.fixture
def pickled(llama: Path) -> dict[str, torch.Tensor]:
    """The tensors of a folder that is to hold them pickled."""
    held = load_file(llama / "model.safetensors")
    (llama / "model.safetensors").unlink()
    return held


class TestPickled:
    """Pickled weights have no headers, and are read as shapes all the same before a weight is."""

    def test_whole(self, llama: Path, pickled: dict[str, torch.Tensor]) -> None:
        torch.save(pickled, llama / "pytorch_model.bin")
        load_model(llama, ENTRY, FULL, None, "cpu")

    @pytest.mark.usefixtures("unread")
    def test_a_missing_tensor(self, llama: Path, pickled: dict[str, torch.Tensor]) -> None:
        del pickled[DOWN]
        torch.save(pickled, llama / "pytorch_model.bin")
        with pytest.raises(ModelError, match=rf"{re.escape(UNLIKE)}1 missing \({re.escape(DOWN)}\)"):
            load_model(llama, ENTRY, FULL, None, "cpu")

    @pytest.mark.usefixtures("unread")
    def test_integers(self, llama: Path, pickled: dict[str, torch.Tensor]) -> None:
        torch.save(pickled | {DOWN: pickled[DOWN].to(torch.int8)}, llama / "pytorch_model.bin")
        with pytest.raises(ModelError, match=r"pytorch_model\.bin: 'model\.layers\.1.* is stored as torch\.int8"):
            load_model(llama, ENTRY, FULL, None, "cpu")

    @pytest.mark.usefixtures("unread", "pickled")
    @pytest.mark.parametrize("content", [b"hello world" * 200, b"", pickle.dumps(print), b"PK\x03\x04" + bytes(99)])
    def test_damage_and_code(self, llama: Path, content: bytes) -> None:
        (llama / "pytorch_model.bin").write_bytes(content)
        with pytest.raises(ModelError, match=r"^[^\n]*pytorch_model\.bin: not readable as weights[^\n]*$"):
            load_model(llama, ENTRY, FULL, None, "cpu")

    @pytest.mark.usefixtures("unread")
    def test_no_tensors_by_name(self, llama: Path, pickled: dict[str, torch.Tensor]) -> None:
        torch.save({"model": pickled, "step": 3}, llama / "pytorch_model.bin")
        with pytest.raises(
            ModelError, match=r"pytorch_model\.bin: holds 'model', 'step', and tensors by name are expected"
        ):
            load_model(llama, ENTRY, FULL, None, "cpu")

    @pytest.mark.usefixtures("unread", "pickled")
    def test_an_index_of_what_is_not_there(self, llama: Path) -> None:
        (llama / "pytorch_model.bin.index.json").write_text('{"weight_map": {"a": "pytorch_model-00001-of-00002.bin"}}')
        with pytest.raises(
            ModelError, match=r"index\.json: weight_map names pytorch_model-00001-of-00002\.bin, which is"
        ):
            load_model(llama, ENTRY, FULL, None, "cpu")


class TestReadAsTransformersReadsIt:
    """What ran to its end before, with other weights or another architecture than the files seem to hold."""

    def test_a_head_of_its_own_where_it_should_be_the_embedding(self, tmp_path: Path) -> None:
        folder = save_checkpoint(tmp_path / "model", tie_word_embeddings=True)
        rewrite(folder, lambda held: {**held, "lm_head.weight": held["model.embed_tokens.weight"].clone()})
        load_model(folder, ENTRY, FULL, None, "cpu")
        rewrite(folder, lambda held: {**held, "lm_head.weight": held["lm_head.weight"] + 1})
        with pytest.raises(
            ModelError, match=r"^[^\n]*config\.json: tie_word_embeddings is true, and the files hold an out"
        ):
            load_model(folder, ENTRY, FULL, None, "cpu")

    @pytest.mark.usefixtures("unread")
    @pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.uint8])
    def test_a_vector_of_integers(self, llama: Path, dtype: torch.dtype) -> None:
        rewrite(llama, lambda held: {**held, "model.norm.weight": held["model.norm.weight"].to(dtype)})
        with pytest.raises(ModelError, match=r"model\.safetensors: 'model\.norm\.weight' is stored as "):
            load_model(llama, ENTRY, FULL, None, "cpu")

    @pytest.mark.usefixtures("unread")
    def test_a_prefix_of_a_model_whose_head_is_tied(self, tmp_path: Path) -> None:
        folder = save_checkpoint(tmp_path / "model", tie_word_embeddings=True)
        rewrite(folder, lambda held: {f"module.{name}": held[name] for name in held})
        with pytest.raises(ModelError, match=r"the names in the files begin with 'module\.'"):
            load_model(folder, ENTRY, FULL, None, "cpu")

    @pytest.mark.usefixtures("unread")
    @pytest.mark.parametrize(
        ("facts", "message"),
        [
            ({"is_encoder_decoder": True}, "is_encoder_decoder is true"),
            ({"architectures": [1]}, r"architectures has the value \[1\]; a list of names is expected"),
            ({"architectures": "LlamaForCausalLM"}, "architectures has the value 'LlamaForCausalLM'"),
            ({"architectures": ["MistralForCausalLM"]}, "and model_type 'llama', whose class is LlamaForCausalLM"),
            ({"text_config": {"hidden_size": 64}}, "transformers cannot build this architecture"),
            ({"hidden_size": None}, "its weights are not those of"),
            ({"rms_norm_eps": "1e-6"}, "transformers cannot read it: Validation error for field 'rms_norm_eps'"),
        ],
    )
    def test_facts_that_no_model_has(self, llama: Path, facts: dict[str, object], message: str) -> None:
        edit_config(llama, **facts)
        with pytest.raises(ModelError, match=rf"^[^\n]*{message}[^\n]*$"):
            load_model(llama, ENTRY, FULL, None, "cpu")


def test_counts_of_another_model_are_refused(llama: Path) -> None:
    counts = count(model_class(text_config(llama)))
    load_model(llama, ENTRY.model_copy(update={"counts": counts}), FULL, None, "cpu")
    other = ENTRY.model_copy(update={"counts": counts.model_copy(update={"linear": 7_000_000_000})})
    with pytest.raises(
        ModelError, match=r"have 73728 weights, and counts\.linear of its entry says 7000000000: memory and time"
    ):
        load_model(llama, other, FULL, None, "cpu")
