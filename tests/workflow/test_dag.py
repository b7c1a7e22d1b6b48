"""The workflow's plan, before anything runs: what is planned, how often, and what is refused."""

import re
import time
from pathlib import Path

import pytest

from .conftest import Project


def test_the_papers_run_is_348_cells_each_once_without_weights_or_gpu(project: Project) -> None:
    begin = time.monotonic()
    result = project.snakemake("-n")
    seconds = time.monotonic() - begin
    assert result.returncode == 0, result.stdout
    cells = re.findall(r"output: \S+?/cells/(\S+)/predictions\.jsonl", result.stdout)
    assert len(cells) == len(set(cells)) == 348
    assert seconds < 60, "a guard against a hang, not a benchmark"


def test_job_counts_of_the_papers_run(project: Project) -> None:
    counts = project.planned()
    assert counts["infer"] == 348
    assert counts["retrieve_model"] == 12
    assert counts["retrieve_dataset"] == counts["prepare_dataset"] == counts["score"] == 8
    assert counts["compare"] == 1
    assert counts["figure"] == 7  # Figures 2 to 7 and the effects
    assert counts["recommend"] == 1


def test_the_noise_floor_adds_a_cell_a_dataset_and_no_figure(project: Project) -> None:
    counts = project.planned("--config", "models=[phi-4]", "studies=[main, noise_floor]")
    assert counts["infer"] == 3 * 8 + 8
    assert counts["score"] == 8
    assert counts["figure"] == 3  # Figures 2 and 7 and the effects


def test_lint(project: Project) -> None:
    result = project.snakemake("--lint")
    assert result.returncode == 0, result.stdout
    assert "Congratulations" in result.stdout, result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["limitt=3"], "'limitt'.*did you mean 'limit'"),
        (["models=[phi4]"], "unknown model 'phi4'.*did you mean 'phi-4'"),
        (["studies=[fewshots]"], "unknown study 'fewshots'.*did you mean 'fewshot'"),
        (["data={folder: /nowhere}"], "'data.folder'.*'/nowhere': no such folder"),
        (
            ["studies=[grid, noise_floor]", "inference={engine: single}"],
            "full-replanned on .*needs a second batch plan",
        ),
        (["data={folder: config}", "studies=[grid]"], "config/hoc: no test file of hoc"),
        (["data={folder: config}", "studies=[fewshot]"], "no train or dev file of ddi2013"),
    ],
)
def test_a_wrong_configuration_is_refused_before_the_dag(project: Project, arguments: list[str], message: str) -> None:
    result = project.snakemake("-n", "--config", *arguments)
    assert result.returncode != 0
    assert re.search(message, result.stdout, re.DOTALL), result.stdout
    assert "Traceback" not in result.stdout


def test_every_rule_says_what_it_does(project: Project) -> None:
    listed = project.snakemake("--list-rules").stdout
    rules = {"all", "infer_all", "retrieve_dataset", "retrieve_model", "prepare_dataset", "infer", "compare", "figure"}
    rules |= {"recommend", "published_figures", "report", "bundle"}
    assert rules | {"score_hoc"} <= set(re.findall(r"^(\w+) \([A-Z].+\.\)$", listed, re.MULTILINE)), listed


def test_results_may_lie_in_another_folder(project: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    result = project.snakemake("-n", "--configfile", str(project.folder / "config/demo.yaml"), cwd=elsewhere)
    assert result.returncode == 0, result.stdout


def test_environment_files_pin_what_requirements_pin(repository: Path) -> None:
    def pins(name: str) -> list[str]:
        lines = (repository / f"requirements/{name}.txt").read_text().splitlines()
        nested = [pin for line in lines if line.startswith("-r ") for pin in pins(line[3:].removesuffix(".txt"))]
        return nested + [line for line in lines if "==" in line]

    for name in ("analysis", "inference"):
        environment = (repository / f"envs/{name}.yaml").read_text()
        assert sorted(re.findall(r"- (\S+==\S+)", environment)) == sorted(pins(name))
    constraints = (repository / "requirements/constraints.txt").read_text().lower().splitlines()
    assert [pin for pin in pins("dev") if pin.lower() not in constraints] == []
    assert "torch" not in " ".join(pins("analysis"))
