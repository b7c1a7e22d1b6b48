"""From configuration to cells: counts of the paper's studies, no cell twice, impossible ones refused."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from quantbench.config import Catalogue, load
from quantbench.contracts.cell_name import Cell, parse_folder
from quantbench.errors import ConfigError
from quantbench.study.grid import active_studies, run_cells, study_cells

Make = Callable[..., Catalogue]


@pytest.fixture
def make(repository: Path) -> Make:
    def build(**change: Any) -> Catalogue:
        settings = yaml.safe_load((repository / "config/config.yaml").read_text())
        return load(repository, settings | change, "config/config.yaml")

    return build


def test_the_papers_run_has_348_cells_and_64_of_noise_floors(make: Make) -> None:
    catalogue = make()
    cells = run_cells(catalogue)
    assert len(cells) == len(set(cells)) == 348 + 64
    assert len(study_cells(catalogue, "noise_floor")) == 4 * 8 * 2
    assert len(study_cells(catalogue, "grid")) == 288
    assert len(study_cells(catalogue, "fewshot")) == 60
    assert len(study_cells(catalogue, "prompting")) == 18


def test_subsets_of_the_grid_add_no_cells(make: Make) -> None:
    catalogue = make()
    grid = set(study_cells(catalogue, "grid"))
    assert set(active_studies(catalogue)) == {
        "grid",
        "main",
        "domain",
        "scaling",
        "fewshot",
        "prompting",
        "noise_floor",
    }
    sizes = {name: len(study_cells(catalogue, name)) for name in ("main", "domain", "scaling")}
    assert sizes == {"main": 96, "domain": 48, "scaling": 60}
    assert all(set(study_cells(catalogue, name)) <= grid for name in sizes)


def test_shorter_lists_narrow_every_study(make: Make) -> None:
    catalogue = make(models=["qwen2.5-72b"], datasets=["hoc"], precisions=["full", "w4a16"])
    assert len(run_cells(catalogue)) == 2 * (5 + 2)  # five shots, two further promptings


def test_nothing_left_is_an_error(make: Make) -> None:
    with pytest.raises(ConfigError, match="no cells"):
        run_cells(make(studies=["prompting"], models=["phi-4"], promptings=["instruction"], datasets=["ddi2013"]))


def test_studies_that_list_other_models_are_named_with_one_that_does_not(make: Make) -> None:
    with pytest.raises(ConfigError) as error:
        run_cells(make(studies=["prompting", "fewshot"], models=["phi-4"]))
    assert str(error.value) == (
        "no cells: the run's 'models' are phi-4, and its studies (prompting, fewshot) list qwen2.5-72b alone; name a study that "
        "takes all models, such as grid (studies: [grid])"
    )
    with pytest.raises(ConfigError, match="share nothing with its studies"):
        run_cells(make(studies=["prompting"], models=["qwen2.5-72b"], datasets=["ddi2013"]))


def test_the_noise_floor_is_two_further_plans_of_one_model_of_each_size_class(make: Make) -> None:
    catalogue = make()
    extra = study_cells(catalogue, "noise_floor")
    assert {(cell.prompting, cell.shots) for cell in extra} == {("instruction", 0)}
    assert {cell.precision for cell in extra} == {"full-replanned", "full-replanned-2"}
    assert {catalogue.precisions[cell.precision].plan_number for cell in extra} == {2, 3}
    billions = [catalogue.models[name].counted.parameters / 1e9 for name in dict.fromkeys(cell.model for cell in extra)]
    assert [round(size / 10) for size in billions] == [0, 1, 3, 7]
    assert not set(extra) & set(run_cells(make(studies=["grid", "fewshot", "prompting"])))


@pytest.mark.parametrize(
    ("precisions", "expected"),
    [
        ("all", {"full", "w8a16", "w4a16", "w8a16-t0", "w4a16-bf16", "int8wo"}),
        (["full", "w4a16"], {"full", "w4a16"}),
        (["w4a16"], {"w4a16"}),
    ],
)
def test_a_noise_floor_is_kept_where_what_it_repeats_is(make: Make, precisions: Any, expected: set[str]) -> None:
    catalogue = make(studies=["grid", "noise_floor"], precisions=precisions)
    assert {cell.precision for cell in study_cells(catalogue, "grid")} == expected
    repeats = {cell.precision for cell in study_cells(catalogue, "noise_floor")}
    assert repeats == ({"full-replanned", "full-replanned-2"} if "full" in expected else set())


@pytest.mark.parametrize("inference", [{"engine": "single"}, {"max_batch_size": 1}, {"engine": "continuous"}])
def test_without_frozen_batches_of_several_samples_there_is_no_noise_floor(
    make: Make, inference: dict[str, Any]
) -> None:
    assert len(run_cells(make(studies=["grid", "noise_floor"], inference=inference))) == 288
    with pytest.raises(ConfigError, match=r"noise_floor needs other batch plans, and inference\.engine: .* has none"):
        run_cells(make(studies=["noise_floor"], inference=inference))


@pytest.mark.parametrize("protocol", [{"decoding": "of_model"}, {"decoding": "sampled"}, {"timing": "whole_pass"}])
def test_answers_that_the_protocol_has_one_at_a_time_have_no_noise_floor(
    make: Make, protocol: dict[str, object]
) -> None:
    inference = {"engine": "single", "stop_early": False}
    catalogue = make(studies=["grid", "noise_floor"], inference=inference, protocol=protocol)
    assert len(study_cells(catalogue, "grid")) == 288
    assert {cell.precision for cell in run_cells(catalogue)} == {"full", "w8a16", "w4a16"}


def test_a_dataset_without_a_template_of_the_published_form_is_named(
    repository: Path, tmp_path: Path, make: Make
) -> None:
    folder = tmp_path / "config/datasets/mine"
    folder.mkdir(parents=True)
    for name in ("dataset.yaml", "instruction.txt", "cot.txt"):
        shutil.copy(repository / "config/datasets/hoc" / name, folder)
    settings = yaml.safe_load((repository / "config/config.yaml").read_text()) | {"datasets": ["mine"]}
    settings["studies"] = ["grid"]
    assert run_cells(load(tmp_path, settings, "x"))
    catalogue = load(tmp_path, settings | {"protocol": {"prompts": "as_published"}}, "x")
    with pytest.raises(ConfigError) as refused:
        run_cells(catalogue)
    assert str(refused.value) == (
        f"{folder / 'as_published_instruction.txt'}: no such prompt template, which protocol.prompts: as_published reads; write "
        "one for this dataset and prompting, or set prompts: own"
    )


def test_continuous_batching_refuses_what_it_cannot_keep_comparable(make: Make) -> None:
    inference = {"engine": "continuous"}
    assert len(run_cells(make(studies=["grid"], inference=inference))) == 288
    with pytest.raises(
        ConfigError, match=r"'continuous' cannot run a self_consistency cell, .*inference\.engine: static"
    ):
        run_cells(make(studies=["grid", "prompting"], inference=inference))


def test_worked_examples_need_a_pool(make: Make, tmp_path: Path) -> None:
    (tmp_path / "ddi2013").mkdir()
    catalogue = make(studies=["fewshot"], data={"folder": str(tmp_path)})
    with pytest.raises(ConfigError, match=r"ddi2013.*1 shots.*no train or dev file"):
        run_cells(catalogue)
    (tmp_path / "ddi2013/dev.head2000.tsv").write_text("x")
    narrowed = make(studies=["fewshot"], datasets=["ddi2013"], data={"folder": str(tmp_path)})
    assert len(run_cells(narrowed)) == 15


def test_a_folder_names_its_cell() -> None:
    cell = Cell("qwen2.5-72b", "w4a16", "medqa", "self_consistency", 0)
    assert cell.folder == "qwen2.5-72b/w4a16/medqa/self_consistency-0shot"
    assert parse_folder(cell.folder) == cell
