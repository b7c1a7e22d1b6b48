"""Indexes of bundles as they come from elsewhere: each field is typed, and held against the others."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.hostile_bundles import sound

from quantbench.bundle.index import index_text, parse_index
from quantbench.errors import DataError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def index(repository: Path) -> dict[str, Any]:
    return sound(repository).index


def refusal(value: object) -> str:
    with pytest.raises(DataError) as error:
        parse_index(json.dumps(value).encode(), "x.tar.zst")
    return str(error.value)


def test_an_index_is_written_as_it_is_read(index: dict[str, Any]) -> None:
    text = index_text(parse_index(json.dumps(index).encode(), "x"))
    assert index_text(parse_index(text.encode(), "x")) == text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": True}, "bundle format True"),
        ({"format": 1.0}, "bundle format 1.0"),
        ({"format": "1"}, "bundle format '1'"),
        ({"quantbench": "0.2; rm"}, "key 'quantbench' has the value"),
        ({"figures": {"a.png": "b"}}, "key 'figures.a.png' has the value 'b'"),
        ({"figures": {"/dev/zero": "0" * 64}}, "names the figure '/dev/zero', which no run draws"),
        ({"without_texts": ["hoc"]}, "key 'without_texts' names 'hoc', of which there is no cell"),
        ({"without_outputs": ["medqa"]}, "key 'without_outputs' names 'medqa', of which there is no cell or text"),
        ({"cells": ["../../x/instruction-0shot"]}, "which is no cell's folder"),
        ({"cells": ["a/b/medqa/instruction-00shot"]}, "which is no cell's folder"),
        ({"cells": ["a/b/medqa/guess-0shot"]}, "which is no cell's folder"),
        ({"cells": ["a/b/medqa/instruction-0shot"]}, "is not complete"),
    ],
)
def test_fields_of_the_wrong_kind_are_named(index: dict[str, Any], change: dict[str, Any], message: str) -> None:
    assert message in refusal(index | change)


def test_cells_stand_once_and_own_their_files(index: dict[str, Any]) -> None:
    assert "lists a cell more than once" in refusal(index | {"cells": index["cells"] * 2})
    (first, *_) = index["cells"]
    fewer = refusal(index | {"cells": [first]})
    assert "is of no cell that bundle.json lists" in fewer


def test_of_many_wrong_fields_the_first_are_told(index: dict[str, Any]) -> None:
    told = refusal(index | {"cells": list(range(500))})
    assert "'cells.9' has the value 9" in told and "cells.10'" not in told and "and 490 more" in told


@pytest.mark.parametrize("size", [True, "5", 5.0, -1, None, [], float("inf")])
def test_sizes_are_whole_numbers(index: dict[str, Any], size: object) -> None:
    changed = deepcopy(index)
    changed["files"]["config/studies.yaml"]["bytes"] = size
    assert "x.tar.zst: bundle.json" in refusal(changed)


def test_entries_that_open_would_parse_are_small(index: dict[str, Any]) -> None:
    changed = deepcopy(index)
    changed["files"]["config/studies.yaml"]["bytes"] = 1 << 20
    assert "config/studies.yaml of 1,048,576 bytes" in refusal(changed)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_whatever_stands_in_a_field_ends_in_one_kind_of_error(data: st.DataObject) -> None:
    value = deepcopy(sound(Path(__file__).parents[3]).index)
    inside = data.draw(st.sampled_from([value, value["files"], value["configuration"], value["figures"]]))
    inside[data.draw(st.sampled_from([*inside, "x"]) if inside else st.just("x"))] = data.draw(JSON)
    try:
        parse_index(json.dumps(value).encode(), "x")
    except DataError as error:
        assert str(error).startswith("x: ")


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_no_index(content: bytes) -> None:
    with pytest.raises(DataError, match=r"^x: "):
        parse_index(content, "x")
