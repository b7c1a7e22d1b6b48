"""A checkpoint quantized once gives what quantizing on every load gives."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.small_run import SETTINGS, Project, make_project

from quantbench.cell.prepared_cell import CellFolders
from quantbench.cell.running import run_cell
from quantbench.config import ModelEntry, PrecisionEntry, read_entries
from quantbench.contracts.cell_name import Cell
from quantbench.contracts.checksums import file_hashes
from quantbench.contracts.files import read_json
from quantbench.contracts.machine import DeviceFacts
from quantbench.contracts.model_folder import MadeWith
from quantbench.devices import processor
from quantbench.errors import ModelError
from quantbench.models.loading import load_model
from quantbench.models.quantizing import Source, quantize_model
from quantbench.models.tokenizing import load_tokenizer
from quantbench.store.places import checkpoint_folder, read_manifest
from quantbench.study.spec import cell_spec
from quantbench.verify.run_cells import Verifier

PROMPTS = [
    "Which hallmarks of cancer does this abstract report on?\nAbstract: Cells kept dividing.\nLabels:",
    "Mark each disease: She has asthma and mild anaemia.\n",
    "Answer yes, no or maybe.",
]

MADE_WITH = MadeWith(device=DeviceFacts(kind="cpu", names=["a processor"]), python="3.11", packages={})


@pytest.fixture(scope="module")
def precisions(repository: Path) -> dict[str, PrecisionEntry]:
    return read_entries(repository / "config/precisions", PrecisionEntry)


@pytest.fixture(scope="module")
def local(repository: Path) -> ModelEntry:
    return read_entries(repository / "config/models", ModelEntry)["tiny-s"]


@pytest.fixture(scope="module")
def checkpoints(repository: Path, local: ModelEntry, precisions, tmp_path_factory) -> dict[str, Path]:
    """Precision -> folder of the demo model's checkpoint."""
    folder = repository / str(local.folder)
    source = Source("tiny-s", local, folder, None, file_hashes(folder))
    made = {name: tmp_path_factory.mktemp("quantized") / name for name in ("w8a16", "w4a16")}
    for name, out in made.items():
        quantize_model(source, precisions[name], out, "cpu", MADE_WITH)
    return made


@pytest.mark.parametrize("name", ["w8a16", "w4a16"])
def test_outputs_equal_those_of_quantizing_on_the_fly(repository, local, precisions, checkpoints, name):
    folder = repository / str(local.folder)
    tokenizer = load_tokenizer(folder)
    fresh = load_model(folder, local, precisions[name], tokenizer, "cpu").model
    kept = load_model(checkpoints[name], local, precisions[name], load_tokenizer(checkpoints[name]), "cpu", True).model
    before, after = fresh.state_dict(), kept.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[key], after[key]) for key in before)
    batch = tokenizer(PROMPTS, return_tensors="pt", padding=True)
    inputs = {key: batch[key] for key in ("input_ids", "attention_mask")}
    with torch.inference_mode():
        assert torch.equal(fresh(**inputs).logits, kept(**inputs).logits)
        answers = [model.generate(**inputs, do_sample=False, max_new_tokens=24) for model in (fresh, kept)]
    assert torch.equal(*answers)


@pytest.mark.parametrize("name", ["w8a16", "w4a16"])
def test_the_checkpoint_is_smaller_and_says_what_it_is(repository, local, precisions, checkpoints, name):
    folder, source = checkpoints[name], repository / str(local.folder)
    manifest = read_manifest(folder, precisions[name])
    assert manifest.files == {k: v for k, v in file_hashes(folder).items() if k != "manifest.json"}
    assert manifest.source_files == file_hashes(source)
    assert (manifest.model, manifest.dtype, manifest.licence) == ("tiny-s", "bfloat16", "MIT")
    assert (folder / "model.safetensors").stat().st_size < 0.7 * (source / "model.safetensors").stat().st_size
    assert (folder / "tokenizer.json").read_bytes() == (source / "tokenizer.json").read_bytes()
    assert [path.name for path in folder.parent.iterdir() if path.name.startswith(".")] == [".locks"]


def test_the_checkpoint_has_every_chat_template(repository, local, precisions, tmp_path):
    folder = shutil.copytree(repository / str(local.folder), tmp_path / "model")
    (folder / "chat_template.jinja").write_text("DEFAULT")
    (folder / "additional_chat_templates").mkdir()
    (folder / "additional_chat_templates/rag.jinja").write_text("RAG")
    source = Source("tiny-s", local, folder, None, file_hashes(folder))
    quantize_model(source, precisions["w4a16"], tmp_path / "out", "cpu", MADE_WITH)
    assert load_tokenizer(tmp_path / "out").chat_template == {"default": "DEFAULT", "rag": "RAG"}
    files = read_manifest(tmp_path / "out", precisions["w4a16"]).files
    assert "additional_chat_templates/rag.jinja" in files


@pytest.mark.parametrize("name", ["w8a16", "w4a16"])
def test_the_checkpoint_holds_the_same_bytes_whatever_the_processor_multiplies(
    repository, local, precisions, checkpoints, name, tmp_path, monkeypatch
):
    """Made where bfloat16 is emulated, it loads in float32 there and has the bytes of any other."""
    monkeypatch.setattr(processor, "multiplies", lambda number_format: number_format == "float32")
    folder = repository / str(local.folder)
    source = Source("tiny-s", local, folder, None, file_hashes(folder))
    quantize_model(source, precisions[name], tmp_path / name, "cpu", MADE_WITH)
    assert file_hashes(tmp_path / name)["model.safetensors"] == file_hashes(checkpoints[name])["model.safetensors"]
    loaded = load_model(checkpoints[name], local, precisions[name], load_tokenizer(folder), "cpu", quantized=True)
    assert loaded.model.dtype == loaded.model.get_input_embeddings().weight.dtype == torch.float32


def test_other_settings_than_the_checkpoint_was_made_with_are_refused(precisions, checkpoints):
    other = precisions["w4a16"].model_copy(update={"settings": {"load_in_4bit": True, "bnb_4bit_quant_type": "fp4"}})
    with pytest.raises(ModelError, match=r"manifest\.json: made with .*nf4.* is .*fp4.*delete the folder"):
        read_manifest(checkpoints["w4a16"], other)


CELL = Cell("random", "w4a16", "hoc", "instruction", 0)


@pytest.fixture(scope="module")
def finished(repository: Path, tmp_path_factory) -> Project:
    return make_project(repository, tmp_path_factory.mktemp("finished"))


@pytest.fixture(scope="module")
def models(finished: Project, tmp_path_factory) -> Path:
    """A models folder with the checkpoint of the small run's model."""
    folder, source = tmp_path_factory.mktemp("models"), finished.root / "model"
    out = checkpoint_folder(finished.root, str(folder), "random", "w4a16")
    catalogue = finished.catalogue
    model = Source("random", catalogue.models["random"], source, None, file_hashes(source))
    quantize_model(model, catalogue.precisions["w4a16"], out, "cpu", MADE_WITH)
    return folder


def run(project: Project, models: Path, out: Path) -> Path:
    """Run the cell from the checkpoints of ``models``; returns its folder."""
    catalogue = project.catalogue
    settings = catalogue.run.model_copy(update={"keep": "both", "models_folder": str(models)})
    folders = CellFolders(project.results / "datasets/hoc", out / "cell", out / "progress", out / "leases")
    run_cell(cell_spec(replace(catalogue, run=settings), CELL), folders, gpus=0)
    return folders.outputs


def test_a_cell_answers_the_same_from_the_checkpoint(finished: Project, models: Path, tmp_path: Path):
    folder = run(finished, models, tmp_path)
    before = finished.results / "cells" / CELL.folder / "predictions.jsonl"
    assert (folder / "predictions.jsonl").read_bytes() == before.read_bytes()
    assert len(before.read_text().splitlines()) == SETTINGS["limit"]
    manifest = read_json(folder / "manifest.json")
    assert manifest["model"]["quantized_checkpoint"] is True
    assert manifest["model"]["files"] == read_json(models / "quantized/random/w4a16/manifest.json")["files"]


def test_a_checkpoint_that_is_not_there_is_named(finished: Project, tmp_path: Path):
    with pytest.raises(ModelError, match=r"quantized/random/w4a16: no quantized checkpoint; run snakemake"):
        run(finished, tmp_path, tmp_path)


def test_a_tampered_checkpoint_stops_the_cell_by_name(finished: Project, models: Path, tmp_path: Path):
    shutil.copytree(models, tmp_path / "models")
    weights = tmp_path / "models/quantized/random/w4a16/model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(ModelError, match=r"w4a16/model\.safetensors is not the recorded file"):
        run(finished, tmp_path / "models", tmp_path)
    assert not (tmp_path / "cell").exists()


def test_a_checkpoint_of_another_number_format_is_refused(finished: Project, models: Path, tmp_path: Path):
    shutil.copytree(models, tmp_path / "models")
    path = tmp_path / "models/quantized/random/w4a16/manifest.json"
    path.write_text(json.dumps(read_json(path) | {"dtype": "float16", "made_on": "cuda"}))
    with pytest.raises(ModelError, match="quantized on cuda in float16, and cells on cpu load float32") as refused:
        run(finished, tmp_path / "models", tmp_path)
    assert "protocol.full_dtype" not in str(refused.value)
    # Made under the other protocol, on the same kind of device.
    path.write_text(json.dumps(read_json(path) | {"dtype": "float16", "made_on": "cpu"}))
    with pytest.raises(
        ModelError, match=r"quantized on cpu in float16, .* a models_folder of its own: .* protocol\.full_dtype"
    ):
        run(finished, tmp_path / "models", tmp_path)


def test_verify_holds_such_a_cell_against_its_checkpoint(finished: Project, models: Path, tmp_path: Path):
    shutil.copytree(finished.root, tmp_path / "p")
    shutil.copytree(models, tmp_path / "models")
    project, cell = Project(tmp_path / "p"), "random/w4a16/hoc/instruction-0shot"
    shutil.copytree(run(project, tmp_path / "models", tmp_path), project.results / "cells" / cell, dirs_exist_ok=True)
    assert [check for check in Verifier(project.root).run(project.results) if check.problems] == []
    weights = tmp_path / "models/quantized/random/w4a16/model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    changed = {check.subject: check.problems for check in Verifier(project.root).run(project.results) if check.problems}
    assert changed == {cell: [f"{weights}: has changed since the cell ran"]}
