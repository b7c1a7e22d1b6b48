"""Adapters, and folders that come quantized, are told from ordinary models before anything loads."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.tiny_checkpoints import ENTRY

from quantbench.errors import DataError, ModelError
from quantbench.store import published_precision
from quantbench.store.published_precision import check_published_precision, published_method, refuse_adapter

PUBLISHED = ENTRY.model_copy(update={"precision": "as_published"})
GPTQ = {"quant_method": "gptq", "bits": 4, "group_size": 128}
STATED = {
    "gptq": GPTQ,
    "awq": {"quant_method": "awq", "bits": 4},
    "compressed-tensors": {"quant_method": "compressed-tensors", "config_groups": {}},
    "bitsandbytes": {"load_in_4bit": True, "load_in_8bit": False},
    "fp8": {"quant_method": "fp8", "weight_block_size": [128, 128]},
    "mxfp4": {"quant_method": "mxfp4"},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_config(tmp_path)
    return tmp_path


def write_config(folder: Path, **facts: object) -> None:
    (folder / "config.json").write_text(json.dumps({"model_type": "llama"} | facts))


def test_ordinary_weights_of_an_ordinary_model_pass(folder: Path) -> None:
    check_published_precision(folder, "m", ENTRY)
    assert published_method(folder) == "none"


@pytest.mark.parametrize("method", STATED)
def test_quantized_weights_of_an_ordinary_model_are_refused(folder: Path, method: str) -> None:
    write_config(folder, quantization_config=STATED[method])
    message = (
        f"{folder / 'config.json'}: quantization_config has quant_method {method!r}: the weights of model 'm' are quantized "
        "already, so that full, w8a16 and w4a16 would be one and the same; name the model they were made from, or give "
        "config/models/m.yaml 'precision: as_published'"
    )
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        check_published_precision(folder, "m", ENTRY)
    assert published_method(folder) == method


def test_the_older_name_of_the_section_counts_too(folder: Path) -> None:
    write_config(folder, compression_config={"quant_method": "compressed-tensors"})
    with pytest.raises(ModelError, match="compression_config has quant_method 'compressed-tensors'"):
        check_published_precision(folder, "m", ENTRY)


@pytest.mark.parametrize("file", ["quantize_config.json", "quant_config.json", "hf_quant_config.json"])
def test_files_of_quantizers_count_too(folder: Path, file: str) -> None:
    (folder / file).write_text(json.dumps({"bits": 4}))
    with pytest.raises(ModelError, match=rf"{file}: \{{'bits': 4\}}: the weights of model 'm' are quantized already"):
        check_published_precision(folder, "m", ENTRY)


def test_a_published_quantized_model_needs_weights_that_say_so(folder: Path) -> None:
    with pytest.raises(
        ModelError,
        match=r"^config/models/m\.yaml: precision is as_published, and .*config\.json has no quantization_config",
    ):
        check_published_precision(folder, "m", PUBLISHED)
    write_config(folder, quantization_config={"quant_method": "bitsandbytes", "load_in_4bit": True})
    check_published_precision(folder, "m", PUBLISHED)


@pytest.mark.parametrize(
    ("method", "packages"),
    [("gptq", "optimum gptqmodel"), ("awq", "gptqmodel"), ("compressed-tensors", "compressed-tensors")],
)
def test_the_package_that_is_missing_is_named(folder: Path, monkeypatch, method: str, packages: str) -> None:
    write_config(folder, quantization_config=STATED[method])
    monkeypatch.setattr(published_precision, "find_spec", lambda _: None)
    with pytest.raises(
        ModelError, match=rf"quant_method '{method}', which is loaded with .*; pip install {packages} where cells run$"
    ):
        check_published_precision(folder, "m", PUBLISHED)
    monkeypatch.setattr(published_precision, "find_spec", lambda module: module)
    check_published_precision(folder, "m", PUBLISHED)


def test_a_package_inside_one_that_is_missing_is_missing(folder: Path) -> None:
    write_config(folder, quantization_config={"quant_method": "quanto"})
    with pytest.raises(ModelError, match="pip install optimum-quanto"):
        check_published_precision(folder, "m", PUBLISHED)


def test_a_malformed_section_is_named(folder: Path) -> None:
    write_config(folder, quantization_config="gptq")
    with pytest.raises(DataError, match=r"config\.json: key 'quantization_config' has the value 'gptq'"):
        check_published_precision(folder, "m", ENTRY)


def test_an_adapter_is_no_model(folder: Path) -> None:
    refuse_adapter(folder, "m")
    (folder / "adapter_model.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match=r"adapter_model\.safetensors: model 'm' is an adapter, which is not loaded"):
        refuse_adapter(folder, "m")
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "maker/base"}))
    message = (
        f"{folder / 'adapter_config.json'}: model 'm' is an adapter of 'maker/base', which is not loaded as a model; merge it "
        "into its base model (PEFT: merge_and_unload, then save_pretrained) and name that folder, or delete the adapter's files "
        "where the weights beside them are merged already"
    )
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        refuse_adapter(folder, "m")


def test_weights_quantized_by_the_section_of_the_text_model_are_refused(folder: Path) -> None:
    write_config(folder, text_config={"model_type": "llama", "quantization_config": GPTQ})
    with pytest.raises(ModelError, match=r"quantization_config has quant_method 'gptq': the weights of model 'm'"):
        check_published_precision(folder, "m", ENTRY)
    assert published_method(folder) == "gptq"


def test_packages_are_looked_for_only_where_weights_are_loaded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published_precision, "find_spec", lambda _: None)
    write_config(folder, quantization_config=GPTQ)
    check_published_precision(folder, "m", PUBLISHED, here=False)
    with pytest.raises(ModelError, match="not installed here"):
        check_published_precision(folder, "m", PUBLISHED)
