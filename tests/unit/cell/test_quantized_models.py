"""Cells of a model that was published quantized, and of a mixture of which a precision quantizes little."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml
from tests.small_run import SETTINGS, Project
from tests.tiny_checkpoints import edit_config, save_checkpoint, save_quantized
from tests.unit.conftest import FACTS, make_model

from quantbench.config import Catalogue, load
from quantbench.config.settings import Settings, read_yaml
from quantbench.contracts.cell_name import Cell
from quantbench.contracts.manifest import Manifest
from quantbench.contracts.measurements import Measurements
from quantbench.datasets import prepare
from quantbench.errors import ModelError
from quantbench.models.counting import architecture_of, count, model_class
from quantbench.models.published_config import text_config
from quantbench.study.grid import run_cells
from quantbench.tables.quantized_shares import quantized_note
from quantbench.verify.run_cells import Verifier

CELL = Cell("published", "as_published", "hoc", "instruction", 0)
NARROW = {"datasets": ["hoc"], "limit": 3, "precisions": ["as_published"], "studies": ["grid"]}


class OwnProject(Project):
    """A project whose one model was published quantized."""

    @property
    def catalogue(self) -> Catalogue:
        settings = read_yaml(self.root / "config/config.yaml") | SETTINGS | NARROW | {"models": ["published"]}
        return load(self.root, settings | {"results_folder": str(self.root / "results")}, "small")


@pytest.fixture
def project(repository: Path, tmp_path: Path) -> OwnProject:
    shutil.copytree(repository / "config", tmp_path / "config")
    shutil.copytree(repository / "tests/data/datasets/hoc", tmp_path / "data/hoc")
    entry = make_model(tmp_path / "source", FACTS.model_copy(update={"context_length": 8192}))
    shutil.copytree(tmp_path / "source", tmp_path / "model", ignore=shutil.ignore_patterns("*.safetensors"))
    save_quantized(tmp_path / "source", tmp_path / "model")
    own = entry.model_copy(update={"folder": "model", "precision": "as_published"})
    (tmp_path / "config/models/published.yaml").write_text(yaml.safe_dump(own.model_dump(mode="json")))
    made = OwnProject(tmp_path)
    catalogue = made.catalogue
    prepare(catalogue.datasets["hoc"], "hoc", tmp_path / "data/hoc", 3, 0, made.results / "datasets/hoc")
    return made


def edit_entry(project: OwnProject, **facts: object) -> None:
    path = project.root / "config/models/published.yaml"
    path.write_text(yaml.safe_dump(read_yaml(path) | facts))


def test_the_manifest_says_how_it_was_published(project: OwnProject) -> None:
    assert run_cells(project.catalogue) == [CELL]
    out = project.run(CELL)
    applied = Manifest.read(out / "manifest.json").precision_applied
    assert (applied.method, applied.settings["bnb_4bit_quant_type"]) == ("bitsandbytes", "nf4")
    measured = Measurements.read(out / "measurements.json")
    assert measured.quantized == applied.quantized
    assert measured.quantized is not None and measured.quantized.of_layers == 1
    assert quantized_note("as_published", measured.quantized) is None
    assert [check.problems for check in Verifier(project.root).run(project.results)] == [[]]


@pytest.mark.parametrize("precision", ["full", "w8a16", "w4a16"])
def test_as_an_ordinary_model_it_is_refused_before_anything_loads(
    project: OwnProject, monkeypatch, precision: str
) -> None:
    monkeypatch.setattr("quantbench.models.loading.load_model", lambda *_: pytest.fail("the model was loaded"))
    monkeypatch.setattr(
        "quantbench.models.tokenizing.load_tokenizer", lambda *_: pytest.fail("the tokenizer was loaded")
    )
    edit_entry(project, precision=None)
    with pytest.raises(
        ModelError,
        match=r"config\.json: quantization_config has quant_method 'bitsandbytes': the weights of model 'published'",
    ):
        project.run(Cell("published", precision, "hoc", "instruction", 0))


def test_an_ordinary_model_is_refused_where_it_should_come_quantized(project: OwnProject) -> None:
    edit_entry(project, folder="source")
    with pytest.raises(
        ModelError, match=r"published\.yaml: precision is as_published, and .* has no quantization_config"
    ):
        project.run(CELL)


def test_of_a_mixture_the_cell_says_how_little_is_quantized(project: OwnProject) -> None:
    sizes = {"vocab_size": FACTS.vocab_size, "max_position_embeddings": 8192, "eos_token_id": 1, "bos_token_id": 0}
    save_checkpoint(project.root / "model", "mixtral", **sizes)
    config = text_config(project.root / "model")
    facts = {"architecture": architecture_of(config), "counts": count(model_class(config)), "family": "mixtral"}
    edit_entry(project, precision=None, **{key: as_json(fact) for key, fact in facts.items()})
    out = project.run(Cell("published", "w4a16", "hoc", "instruction", 0))
    measured, applied = (
        Measurements.read(out / "measurements.json"),
        Manifest.read(out / "manifest.json").precision_applied,
    )
    assert measured.quantized == applied.quantized
    assert measured.quantized is not None and 0 < measured.quantized.of_layers < 0.2
    assert quantized_note("w4a16", measured.quantized) == "w4a16 quantizes 9% of this model's weights"
    assert applied.weights is not None
    kept = {one.holder for one in applied.weights if not one.quantized}
    assert kept == {"Embedding", "Linear", "MixtralExperts", "MixtralTopKRouter"}


def as_json(fact: Settings | str) -> object:
    return fact if isinstance(fact, str) else fact.model_dump(mode="json")


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        (
            {"rope_parameters": None},
            "rope_parameters is {.* there or by default, and {.* by config/models/published.yaml",
        ),
        (
            {"model_type": "mistral", "architectures": None},
            "model_type is mistral, config/models/published.yaml says family: llama",
        ),
    ],
)
def test_facts_that_the_file_leaves_out_are_those_of_the_entry(
    project: OwnProject, facts: dict[str, object], message: str
) -> None:
    """transformers fills them in by its family's defaults, and the answers are another model's."""
    rope = {"rope_type": "default", "rope_theta": 5e5}
    edit_config(project.root / "source", rope_parameters=rope)
    edit_entry(project, precision=None, folder="source", config_json={"rope_parameters": rope})
    project.run(Cell("published", "full", "hoc", "instruction", 0))
    edit_config(project.root / "source", **facts)
    with pytest.raises(ModelError, match=rf"^[^\n]*config\.json: [^\n]*{message}[^\n]*$"):
        project.run(Cell("published", "full", "hoc", "instruction", 0))


def test_a_class_that_cannot_compute_is_one_line(project: OwnProject) -> None:
    edit_config(project.root / "source", return_dict=False)
    edit_entry(project, precision=None, folder="source")
    with pytest.raises(
        ModelError, match=r"^published full on hoc [^\n]* the model's class cannot compute a prompt \(Attr[^\n]*$"
    ):
        project.run(Cell("published", "full", "hoc", "instruction", 0))
