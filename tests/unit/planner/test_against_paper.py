"""The planner against the paper's 96 measured cells."""

import importlib.util
import shutil
from pathlib import Path
from statistics import median

import pytest

from quantbench.config import CATALOGUE_VARIABLE
from quantbench.errors import DataError
from quantbench.planner import PUBLISHED, plan_memory
from quantbench.planner.against_paper import Comparison, compare_with_paper


@pytest.fixture(scope="module")
def cells(catalogue) -> list[Comparison]:
    return compare_with_paper(catalogue.root, catalogue.models, catalogue.precisions)


@pytest.fixture
def copy(tmp_path: Path, repository: Path) -> Path:
    """A repository whose published tables can be damaged."""
    shutil.copytree(repository / "resources/paper", tmp_path / "resources/paper")
    return tmp_path


def test_the_96_cells(cells) -> None:
    errors = [abs(cell.error_percent) for cell in cells]
    assert len(cells) == len({(cell.dataset, cell.model, cell.precision) for cell in cells}) == 96
    assert median(errors) <= 0.4
    assert sum(error <= 3 for error in errors) >= 94
    assert sum(error <= 1 for error in errors) >= 80


def test_the_cells_further_off_are_the_documented_ones(cells) -> None:
    far = {(cell.dataset, cell.model, cell.precision) for cell in cells if abs(cell.error_percent) > 3}
    assert far == {("litcovid", "phi-4", "w8a16"), ("litcovid", "phi-4", "w4a16")}


def test_an_error_is_relative_to_the_published_figure() -> None:
    assert Comparison("hoc", "phi-4", "full", 20.0, 19.0).error_percent == pytest.approx(-5)


@pytest.mark.parametrize("model", ["qwen2.5-72b", "llama-3.3-70b", "deepseek-llm-67b", "phi-4"])
@pytest.mark.parametrize("precision", ["full", "w8a16", "w4a16"])
def test_the_longest_prompt_sets_the_published_peaks(setting, model: str, precision: str) -> None:
    """Also where prompts are short and answers long: NCBI's 213 tokens and 200 new ones."""
    short = setting(model, precision, PUBLISHED, prompt_tokens=213, new_tokens=200, devices=4)
    assert plan_memory(short).stage == "prompt"


def test_the_assumed_prompt_lengths_follow_from_the_texts(repository: Path, real_data: Path, capsys) -> None:
    path = repository / "resources/paper/prompt_tokens.py"
    spec = importlib.util.spec_from_file_location("prompt_tokens", path)
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    script.main(real_data)
    assert capsys.readouterr().out == path.with_suffix(".csv").read_text()


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("table1.csv", "phi-4", "phi4", r"table1.csv: no model 'phi4' to plan with; did you mean 'phi-4'\?"),
        ("table1.csv", "w8a16", "w8", r"no precision 'w8' to plan with; did you mean 'w8a16'\?"),
        ("table1.csv", "126.5,", "much,", r"table1.csv, line 2, column 'memory_gb': 'much' is not a number"),
        ("prompt_tokens.csv", "medqa", "medqua", r"no dataset 'medqa' to plan with; did you mean 'medqua'\?"),
        (
            "prompt_tokens.csv",
            "prompt_tokens",
            "tokens",
            r"prompt_tokens.csv: no column 'prompt_tokens'; columns: dataset",
        ),
    ],
)
def test_a_damaged_table_is_named(catalogue, copy: Path, file: str, old: str, new: str, message: str) -> None:
    path = copy / "resources/paper" / file
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(DataError, match=message):
        compare_with_paper(copy, catalogue.models, catalogue.precisions)


def test_a_missing_table_is_named(catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config/models").mkdir(parents=True)
    monkeypatch.setenv(CATALOGUE_VARIABLE, str(tmp_path))  # else the shipped one stands in
    with pytest.raises(DataError, match=r"prompt_tokens.csv: no such file"):
        compare_with_paper(tmp_path, catalogue.models, catalogue.precisions)
