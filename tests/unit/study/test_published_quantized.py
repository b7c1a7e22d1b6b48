"""A model that was published quantized runs at ``as_published`` and nowhere else, and other models never do."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from quantbench.config import Catalogue, ModelEntry, PrecisionEntry, load
from quantbench.config.settings import read_yaml
from quantbench.errors import ConfigError
from quantbench.study.grid import run_cells, wanted_cells

Make = Callable[..., Catalogue]


@pytest.fixture
def make(repository: Path, tmp_path: Path) -> Make:
    """The paper's configuration beside a model of one's own, ``phi-4-gptq``."""
    (tmp_path / "config/models").mkdir(parents=True)
    entry = read_yaml(repository / "config/models/phi-4.yaml") | {"title": "Phi-4 GPTQ", "precision": "as_published"}
    (tmp_path / "config/models/phi-4-gptq.yaml").write_text(yaml.safe_dump(entry))
    shutil.copyfile(repository / "config/studies.yaml", tmp_path / "config/studies.yaml")
    settings = read_yaml(repository / "config/config.yaml") | {"studies": ["grid"], "datasets": ["hoc"]}

    def build(**change: object) -> Catalogue:
        return load(tmp_path, settings | change, "own.yaml")

    return build


def pairs(catalogue: Catalogue) -> list[tuple[str, str]]:
    return [(cell.model, cell.precision) for cell in run_cells(catalogue)]


def test_it_has_one_cell_beside_a_model_at_three_precisions(make: Make) -> None:
    named = {"models": ["phi-4", "phi-4-gptq"], "precisions": ["full", "w8a16", "w4a16", "as_published"]}
    expected = [("phi-4", "full"), ("phi-4", "w8a16"), ("phi-4", "w4a16"), ("phi-4-gptq", "as_published")]
    assert pairs(make(**named)) == expected


def test_all_precisions_are_those_a_model_can_be_loaded_at(make: Make) -> None:
    assert pairs(make(models=["phi-4-gptq"], precisions="all")) == [("phi-4-gptq", "as_published")]
    others = pairs(make(models=["phi-4"], precisions="all"))
    assert ("phi-4", "full") in others
    assert "as_published" not in dict(map(reversed, others))


def test_it_is_refused_where_the_run_has_no_precision_for_it(make: Make) -> None:
    with pytest.raises(ConfigError) as found:
        run_cells(make(models=["phi-4-gptq"]))
    assert str(found.value) == (
        "the run's 'precisions' are full, w8a16, w4a16, and the entry of model 'phi-4-gptq' has 'precision: as_published', which "
        "is loaded at none of them; name 'as_published' under 'precisions', or leave the model out"
    )


def test_an_ordinary_model_is_refused_at_it(make: Make) -> None:
    with pytest.raises(
        ConfigError, match=r"model 'phi-4' has 'precision: null', which .*; name 'full' under 'precisions'"
    ):
        run_cells(make(models=["phi-4"], precisions=["as_published"]))


@pytest.mark.parametrize(
    ("model", "precision", "kind"), [("phi-4", "as_published", "as_published"), ("phi-4-gptq", "w4a16", "null")]
)
def test_a_precision_that_no_model_runs_at_is_refused(make: Make, model: str, precision: str, kind: str) -> None:
    named = {"models": [model], "precisions": ["full" if model == "phi-4" else "as_published", precision]}
    with pytest.raises(ConfigError) as found:
        run_cells(make(**named))
    assert str(found.value) == (
        f"the run's 'precisions' name {precision!r}, which is for models with 'precision: {kind}' in their entry, and none of "
        "'models' is one; leave it out"
    )


def test_figures_that_compare_precisions_do_not_show_it(make: Make) -> None:
    named = {"models": ["phi-4", "phi-4-gptq"], "precisions": ["full", "as_published"]}
    studies = {"grid": {"title": "all", "figure": "figure2"}}
    catalogue = make(**named)
    (catalogue.root / "config/studies.yaml").write_text(yaml.safe_dump(studies))
    wanted = wanted_cells(make(**named))
    assert [cell.model for cell in wanted.figures["figure2"]] == ["phi-4"]
    assert [cell.model for cell in wanted.every] == ["phi-4", "phi-4-gptq"]


def test_a_stand_in_was_not_published(repository: Path) -> None:
    entry = read_yaml(repository / "config/models/phi-4.yaml")
    with pytest.raises(ValueError, match="precision is as_published, and weights: random are not published"):
        ModelEntry.model_validate(entry | {"weights": "random", "precision": "as_published"})


def test_it_takes_no_settings() -> None:
    with pytest.raises(ValueError, match="method as_published takes no settings, and settings names bits"):
        PrecisionEntry(title="x", method="as_published", settings={"bits": 4})
