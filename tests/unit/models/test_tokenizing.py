"""Tokenizers as they are published, and as they should not be."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import tiny_tokenizers

from quantbench.errors import ModelError
from quantbench.models.tokenizing import load_tokenizer


def test_padding_takes_a_row_of_the_embeddings(tmp_path: Path) -> None:
    from tokenizers import AddedToken, Tokenizer

    folder = tiny_tokenizers.llama2(tmp_path)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    rows = tokenizer.get_vocab_size()
    tokenizer.add_special_tokens([AddedToken("[PAD]", special=True)])
    tokenizer.save(str(folder / "tokenizer.json"))
    tiny_tokenizers.change(folder, pad_token="[PAD]")
    assert load_tokenizer(folder).pad_token_id == rows
    assert load_tokenizer(folder, rows + 1).pad_token_id == rows
    moved = load_tokenizer(folder, rows)
    assert moved.pad_token_id == moved.eos_token_id == 2
    with pytest.raises(
        ModelError, match=r"end-of-text token is number 2, outside of the model's 2 embeddings, so no answer"
    ):
        load_tokenizer(folder, 2)


def test_padding_that_has_a_row_is_left_alone(tmp_path: Path) -> None:
    tokenizer = load_tokenizer(tiny_tokenizers.qwen(tmp_path), 10_000)
    assert tokenizer.pad_token_id == tokenizer.convert_tokens_to_ids("<|endoftext|>")


def test_a_base_models_padding_is_its_end_token(tmp_path: Path) -> None:
    tokenizer = load_tokenizer(tiny_tokenizers.llama3(tmp_path), 10_000)
    assert tokenizer.pad_token_id == tokenizer.eos_token_id


def test_no_end_token_is_refused(tmp_path: Path) -> None:
    folder = tiny_tokenizers.change(tiny_tokenizers.llama3(tmp_path), eos_token=None)
    with pytest.raises(ModelError, match="names no end-of-text token"):
        load_tokenizer(folder)


def test_a_sentencepiece_model_alone_is_a_tokenizer(tmp_path: Path) -> None:
    tokenizer = load_tokenizer(tiny_tokenizers.sentencepiece(tmp_path))
    ids = tokenizer("we need to add 9 µg")["input_ids"]
    assert ids[0] == tokenizer.bos_token_id
    assert tokenizer.decode(ids, skip_special_tokens=True) == "we need to add 9 µg"


def test_the_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tiny_tokenizers.sentencepiece(tmp_path)
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    with pytest.raises(ModelError) as refused:
        load_tokenizer(folder)
    assert str(refused.value) == (
        f"{folder}: its tokenizer is a tokenizer.model, which needs the packages sentencepiece and protobuf; pip install -r "
        "requirements/inference.txt"
    )


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", json.dumps({"model": {"type": "BPE"}}), "version https://git-lfs.github.com/spec/v1"],
)
def test_broken_files_are_refused_in_one_line(tmp_path: Path, content: str) -> None:
    folder = tiny_tokenizers.llama3(tmp_path)
    (folder / "tokenizer.json").write_text(content)
    with pytest.raises(ModelError) as refused:
        load_tokenizer(folder)
    whole = folder / "tokenizer.json"
    assert str(refused.value).startswith(
        (f"{whole}: ", f"{whole}, line 1", f"{folder}: its tokenizer cannot be loaded: ")
    )
    assert str(refused.value).endswith("; put the tokenizer.json there that its makers publish")
    assert "\n" not in str(refused.value)


def test_the_next_step_names_the_broken_file(tmp_path: Path) -> None:
    folder = tiny_tokenizers.llama3(tmp_path)
    (folder / "tokenizer_config.json").write_text("{")
    with pytest.raises(
        ModelError, match=r"/tokenizer_config\.json.*; put the tokenizer_config\.json there that its makers"
    ):
        load_tokenizer(folder)


def test_settings_that_fail_at_the_first_text_are_refused(tmp_path: Path) -> None:
    folder = tiny_tokenizers.change(tiny_tokenizers.llama3(tmp_path), model_max_length="long")
    with pytest.raises(ModelError, match=r"^[^\n]* its tokenizer cannot be loaded: [^\n]*$"):
        load_tokenizer(folder)


def test_a_broken_sentencepiece_model_is_refused_in_one_line(tmp_path: Path) -> None:
    folder = tiny_tokenizers.sentencepiece(tmp_path)
    (folder / "tokenizer.model").write_bytes(b"\x0a\x05nonsense")
    with pytest.raises(ModelError, match=r"^[^\n]* its tokenizer cannot be loaded: [^\n]*$"):
        load_tokenizer(folder)


def edited(folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """Change the parts of a ``tokenizer.json``."""
    parts = json.loads((folder / "tokenizer.json").read_text())
    change(parts)
    (folder / "tokenizer.json").write_text(json.dumps(parts))
    return folder


def test_a_panic_of_the_library_is_a_line_as_well(tmp_path: Path) -> None:
    broken = {"type": "Precompiled", "precompiled_charsmap": "AAAA"}
    folder = edited(tiny_tokenizers.llama3(tmp_path), lambda parts: parts.update(normalizer=broken))
    with pytest.raises(ModelError, match=r"^[^\n]* its tokenizer cannot be loaded: [^\n]*charsmap[^\n]*$"):
        load_tokenizer(folder)


def test_a_token_number_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    folder = edited(tiny_tokenizers.llama3(tmp_path), lambda parts: parts["model"]["vocab"].update(far=4_000_000_000))
    with pytest.raises(
        ModelError, match="token 'far' has the number 4000000000, and no vocabulary has 10000000 tokens"
    ):
        load_tokenizer(folder)


def test_a_token_that_reads_like_a_number_is_none(tmp_path: Path) -> None:
    def add(parts: dict[str, Any]) -> None:
        parts["model"]["vocab"]['": 12345678901'] = len(parts["model"]["vocab"])

    assert load_tokenizer(edited(tiny_tokenizers.llama3(tmp_path), add)).eos_token_id is not None


def test_tokens_that_stand_at_every_start_need_a_row(tmp_path: Path) -> None:
    ends = {"type": "BertProcessing", "sep": ["x", 99999], "cls": ["y", 99999]}
    folder = edited(tiny_tokenizers.llama3(tmp_path), lambda parts: parts.update(post_processor=ends))
    with pytest.raises(ModelError, match="writes 'x' with token 99999, outside of the model's 10000 embeddings"):
        load_tokenizer(folder, 10_000)


@settings(max_examples=40, deadline=None)
@given(
    place=st.integers(0, 10**6),
    byte=st.integers(0, 255),
    name=st.sampled_from(["tokenizer.json", "tokenizer_config.json"]),
)
def test_any_changed_byte_leaves_a_tokenizer_or_a_refusal(base: Path, place: int, byte: int, name: str) -> None:
    content = bytearray((base / name).read_bytes())
    before = bytes(content)
    content[place % len(content)] = byte
    (base / name).write_bytes(bytes(content))
    try:
        load_tokenizer(base, 10_000)
    except ModelError as error:
        assert "\n" not in str(error) or "names" in str(error)
    finally:
        (base / name).write_bytes(before)


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Path:
    return tiny_tokenizers.llama3(tmp_path_factory.mktemp("llama3"))
