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


def test_the_papers_run_has_348_cells(make: Make) -> None:
    catalogue = make()
    cells = run_cells(catalogue)
    assert len(cells) == len(set(cells)) == 348
    assert len(study_cells(catalogue, "grid")) == 288
    assert len(study_cells(catalogue, "fewshot")) == 60
    assert len(study_cells(catalogue, "prompting")) == 18


def test_subsets_of_the_grid_add_no_cells(make: Make) -> None:
    catalogue = make()
    grid = set(study_cells(catalogue, "grid"))
    assert set(active_studies(catalogue)) == {"grid", "main", "domain", "scaling", "fewshot", "prompting"}
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


def test_the_noise_floor_is_off_until_named_and_then_adds_one_cell_a_model_and_dataset(make: Make) -> None:
    assert not any(cell.precision == "full-replanned" for cell in run_cells(make()))
    cells = run_cells(make(studies=["grid", "noise_floor"]))
    extra = [cell for cell in cells if cell.precision == "full-replanned"]
    assert len(cells) == 288 + len(extra) == 288 + 12 * 8
    assert {(cell.prompting, cell.shots) for cell in extra} == {("instruction", 0)}


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
    assert repeats == ({"full-replanned"} if "full" in expected else set())


@pytest.mark.parametrize("inference", [{"engine": "single"}, {"max_batch_size": 1}])
def test_a_noise_floor_needs_batches(make: Make, inference: dict[str, Any]) -> None:
    assert len(run_cells(make(studies=["grid"], inference=inference))) == 288
    with pytest.raises(ConfigError, match=r"full-replanned on .*second batch plan.*inference\.engine"):
        run_cells(make(studies=["grid", "noise_floor"], inference=inference))


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


@pytest.mark.parametrize(("study", "kind"), [("noise_floor", "noise floor"), ("prompting", "self_consistency")])
def test_continuous_batching_refuses_what_it_cannot_keep_comparable(make: Make, study: str, kind: str) -> None:
    inference = {"engine": "continuous"}
    assert len(run_cells(make(studies=["grid"], inference=inference))) == 288
    with pytest.raises(ConfigError, match=rf"'continuous' cannot run a {kind} cell, since .*inference\.engine: static"):
        run_cells(make(studies=["grid", study], inference=inference))


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
