"""A small run through the real engine: a repository of its own, a random model, two datasets of a few samples."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from quantbench.cell.prepared_cell import CellFolders
from quantbench.cell.running import run_cell
from quantbench.config import Catalogue, load
from quantbench.config.settings import read_yaml
from quantbench.contracts.cell_name import Cell
from quantbench.datasets import prepare
from quantbench.study.grid import run_cells
from quantbench.study.spec import cell_spec

from .unit.conftest import FACTS, make_model

SETTINGS: dict[str, Any] = {
    "run": "small",
    "studies": ["grid", "noise_floor"],
    "models": ["random"],
    "precisions": ["full", "w4a16"],
    "datasets": ["hoc", "ddi2013"],
    "limit": 6,
    "data": {"folder": "data"},
    "inference": {"max_batch_size": 2, "max_new_tokens": 4},
    "measurement": {"latency_samples": 2, "warmup": 1},
    "hardware": {"device": "cpu", "threads": 1},
}


@dataclass(frozen=True)
class Project:
    """A folder with ``config/``, ``data/``, the model and ``results/small``."""

    root: Path

    @property
    def results(self) -> Path:
        return self.root / "results/small"

    @property
    def catalogue(self) -> Catalogue:
        settings = read_yaml(self.root / "config/config.yaml") | SETTINGS
        return load(self.root, settings | {"results_folder": str(self.root / "results")}, "small")

    def run(self, cell: Cell) -> Path:
        """Run one cell and return its folder."""
        out = self.results / "cells" / cell.folder
        data = self.results / "datasets" / cell.dataset
        spec = cell_spec(self.catalogue, cell)
        full = self.results / "cells" / spec.compared_with.folder if spec.compared_with else None
        run_cell(spec, CellFolders(data, out, self.root / "progress", self.root / "leases", full=full), gpus=0)
        return out


def make_project(repository: Path, root: Path) -> Project:
    """Lay out the folder and run all its cells: one model, two precisions and the noise floor, two datasets."""
    shutil.copytree(repository / "config", root / "config")
    studies = root / "config/studies.yaml"
    # Of every model, and under one further plan.
    one_plan = re.sub(
        r"models: .*\n  precisions: \[full-replanned, .*\]", "precisions: [full-replanned]", studies.read_text()
    )
    studies.write_text(one_plan)
    for name in SETTINGS["datasets"]:
        shutil.copytree(repository / "tests/data/datasets" / name, root / "data" / name)
    entry = make_model(root / "model", FACTS.model_copy(update={"context_length": 8192})).model_copy(
        update={"folder": "model"}
    )
    (root / "config/models/random.yaml").write_text(yaml.safe_dump(entry.model_dump(mode="json")))
    project = Project(root)
    catalogue = project.catalogue
    for name in SETTINGS["datasets"]:
        folder = project.results / "datasets" / name
        prepare(catalogue.datasets[name], name, root / "data" / name, SETTINGS["limit"], catalogue.run.seed, folder)
    for cell in run_cells(catalogue):
        project.run(cell)
    return project
