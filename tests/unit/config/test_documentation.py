"""config/README.md explains every key there is, in the words of the typed settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantbench.config import DatasetEntry, LockedModel, ModelEntry, PrecisionEntry, RunConfig, StudyEntry
from quantbench.config.reference import README, FieldRow, field_rows, readme_text, table, with_sections
from quantbench.errors import ConfigError

KINDS = (RunConfig, ModelEntry, PrecisionEntry, DatasetEntry, StudyEntry, LockedModel)


def test_the_tables_are_in_step() -> None:
    assert README.read_text() == readme_text(), "run: make schemas"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_key_is_explained(kind: type) -> None:
    assert [row.key for row in field_rows(kind) if not row.meaning] == []


def test_the_default_file_states_every_key(repository: Path) -> None:
    text = (repository / "config/config.yaml").read_text()
    assert [row.key for row in field_rows(RunConfig) if f"{row.key.split('.')[-1]}:" not in text] == []


def test_what_a_key_may_hold_is_said_in_words() -> None:
    values = {row.key: row.value for kind in KINDS for row in field_rows(kind)}
    assert values["keep"] == "`full`, `quantized` or `both`"
    assert values["hardware.gpu_memory_gib"] == "number > 0 or `auto`"
    assert values["comparison.margin"] == "number > 0 and < 1 or `null`"
    assert values["files.*[].rows"] == "whole number > 0 or `null`"
    assert values["max_new_tokens"] == "mapping of names to whole numbers > 0; required"


def test_a_page_named_in_a_meaning_becomes_a_link() -> None:
    text = table([FieldRow("a", "`x` | text", "as docs/memory.md#terms says (docs/hours.md)")], README)
    assert text.splitlines()[2] == (
        "| `a` | `x` \\| text | as [docs/memory.md](../docs/memory.md#terms) says ([docs/hours.md](../docs/hours.md)) |"
    )


def test_prose_around_a_section_stays_and_a_missing_place_is_named(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("Before.\n\n<!-- keys: made by make schemas -->\nold\n<!-- end of keys -->\n\nAfter.\n")
    assert with_sections(page, {"keys": "new"}) == (
        "Before.\n\n<!-- keys: made by make schemas -->\n\nnew\n\n<!-- end of keys -->\n\nAfter.\n"
    )
    with pytest.raises(ConfigError, match=r"page\.md: no place for the section 'rules'"):
        with_sections(page, {"rules": "new"})
