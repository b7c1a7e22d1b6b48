"""A model folder is checked before anything loads: what is missing or differs is named."""

import json
from pathlib import Path

import pytest
from tests.safetensors_files import Tensor, write_tensors

from quantbench.config import Architecture, ModelEntry
from quantbench.contracts.checksums import file_hashes
from quantbench.errors import ModelError
from quantbench.store.folder_checks import check_folder

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


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such folder for model 'm'"):
        check_folder(tmp_path / "none", "m", ENTRY)
