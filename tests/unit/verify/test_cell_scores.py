"""Scores are held against the answers they are of, as far as a run or an opened bundle has these."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tests.small_run import Project, make_project

from quantbench.contracts.cell_name import parse_folder
from quantbench.scoring import origin_of, score_cell
from quantbench.statistics import Bootstrap
from quantbench.verify.run_cells import Verifier

CELL = "random/w4a16/hoc/instruction-0shot"


@pytest.fixture(scope="module")
def scored(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = make_project(repository, tmp_path_factory.mktemp("scored"))
    catalogue, cell = project.catalogue, parse_folder(CELL)
    run, entry = catalogue.run, catalogue.datasets[cell.dataset]
    score_cell(
        project.results / "cells" / CELL,
        project.results / "datasets/hoc/samples.jsonl",
        entry,
        Bootstrap(run.comparison.resamples, run.seed, run.comparison.confidence),
        origin_of(catalogue, cell),
    )
    return project


@pytest.fixture
def project(scored: Project, tmp_path: Path) -> Project:
    """A copy, free to change."""
    shutil.copytree(scored.root, tmp_path / "p")
    return Project(tmp_path / "p")


def problems(project: Project) -> list[str]:
    (check,) = [one for one in Verifier(project.root).run(project.results) if one.subject == CELL]
    return check.problems


def test_scores_that_follow_from_the_answers_are_no_problem(project: Project) -> None:
    assert problems(project) == []


@pytest.mark.parametrize(
    ("key", "forged"),
    [
        ("value", 0.999),
        ("interval", [0.9, 0.99]),
        ("strict_value", 0.98),
        ("unparseable_rate", 0.0),
        ("n", 1000),
        ("per_label", {}),
        ("truncated_rate", 0.123),
    ],
)
def test_a_forged_score_is_named_with_what_the_answers_give(project: Project, key: str, forged: object) -> None:
    path = project.results / "cells" / CELL / "scores.json"
    stated = json.loads(path.read_text())
    assert stated[key] != forged
    path.write_text(json.dumps({**stated, key: forged}))
    (problem,) = problems(project)
    assert problem.startswith(f"{path}: {key} is ")
    assert "delete scored.jsonl and scores.json" in problem


def test_a_forged_answer_is_named(project: Project) -> None:
    path = project.results / "cells" / CELL / "scored.jsonl"
    lines = path.read_text().splitlines()
    first = json.loads(lines[0])
    path.write_text("\n".join([json.dumps({**first, "correct": not first["correct"]}), *lines[1:]]) + "\n")
    (problem,) = problems(project)
    assert problem.startswith(f"{path}: not what is read from predictions.jsonl (sample '{first['sample_id']}')")
