"""The workflow's plan, before anything runs: what is planned, how often, and what is refused."""

import json
import re
import time
from collections import Counter
from pathlib import Path

import pytest

from .conftest import Project


def test_the_papers_run_is_412_cells_each_once_without_weights_or_gpu(project: Project) -> None:
    begin = time.monotonic()
    result = project.snakemake("-n")
    seconds = time.monotonic() - begin
    assert result.returncode == 0, result.stdout
    cells = re.findall(r"output: \S+?/cells/(\S+)/predictions\.jsonl", result.stdout)
    assert len(cells) == len(set(cells)) == 348 + 64  # the noise floor of four models
    assert seconds < 60, "a guard against a hang, not a benchmark"


def test_job_counts_of_the_papers_run(project: Project) -> None:
    counts = project.planned()
    assert counts["infer"] == 348 + 64
    assert counts["retrieve_model"] == 12
    assert counts["retrieve_dataset"] == counts["prepare_dataset"] == counts["score"] == 8
    assert counts["compare"] == 1
    assert counts["figure"] == 10  # Figures 2 to 7, labels, effects, flips and reliability
    assert counts["recommend"] == 1


def test_the_noise_floor_adds_two_cells_a_dataset_and_no_figure(project: Project) -> None:
    counts = project.planned("--config", "models=[phi-4]", "studies=[main, noise_floor]")
    assert counts["infer"] == 3 * 8 + 2 * 8
    assert counts["score"] == 8
    assert counts["figure"] == 6  # Figures 2 and 7, labels, effects, flips and reliability


def test_a_subset_study_without_cells_in_the_run_draws_nothing(project: Project) -> None:
    counts = project.planned("--config", "datasets=[pubmedqa]", "studies=[grid]")
    assert counts["figure"] == 6  # Figures 2 and 7, and those of every run: Figures 3 and 4 show other datasets


def test_what_keep_adds(project: Project) -> None:
    counts = project.planned("--config", "models=[phi-4]", "studies=[main]", "datasets=[hoc]", "keep=quantized")
    assert (counts["quantize_model"], counts["release_weights"], counts["infer"]) == (2, 1, 3)
    local = ["--configfile", "config/demo.yaml", "--config", "studies=[grid]", "models=[tiny-s]", "datasets=[hoc]"]
    counts = project.planned(*local, "keep=quantized")
    assert (counts["quantize_model"], counts["release_weights"]) == (2, 0), "a local folder is the user's own"


def test_everything_that_needs_the_network_is_one_target(project: Project) -> None:
    assert project.planned("retrieve_all") == Counter(retrieve_model=12, retrieve_dataset=8, retrieve_all=1, total=21)


def test_a_retrieved_model_at_another_commit_than_the_lock_is_refused(project: Project) -> None:
    files = {"model.safetensors": {"size": 1, "sha256": "0" * 64}}
    locked = {"hub_id": "epfl-llm/meditron-70b", "revision": "main", "commit": "a" * 40, "files": files}
    (project.folder / "config/models.lock.yaml").write_text(json.dumps({"meditron-70b": locked}))
    receipt = project.folder / "resources/models/meditron-70b.json"
    receipt.parent.mkdir(parents=True)
    named = {"model": "meditron-70b", "hub_id": "epfl-llm/meditron-70b", "requested": "main"}
    receipt.write_text(json.dumps({**named, "revision": "b" * 40, "files": {}}))
    result = project.snakemake("-n")
    assert result.returncode != 0
    assert re.search(r"'meditron-70b' was retrieved at commit b+, config/models\.lock\.yaml names a+", result.stdout), (
        result.stdout
    )
    assert "Traceback" not in result.stdout


def test_what_retrieval_needs_is_said_before_it_starts(project: Project) -> None:
    said = project.snakemake("-n", "--quiet").stdout
    assert "llama-3.3-70b is gated, and HF_TOKEN is not set" in said
    loose = re.search(r"at no pinned commit.*: (.*); quantbench lock pins them", said)
    assert loose is not None
    assert {name.split()[0] for name in loose[1].split(", ")} == {
        *("clinicalcamel-70b", "llama3-med42-70b", "huatuogpt-o1-70b", "meditron-70b")
    }


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
            ["studies=[noise_floor]", "inference={engine: single}"],
            "noise_floor needs other batch plans",
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


def test_a_key_that_stands_twice_in_a_configuration_is_refused_by_line(project: Project, tmp_path: Path) -> None:
    twice = tmp_path / "twice.yaml"
    twice.write_text((project.folder / "config/demo.yaml").read_text() + "limit: 4\nlimit: 400\n")
    result = project.snakemake("-n", "--configfile", str(twice))
    assert result.returncode != 0
    assert re.search(r"twice\.yaml, line \d+: key 'limit' stands twice", result.stdout), result.stdout
    assert "Traceback" not in result.stdout


def test_every_rule_says_what_it_does(project: Project) -> None:
    listed = project.snakemake("--list-rules").stdout
    rules = {"all", "infer_all", "retrieve_dataset", "retrieve_model", "prepare_dataset", "infer", "compare", "figure"}
    rules |= {"recommend", "published_figures", "report"}
    assert rules | {"score_hoc_1"} <= set(re.findall(r"^(\w+) \([A-Z].+\.\)$", listed, re.MULTILINE)), listed


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
