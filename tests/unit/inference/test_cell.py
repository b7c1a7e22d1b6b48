"""One cell end to end with a real model: contracts, and a restart that ends as an unbroken run does."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from quantbench.config import Catalogue, load
from quantbench.errors import ModelError
from quantbench.grid import Cell
from quantbench.inference import cell as runner
from quantbench.inference.cell import CellFolders, run_cell
from quantbench.records import Sample, read_json, write_json, write_records

CELL = Cell("random", "full", "ddi2013", "instruction", 0)
SAMPLES = [Sample(str(number), {"sentence": f"@DRUG$ {'and ' * number}@DRUG$"}, "DDI-int", "d") for number in range(10)]
Run = Callable[[str], Path]


@pytest.fixture
def catalogue(repository: Path, tmp_path: Path, random_model) -> Catalogue:
    settings = yaml.safe_load((repository / "config/config.yaml").read_text())
    settings |= {
        "inference": {"max_batch_size": 3, "max_new_tokens": 8},
        "measurement": {"latency_samples": 4, "warmup": 1},
        "hardware": {"device": "cpu", "threads": 1},
    }
    loaded = load(repository, settings, "test")
    facts = random_model.architecture.model_copy(update={"context_length": 4096})
    folder = shutil.copytree(str(random_model.folder), tmp_path / "model")
    loaded.models["random"] = random_model.model_copy(update={"architecture": facts, "folder": str(folder)})
    config = folder / "config.json"
    write_json(config, read_json(config) | {"max_position_embeddings": 4096})
    return loaded


@pytest.fixture
def run(catalogue: Catalogue, tmp_path: Path) -> Run:
    data = tmp_path / "data"
    write_records(data / "samples.jsonl", SAMPLES)
    write_records(data / "shots.jsonl", [])
    write_json(data / "dataset.json", {"dataset": "ddi2013"})

    def start(name: str) -> Path:
        folder = tmp_path / name
        run_cell(catalogue, CELL, CellFolders(data, folder / "out", folder / "progress", tmp_path / "leases"), gpus=0)
        return folder

    return start


def test_contracts(run: Run) -> None:
    out = run("a") / "out"
    predictions = [json.loads(line) for line in (out / "predictions.jsonl").read_text().splitlines()]
    assert [prediction["sample_id"] for prediction in predictions] == [sample.sample_id for sample in SAMPLES]
    assert all(len(prediction["outputs"]) == 1 for prediction in predictions)
    measured = read_json(out / "measurements.json")
    assert len(measured["latency"]["samples"]) == 4
    assert all(0 < item["first_token_s"] <= item["latency_s"] for item in measured["latency"]["samples"])
    energy = measured["energy"]  # a CPU's counters may or may not be readable here
    assert (energy["energy_j"] is None) == bool(energy["reason"])
    manifest = read_json(out / "manifest.json")
    assert set(manifest["model"]["files"]) >= {"config.json", "model.safetensors", "tokenizer.json"}
    assert (manifest["resumed"], manifest["precision_applied"]["dtype"]) == (0, "float32")


def test_a_restart_after_a_crash_ends_as_an_unbroken_run(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = (run("whole") / "out/predictions.jsonl").read_bytes()
    generated: list[int] = []
    append = runner.Progress.append

    def crash_after_two(self: Any, answers: Any) -> None:
        append(self, answers)
        generated.append(len(answers))
        if len(generated) == 2:
            raise MemoryError("killed")

    monkeypatch.setattr(runner.Progress, "append", crash_after_two)
    with pytest.raises(MemoryError):
        run("broken")
    folder = run("broken")
    assert (folder / "out/predictions.jsonl").read_bytes() == whole
    assert sum(generated) == len(SAMPLES)  # nothing was generated twice
    assert read_json(folder / "out/manifest.json")["resumed"] == 1
    assert not list((folder / "progress").glob("*.predictions.jsonl"))


def test_too_long_prompts_are_refused_before_the_model_loads(
    run: Run, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("quantbench.models.loading.load_model", lambda *_: pytest.fail("the model was loaded"))
    config = Path(str(catalogue.models["random"].folder)) / "config.json"
    write_json(config, read_json(config) | {"max_position_embeddings": 64})
    facts = catalogue.models["random"].architecture.model_copy(update={"context_length": 64})
    catalogue.models["random"] = catalogue.models["random"].model_copy(update={"architecture": facts})
    with pytest.raises(ModelError, match="exceeds the context of 64"):
        run("long")
    assert not list((tmp_path / "long").rglob("*.json*"))
