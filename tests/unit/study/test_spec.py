"""A cell's settings, resolved once: its identity is what finished cells were recorded under."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantbench.bundle import open_bundle
from quantbench.config import load
from quantbench.config.run import recorded_settings
from quantbench.config.settings import read_yaml
from quantbench.contracts.cell_name import Cell
from quantbench.contracts.manifest import Manifest
from quantbench.study.spec import cell_spec, cell_specs, identity_hash

# Only a tokenizer could make these again.
DERIVED = {"prompts", "plan", "weights"}


def test_no_cell_of_the_shipped_bundle_would_run_again(repository: Path, tmp_path: Path) -> None:
    folder = open_bundle(repository / "resources/demo/demo.tar.zst", tmp_path, repository).parent
    manifests = [Manifest.read(path) for path in folder.glob("cells/*/*/*/*/manifest.json")]
    assert len(manifests) > 100
    settings = {**recorded_settings(manifests[0].configuration or {}), "data": {"folder": None}}
    specs = cell_specs(load(repository, settings, "test"), [manifest.cell for manifest in manifests])
    for manifest in manifests:
        recorded = {name: value for name, value in manifest.identity.items() if name not in DERIVED}
        assert specs[manifest.cell].identity == recorded, manifest.cell.label
        assert identity_hash(specs[manifest.cell].identity) == identity_hash(recorded)


def test_limits_sampling_and_noise_floors_come_from_the_configuration(repository: Path) -> None:
    settings = read_yaml(repository / "config/config.yaml")
    settings["inference"] = {"max_new_tokens": 20, "self_consistency": {"chains": 3}, "engine": "static"}
    catalogue = load(repository, settings, "test")
    plain = cell_spec(catalogue, Cell("phi-4", "full", "medqa", "instruction", 0))
    stated = catalogue.datasets["medqa"].max_new_tokens["instruction"]
    assert (plain.max_new_tokens, plain.chains, plain.sampling) == (min(stated, 20), 1, None)
    chains = cell_spec(catalogue, Cell("phi-4", "full-replanned", "hoc", "self_consistency", 0))
    assert (chains.max_new_tokens, chains.chains, chains.is_noise_floor) == (20, 3, True)
    assert "full-replanned" not in chains.alternatives
    assert chains.template.name == "cot.txt"


@pytest.mark.parametrize(("engine", "size"), [("single", 1), ("static", 64), ("continuous", 64)])
def test_the_engine_single_has_batches_of_one(repository: Path, engine: str, size: int) -> None:
    settings = read_yaml(repository / "config/config.yaml") | {"inference": {"engine": engine}}
    spec = cell_spec(load(repository, settings, "test"), Cell("phi-4", "full", "hoc", "instruction", 0))
    assert spec.max_batch_size == size
