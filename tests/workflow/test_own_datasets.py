"""A dataset of the user's own for each task, by following docs/own-datasets.md only: the page's files, the page's command."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pandas as pd

from tests.own_datasets import follow_the_page

from .conftest import Project

DATASETS = ["ward_notes", "ward_drugs", "ward_causes", "ward_exam"]


def test_the_pages_files_and_command_give_scores_and_figures_for_each_task(repository: Path, project: Project) -> None:
    follow_the_page(repository, project.folder)
    page = (repository / "docs/own-datasets.md").read_text()
    command = re.search(r"^snakemake (.*--configfile config/demo\.yaml.*)$", page, re.MULTILINE)
    assert command is not None
    arguments = shlex.split(command[1].replace("[ward_notes]", f"[{', '.join(DATASETS)}]"))
    # One small model at two precisions instead of all: the page's command, shortened.
    result = project.snakemake(*arguments, "models=[tiny-xs]", "precisions=[full, w4a16]", "measurement={warmup: 1}")
    assert result.returncode == 0, result.stdout
    results = project.folder / "results/trial"
    table = pd.read_csv(results / "tables/cells.csv")
    assert sorted(table["dataset"]) == sorted(DATASETS * 2)
    assert table["score"].between(0, 1).all()
    assert (results / "figures/figure2.png").stat().st_size > 1000
    described = json.loads((results / "datasets/ward_notes/dataset.json").read_text())
    assert described["label_counts"] == {"fall": 1, "infection": 1, "pain": 1, "without labels": 1}
