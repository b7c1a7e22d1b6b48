"""What headers of safetensors say is held against the files: cut short, missing, not what they are called."""

from __future__ import annotations

import json
import re
from math import prod
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.safetensors_files import Tensor, write_tensors

from quantbench.errors import DataError, ModelError
from quantbench.store.tensor_headers import INDEX, WHOLE, StoredTensor, bits_of, stored_tensors

TENSORS = {"a": Tensor((2, 3)), "b": Tensor((4,), "F32")}
FIRST, SECOND = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"


def sharded(folder: Path, weight_map: dict[str, str]) -> None:
    write_tensors(folder / FIRST, {"a": TENSORS["a"]})
    write_tensors(folder / SECOND, {"b": TENSORS["b"]})
    (folder / INDEX).write_text(json.dumps({"metadata": {"total_size": 28}, "weight_map": weight_map}))


def test_names_shapes_and_formats_are_read_without_the_weights(tmp_path: Path) -> None:
    path = tmp_path / WHOLE
    write_tensors(path, TENSORS)
    assert stored_tensors(tmp_path) == {
        "a": StoredTensor(path, (2, 3), "BF16"),
        "b": StoredTensor(path, (4,), "F32"),
    }


def test_an_index_leads_to_its_files(tmp_path: Path) -> None:
    sharded(tmp_path, {"a": FIRST, "b": SECOND})
    assert {name: tensor.path.name for name, tensor in stored_tensors(tmp_path).items()} == {"a": FIRST, "b": SECOND}


def test_pickled_weights_have_no_headers(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"PK")
    assert stored_tensors(tmp_path) == {}


@pytest.mark.parametrize("left", [1, 24, 100, 159])
def test_a_file_that_was_cut_short_is_named_with_both_sizes(tmp_path: Path, left: int) -> None:
    path = tmp_path / WHOLE
    write_tensors(path, TENSORS)
    whole = path.read_bytes()
    path.write_bytes(whole[:-left])
    what, stated = ("tensors", len(whole)) if left <= 28 else ("header", len(whole) - 28)
    message = (
        f"{path}: cut short: with its {what} it is said to take {stated} bytes, and has {len(whole) - left}; retrieve or copy "
        "the file again"
    )
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        stored_tensors(tmp_path)


def test_a_pointer_in_place_of_a_file_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / WHOLE).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 135\n")
    with pytest.raises(ModelError, match=r"model\.safetensors: a pointer of Git LFS.*run 'git lfs pull'"):
        stored_tensors(tmp_path)


@pytest.mark.parametrize("content", [b"GGUF\x03\0\0\0" * 9, (4).to_bytes(8, "little") + b"null"])
def test_another_format_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / WHOLE).write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.safetensors: its header is not that of a safetensors file; retrieve"):
        stored_tensors(tmp_path)


def test_a_malformed_tensor_is_named(tmp_path: Path) -> None:
    header = json.dumps({"a": {"dtype": "BF16", "shape": [2, -3], "data_offsets": [0, 12]}}).encode()
    (tmp_path / WHOLE).write_bytes(len(header).to_bytes(8, "little") + header + bytes(12))
    with pytest.raises(ModelError, match=r"model\.safetensors, tensor 'a': key 'shape\.1' has the value -3.*again"):
        stored_tensors(tmp_path)


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    sharded(tmp_path, {"a": FIRST, "b": SECOND})
    (tmp_path / SECOND).unlink()
    message = f"{tmp_path / INDEX}: weight_map names '{SECOND}' for 1 tensors, and there is no such file; retrieve or copy it again"
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        stored_tensors(tmp_path)


def test_an_index_of_other_files_is_refused(tmp_path: Path) -> None:
    sharded(tmp_path, {"a": FIRST, "b": SECOND, "c": FIRST})
    with pytest.raises(ModelError, match=rf"weight_map has 'c' in '{FIRST}', which does not hold it; retrieve index"):
        stored_tensors(tmp_path)


def test_a_malformed_index_is_refused(tmp_path: Path) -> None:
    (tmp_path / INDEX).write_text(json.dumps({"weight_map": [FIRST]}))
    with pytest.raises(DataError, match=r"index\.json: key 'weight_map'.*retrieve the model again"):
        stored_tensors(tmp_path)


def test_safetensors_under_other_names_are_no_model(tmp_path: Path) -> None:
    write_tensors(tmp_path / "consolidated.safetensors", TENSORS)
    with pytest.raises(
        ModelError, match=r"neither model\.safetensors nor model\.safetensors\.index\.json.*consolidated\.safetensors"
    ):
        stored_tensors(tmp_path)


def test_a_file_longer_than_its_header_states_is_named(tmp_path: Path) -> None:
    write_tensors(tmp_path / WHOLE, TENSORS)
    with (tmp_path / WHOLE).open("ab") as handle:
        handle.write(bytes(64))
    with pytest.raises(ModelError, match=r"^[^\n]*model\.safetensors: 64 bytes longer than its header states[^\n]*$"):
        stored_tensors(tmp_path)


@pytest.mark.parametrize("kind", ["folder", "link"])
def test_what_is_no_file_is_named(tmp_path: Path, kind: str) -> None:
    path = tmp_path / WHOLE
    if kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / "gone")
    with pytest.raises(ModelError, match=r"^[^\n]*model\.safetensors: no file of weights, but a folder or a link"):
        stored_tensors(tmp_path)


def test_an_index_of_nothing_is_refused(tmp_path: Path) -> None:
    sharded(tmp_path, {})
    with pytest.raises(ModelError, match=r"^[^\n]*index\.json: weight_map names no tensor; retrieve the file again$"):
        stored_tensors(tmp_path)


@pytest.mark.parametrize(
    "named",
    [
        *(
            "../other/model.safetensors",
            "/etc/passwd",
            "/dev/zero",
            f"sub/{FIRST}",
            f"./{FIRST}",
            f"..\\{FIRST}",
            "",
            "..",
        ),
        *(
            "a\0.safetensors",
            "~/x.safetensors",
            "https://example.org/x.safetensors",
            "config.json",
            "a" * 5000 + ".safetensors",
        ),
    ],
)
def test_an_index_leads_to_no_other_folder(tmp_path: Path, named: str) -> None:
    sharded(tmp_path, {"a": FIRST, "b": named})
    with pytest.raises(
        DataError, match=r"index\.json: key 'weight_map' .* no name of a file of weights beside the index"
    ):
        stored_tensors(tmp_path)


def header_of(path: Path) -> tuple[dict[str, Any], bytes]:
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def write_header(path: Path, header: dict[str, Any], body: bytes) -> None:
    written = json.dumps(header).encode()
    path.write_bytes(len(written).to_bytes(8, "little") + written + body)


@pytest.mark.parametrize(
    "change",
    [
        {"data_offsets": [0, 28]},
        {"data_offsets": [28, 12]},
        {"data_offsets": [-4, 28]},
        {"data_offsets": [16, 28]},
        {"shape": [5]},
        {"shape": [10**18, 10**18]},
        {"dtype": "F64"},
    ],
)
def test_tensors_stand_one_after_another_in_bytes_of_their_shape(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / WHOLE
    write_tensors(path, TENSORS)
    header, body = header_of(path)
    write_header(path, header | {"b": header["b"] | change}, body)
    with pytest.raises(ModelError, match=r"model\.safetensors: (its header has|\d+ bytes longer|cut short)"):
        stored_tensors(tmp_path)


@settings(max_examples=150, deadline=None)
@given(place=st.integers(0, 10**4), byte=st.integers(0, 255))
def test_any_changed_byte_of_a_header_is_read_or_refused(tmp_path_factory, place: int, byte: int) -> None:
    path = tmp_path_factory.mktemp("changed") / WHOLE
    write_tensors(path, TENSORS)
    content = bytearray(path.read_bytes())
    content[place % (len(content) - 28)] = byte
    path.write_bytes(bytes(content))
    try:
        found = stored_tensors(path.parent)
    except (ModelError, DataError) as error:
        assert str(path) in str(error)
    else:
        assert sum(bits_of(one.dtype) * prod(one.shape) for one in found.values()) in (28 * 8, 0) or any(
            bits_of(one.dtype) == 0 for one in found.values()
        )
