"""What a cell leaves: the shipped bundle's files read through their contracts, and written again the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from quantbench.bundle import open_bundle
from quantbench.contracts.contract import Contract
from quantbench.contracts.files import json_text
from quantbench.contracts.manifest import Manifest
from quantbench.contracts.measurements import Measurements
from quantbench.contracts.prepared_dataset import PreparedDataset
from quantbench.errors import DataError

ROOT = Path(__file__).resolve().parents[3]
CELL = "tiny-xs/w4a16/medqa/instruction-0shot"


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's bundle, made by an earlier version, unpacked."""
    return open_bundle(ROOT / "resources/demo/demo.tar.zst", tmp_path_factory.mktemp("opened"), ROOT).parent


@pytest.mark.parametrize("kind", [Measurements, Manifest, PreparedDataset])
def test_every_file_of_the_shipped_bundle_reads_and_writes_the_same(opened: Path, kind: type[Contract]) -> None:
    pattern = kind.path.replace("<cell>", "*/*/*/*").replace("<dataset>", "*")
    found = list(opened.glob(pattern))
    assert len(found) > 5
    for path in found:
        assert json_text(kind.read(path).as_json()) == path.read_text(encoding="utf-8"), path


@pytest.mark.parametrize("kind", [Measurements, Manifest])
def test_an_unknown_field_is_refused_by_name(opened: Path, kind: type[Contract]) -> None:
    value = json.loads((opened / kind.path.replace("<cell>", CELL)).read_text(encoding="utf-8"))
    with pytest.raises(DataError, match=r"cell\.json: unknown key 'joules'"):
        kind.checked(value | {"joules": 1}, "cell.json")
    with pytest.raises(DataError, match=r"cell\.json: .*cell"):
        kind.checked(value | {"cell": value["cell"] | {"colour": "red"}}, "cell.json")


def test_files_of_before_energy_and_stand_ins_still_read(opened: Path) -> None:
    value = json.loads((opened / Measurements.path.replace("<cell>", CELL)).read_text(encoding="utf-8"))
    del value["energy"], value["weights"], value["latency"]["contended_by"]
    measured = Measurements.checked(value, "measurements.json")
    assert (measured.weights, measured.energy.energy_j) == ("published", None)
    assert measured.energy.reason.startswith("unavailable")


def test_any_configuration_is_kept_as_recorded(opened: Path) -> None:
    value = json.loads((opened / Manifest.path.replace("<cell>", CELL)).read_text(encoding="utf-8"))
    value["configuration"]["a_key_of_the_future"] = {"deep": [1]}
    manifest = Manifest.checked(value, "manifest.json")
    assert manifest.configuration is not None
    assert manifest.configuration["a_key_of_the_future"] == {"deep": [1]}
