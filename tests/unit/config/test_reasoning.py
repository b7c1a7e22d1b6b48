"""What an entry may say of a model's thoughts, in the words of its errors and in the schema that editors read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from quantbench.config import FAMILIES, ModelEntry, Reasoning, read_entries
from quantbench.config.reference import field_rows
from quantbench.config.settings import parse, read_yaml
from quantbench.contracts.files import read_json
from quantbench.errors import ConfigError


@pytest.fixture(scope="module")
def stated(repository: Path) -> dict[str, Any]:
    return read_yaml(repository / "config/models/phi-4.yaml")


@pytest.mark.parametrize("name", list(FAMILIES))
def test_a_family_is_its_markers(stated: dict[str, Any], name: str) -> None:
    entry = parse(ModelEntry, stated | {"reasoning": name, "reasoning_tokens": 100}, "phi-4.yaml")
    assert entry.reasoning == FAMILIES[name]
    again = parse(ModelEntry, entry.model_dump(mode="json"), "phi-4.yaml")
    assert again == entry


def test_what_is_not_said_is_none(stated: dict[str, Any]) -> None:
    entry = parse(ModelEntry, stated, "phi-4.yaml")
    assert (entry.reasoning, entry.reasoning_tokens, entry.enable_thinking) == (None, 0, None)


def test_markers_of_ones_own(stated: dict[str, Any]) -> None:
    own = {"open": "<musing>", "close": "</musing>"}
    assert parse(ModelEntry, stated | {"reasoning": own}, "").reasoning == Reasoning(**own)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"reasoning": "hutuo"},
            "key 'reasoning' has the value 'hutuo': neither a known family .* did you mean 'huatuo'",
        ),
        ({"reasoning": ["think"]}, r"key 'reasoning' has the value \['think'\]: neither a known family"),
        ({"reasoning": {"open": "<t>"}}, "key 'reasoning.close' is missing"),
        (
            {"reasoning": {"open": "##", "close": "</t>"}},
            "key 'reasoning.open' has the value '##': a marker has 3 to 100 characters, letters among them",
        ),
        (
            {"reasoning": {"open": "<T>", "close": "<t>"}},
            "key 'reasoning' has .*: open and close are both '<T>'; name the two markers",
        ),
        ({"reasoning": {"open": "<t>", "close": "</t>", "shut": ""}}, "unknown key 'reasoning.shut'"),
        ({"reasoning_tokens": -1}, "key 'reasoning_tokens' has the value -1"),
        (
            {"reasoning_tokens": 9},
            r"reasoning_tokens is 9, and reasoning does not say .* \(think, .*\), or give open and close",
        ),
        (
            {"reasoning_tokens": 9, "reasoning": "think", "enable_thinking": False},
            "reasoning_tokens is 9, and enable_thinking: false asks for no thoughts; leave one of them out",
        ),
        (
            {"enable_thinking": True, "chat_template": "none"},
            "enable_thinking is true, .* or give chat_template: tokenizer",
        ),
    ],
)
def test_what_cannot_be_is_refused_and_says_what_to_do(
    stated: dict[str, Any], change: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=f"mine.yaml: {said}"):
        parse(ModelEntry, stated | change, "mine.yaml")


def test_the_schema_takes_a_name_or_markers(repository: Path, stated: dict[str, Any]) -> None:
    schema = read_json(repository / "workflow/schemas/model.schema.json")
    for path in (repository / "config/models").glob("*.yaml"):
        jsonschema.validate(read_yaml(path), schema)
    for reasoning in ("gpt-oss", {"open": "<t>", "close": "</t>"}, None):
        jsonschema.validate(stated | {"reasoning": reasoning}, schema)
    for reasoning in ("hutuo", {"open": "<t>"}, 3):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(stated | {"reasoning": reasoning}, schema)


def test_the_reference_names_the_families() -> None:
    values = {row.key: row.value for row in field_rows(ModelEntry)}
    names = ", ".join(f"`{name}`" for name in FAMILIES)
    assert values["reasoning"] == f"{names}, section or `null`"
    assert values["reasoning.open"] == "text; required"


def test_the_catalogue_names_its_reasoning_models(repository: Path) -> None:
    entries = read_entries(repository / "config/models", ModelEntry)
    assert {name for name, entry in entries.items() if entry.reasoning} == {"huatuogpt-o1-70b"}
    assert entries["huatuogpt-o1-70b"].reasoning == FAMILIES["huatuo"]
