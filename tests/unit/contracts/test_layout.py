"""results/README.md follows from the contracts."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import Field

from quantbench.config.reference import field_rows, plain
from quantbench.contracts import layout
from quantbench.contracts.contract import Contract, Part
from quantbench.contracts.records import Sample


class Reading(Part):
    """One reading."""

    seconds: float = Field(ge=0, description="since the start")


@dataclass(frozen=True)
class Sensor:
    """Where a reading comes from."""

    place: str


class Readings(Contract):
    """What ``sensors`` read.

    Written by :func:`quantbench.nobody`.

    Attributes:
        not shown: here.
    """

    path: ClassVar[str] = "cells/<cell>/readings.json"

    first: Reading | None = Field(default=None, description="the first, where there is one")
    by_sensor: dict[str, list[Reading]]
    last: Sensor


def test_the_page_is_in_step() -> None:
    assert layout.README.read_text() == layout.readme_text(), "run: make schemas"


def test_every_contract_and_record_states_its_file() -> None:
    described = layout.described()
    assert Sample in described.values()
    modules = {module for name, module in sys.modules.items() if name.startswith("quantbench.contracts.")}
    kinds = {kind for module in modules for kind in vars(module).values() if isinstance(kind, type)}
    contracts = {kind for kind in kinds if issubclass(kind, Contract) and kind is not Contract}
    assert contracts - set(described.values()) == set()
    assert [path for path, kind in described.items() if not plain(kind)] == []


def test_a_contract_is_described_part_by_part() -> None:
    assert [(row.key, row.value, row.meaning) for row in field_rows(Readings)] == [
        ("first", "object or `null`", "the first, where there is one"),
        ("first.seconds", "number ≥ 0", "since the start"),
        ("by_sensor", "mapping of names to lists of objects", "One reading"),
        ("by_sensor.*[].seconds", "number ≥ 0", "since the start"),
        ("last", "object", "Where a reading comes from"),
        ("last.place", "text", ""),
    ]
    assert plain(Readings) == "What `sensors` read. Written by `quantbench.nobody`."


def test_a_contract_in_a_new_module_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import quantbench.contracts

    (tmp_path / "planted.py").write_text(
        "from typing import ClassVar\n"
        "from quantbench.contracts.contract import Contract\n"
        "class Planted(Contract):\n"
        "    'Planted.'\n"
        "    path: ClassVar[str] = 'planted.json'\n"
    )
    monkeypatch.setattr(quantbench.contracts, "__path__", [*quantbench.contracts.__path__, str(tmp_path)])
    assert layout.described()["planted.json"].__doc__ == "Planted."
