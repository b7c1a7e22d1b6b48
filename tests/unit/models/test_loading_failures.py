"""Whatever a library raises while a model is loaded is one line of ours, with the file and the next step."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tiny_checkpoints import ENTRY, edit_config, save_checkpoint

from quantbench.config import PrecisionEntry
from quantbench.errors import ConfigError, DataError, ModelError
from quantbench.models.loading import load_model
from quantbench.models.published_config import text_config
from quantbench.reading.library_errors import in_one_line, said

FULL = PrecisionEntry(title="full", method="none")


class PanicException(BaseException):
    """As the Rust of tokenizers and safetensors panics."""


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("first\nsecond"), "first"),
        (KeyError("evil"), "KeyError 'evil'"),
        (PanicException("no entry found for key"), "no entry found for key"),
        (FileNotFoundError(2, "No such file or directory", "/a"), "/a: no such file or directory"),
        (ValueError("x" * 1000), "x" * 300 + "..."),
    ],
)
def test_a_librarys_error_is_told_in_one_line(error: BaseException, told: str) -> None:
    with pytest.raises(ModelError) as refused, in_one_line("file", "not readable", "retrieve it again"):
        raise error
    assert str(refused.value) == f"file: not readable: {told}; retrieve it again"


def test_an_error_without_a_word_says_where_it_comes_from() -> None:
    def library() -> None:
        raise AssertionError

    try:
        library()
    except AssertionError as error:
        assert said(error) == "AssertionError in test_loading_failures.library"


def test_errors_of_ours_and_interruptions_pass() -> None:
    for error in (DataError("ours"), ConfigError("ours"), KeyboardInterrupt(), SystemExit(3)):
        with pytest.raises(type(error)) as passed, in_one_line("file", "not readable", "retrieve it again"):
            raise error
        assert passed.value is error


def test_nothing_raised_is_nothing_said() -> None:
    with in_one_line("file", "not readable", "retrieve it again"):
        pass


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save_checkpoint(tmp_path / "model")


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"rope_scaling": {"type": "evil"}}, "KeyError 'evil'"),
        ({"_attn_implementation": "kernels-community/x"}, "cannot build this architecture"),
        ({"quantization_config": {"quant_method": "gptq", "bits": 4}}, "are quantized already"),
        ({"quantization_config": {"load_in_4bit": True}}, "are quantized already"),
        ({"transformers_weights": "../other.safetensors"}, "a file that transformers would load in place of"),
        ({"num_labels": 10**9}, "num_labels has the value 1000000000, and no model has more than 1,000,000"),
        ({"text_config": {"num_hidden_layers": 1e9}}, "text_config.num_hidden_layers has the value 1000000000.0"),
        ({"dtype": "evil"}, "cannot read it|cannot build"),
        ({"hidden_act": "evil"}, "cannot build this architecture"),
    ],
)
def test_a_configuration_that_a_library_fails_at_is_refused_in_a_line(
    folder: Path, facts: dict[str, object], message: str
) -> None:
    edit_config(folder, **facts)
    with pytest.raises(ModelError, match=rf"^{folder}[^\n]*({message})[^\n]*$"):
        load_model(folder, ENTRY, FULL, None, "cpu")


def test_whatever_fails_inside_loading_is_told(folder: Path, monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError

    for step in ("wrong_layers", "rehearse", "_published_model", "quantization_config"):
        with monkeypatch.context() as patched:
            patched.setattr(f"quantbench.models.loading.{step}", fail)
            precision = PrecisionEntry(title="int8", method="bitsandbytes", settings={"load_in_8bit": True})
            with pytest.raises(ModelError, match="not loadable at precision 'int8': AssertionError in "):
                load_model(folder, ENTRY, precision, None, "cpu")


def test_a_damaged_configuration_is_named_with_its_line(folder: Path) -> None:
    (folder / "config.json").write_text('{\n"model_type": "llama",\n}')
    with pytest.raises(DataError, match=r"config\.json, line 3"):
        text_config(folder)
