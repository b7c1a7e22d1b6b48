"""A model folder is checked before anything loads: what is missing or differs is named."""

import json
from pathlib import Path

import pytest
from tests.safetensors_files import Tensor, write_tensors

from quantbench.config import Architecture, ModelEntry
from quantbench.contracts.checksums import file_hashes
from quantbench.errors import DataError, ModelError
from quantbench.store.folder_checks import check_folder
from quantbench.store.places import model_folder

FACTS = {
    "layers": 2,
    "hidden_size": 64,
    "attention_heads": 2,
    "key_value_heads": 2,
    "intermediate_size": 128,
    "vocab_size": 300,
}
ENTRY = ModelEntry(
    title="m",
    family="llama",
    domain="general",
    hub_id="a/m",
    chat_template="none",
    full_dtype="float16",
    licence="MIT",
    architecture=Architecture(**FACTS, context_length=512, tied_head=False),
)
CONFIG = {"num_hidden_layers": 2, "hidden_size": 64, "num_attention_heads": 2, "vocab_size": 300}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    write_tensors(tmp_path / "model.safetensors", {"weight": Tensor((2, 2))})
    (tmp_path / "tokenizer.json").write_text("{}")
    return tmp_path


def test_a_complete_folder_passes(folder: Path) -> None:
    check_folder(folder, "m", ENTRY)
    assert set(file_hashes(folder)) == {"config.json", "model.safetensors", "tokenizer.json"}


@pytest.mark.parametrize(
    ("name", "what"),
    [("config.json", "no configuration"), ("model.safetensors", "no weights"), ("tokenizer.json", "no tokenizer")],
)
def test_what_is_missing_or_empty_is_named(folder: Path, name: str, what: str) -> None:
    (folder / name).write_bytes(b"")
    with pytest.raises(ModelError, match=what):
        check_folder(folder, "m", ENTRY)
    (folder / name).unlink()
    with pytest.raises(ModelError, match=rf"{folder}.*'m'.*{what}"):
        check_folder(folder, "m", ENTRY)


def test_another_architecture_is_an_error(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps(CONFIG | {"num_hidden_layers": 3}))
    with pytest.raises(ModelError, match=r"num_hidden_layers is 3, config/models/m\.yaml says layers: 2"):
        check_folder(folder, "m", ENTRY)
    (folder / "config.json").write_text(json.dumps(CONFIG | {"num_key_value_heads": 1}))
    with pytest.raises(ModelError, match="num_key_value_heads is 1"):
        check_folder(folder, "m", ENTRY)


def test_all_that_differs_is_said_at_once(folder: Path) -> None:
    facts = {"num_hidden_layers": 3, "head_dim": 16, "tie_word_embeddings": True, "max_position_embeddings": 512}
    (folder / "config.json").write_text(json.dumps(CONFIG | facts))
    with pytest.raises(ModelError) as caught:
        check_folder(folder, "m", ENTRY)
    said = str(caught.value)
    for part in ("num_hidden_layers is 3,", "head_dim is 16,", "tie_word_embeddings is True,"):
        assert part in said
    assert "max_position_embeddings" not in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("config", "told", "message"),
    [
        (
            {"num_local_experts": 8},
            {"num_local_experts": 4},
            r"num_local_experts is 8, .*config_json\.num_local_experts: 4",
        ),
        ({"rope": {"factor": 2, "of": 1}}, {"rope": {"factor": 4}}, r"factor is 2, .*config_json\.rope\.factor: 4"),
        (
            {"text_config": {"sliding_window": 32}},
            {"text_config": {"sliding_window": 16}},
            r"sliding_window is 32, .*config_json\.text_config\.sliding_window: 16",
        ),
        ({"text_config": {"num_hidden_layers": 3}}, {}, "num_hidden_layers is 3"),
    ],
)
def test_what_an_entry_repeats_of_the_configuration_is_held_against_it(
    folder: Path, config: dict, told: dict, message: str
) -> None:
    entry = ENTRY.model_copy(update={"config_json": told})
    (folder / "config.json").write_text(json.dumps(CONFIG | config))
    with pytest.raises(ModelError, match=message):
        check_folder(folder, "m", entry)


def test_other_families_names_of_the_same_facts_are_known(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({"n_layer": 2, "n_embd": 128, "n_head": 2, "n_inner": None}))
    with pytest.raises(ModelError, match="hidden_size is 128"):
        check_folder(folder, "m", ENTRY)


def test_a_folder_may_stand_in_ones_home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder.parent))
    entry = ENTRY.model_copy(update={"hub_id": None, "folder": f"~/{folder.name}"})
    assert model_folder(Path("/nowhere"), "models", "m", entry) == folder


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such folder for model 'm'"):
        check_folder(tmp_path / "none", "m", ENTRY)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json"])
def test_a_pointer_in_place_of_a_small_file_is_told_as_such(folder: Path, name: str) -> None:
    (folder / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    with pytest.raises(ModelError, match=rf"{name}: a pointer of Git LFS, and not the file it stands for"):
        check_folder(folder, "m", ENTRY)


def test_a_number_in_quotes_is_no_number(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps(CONFIG | {"num_hidden_layers": "2"}))
    with pytest.raises(DataError, match=r"key 'num_hidden_layers' has the value '2'.*; retrieve the model again"):
        check_folder(folder, "m", ENTRY)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"hidden_size": ' + "9" * 5000 + "}", "{", "[]"])
def test_a_configuration_that_nobody_can_read_is_one_line(folder: Path, text: str) -> None:
    (folder / "config.json").write_text(text)
    with pytest.raises(DataError, match=r"^[^\n]*config\.json: [^\n]*; retrieve the model again, or correct the file$"):
        check_folder(folder, "m", ENTRY)
