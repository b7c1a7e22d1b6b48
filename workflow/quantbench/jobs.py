"""The bodies of the workflow's jobs: plain values in, one call of the package. Scripts only unpack ``snakemake``.

Imports stand inside the functions: a job that draws a figure must not pay for torch, nor one that infers for pandas.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .config import Catalogue, data_folder, load
from .grid import parse_folder

ROOT = Path(__file__).resolve().parents[2]


def catalogue_of(config: dict[str, Any]) -> Catalogue:
    """The checked configuration of a job."""
    return load(ROOT, config, "configuration")


def retrieve_dataset(config: dict[str, Any], dataset: str, receipt: Path) -> None:
    """Download a dataset into the folder of its receipt."""
    from .datasets import sha256_of
    from .datasets.download import retrieve
    from .records import write_json

    files = retrieve(catalogue_of(config).datasets[dataset], dataset, receipt.parent)
    write_json(receipt, {"dataset": dataset, "files": {path.name: sha256_of(path) for path in files}})


def retrieve_model(config: dict[str, Any], model: str, receipt: Path) -> None:
    """Download a model into the folder beside its receipt."""
    from .models.retrieve import retrieve_model as retrieve

    retrieve(model, catalogue_of(config).models[model], receipt.with_suffix(""), receipt)


def prepare_dataset(config: dict[str, Any], dataset: str, out: Path) -> None:
    """Write a dataset's samples and worked examples into the folder ``out``."""
    from .datasets import prepare

    catalogue = catalogue_of(config)
    folder = data_folder(catalogue.root, catalogue.run) or Path("resources/datasets")
    prepare(catalogue.datasets[dataset], dataset, folder / dataset, catalogue.run.limit, catalogue.run.seed, out)


def infer(config: dict[str, Any], cell: str, data: Path, progress: Path, leases: Path, gpus: int) -> None:
    """Run one cell, named by its folder, on the prepared dataset in ``data``."""
    from .inference.cell import CellFolders, run_cell

    catalogue = catalogue_of(config)
    outputs = Path(catalogue.run_folder) / "cells" / cell
    run_cell(catalogue, parse_folder(cell), CellFolders(data, outputs, progress, leases), gpus)
