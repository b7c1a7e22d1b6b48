"""Cells of a configuration without Snakemake: its data prepared, then one cell after another in this process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from quantbench import jobs
from quantbench.config import data_folder
from quantbench.datasets import local_sources
from quantbench.devices import lease_folder

Config = dict[str, object]


@dataclass(frozen=True)
class PlainRun:
    """A configuration and where its cells' files go; relative paths in it start at the working directory."""

    config: Config
    out: Path

    def prepare(self, dataset: str) -> int:
        """Write a dataset's samples; returns how many they are.

        Raises:
            DataError: the files are missing or not what the dataset's entry promises.
        """
        catalogue = jobs.catalogue_of(self.config)
        entry, run = catalogue.datasets[dataset], catalogue.run
        files = local_sources(catalogue.root, {dataset: entry}, data_folder(catalogue.root, run))[dataset]
        samples = self._data(dataset) / "samples.jsonl"
        jobs.prepare_dataset(dataset, entry.model_dump_json(), run.limit, run.seed, [*map(Path, files)], samples)
        return len(samples.read_text(encoding="utf-8").splitlines())

    def infer(self, cell: str, name: str, gpus: int) -> Path:
        """Run a cell, named by its folder; returns the folder of its files, ``cells/<name>``.

        Raises:
            QuantbenchError: anything that a cell of the workflow would end with.
        """
        outputs = self.out / "cells" / name
        folders = {
            "data": str(self._data(cell.split("/")[2])),
            "outputs": str(outputs),
            "progress": str(self.out / "progress" / name),
            "leases": str(lease_folder()),
            "notes": str(self.notes),
        }
        jobs.infer_here(self.config, cell, folders, gpus)
        return outputs

    @property
    def notes(self) -> Path:
        """Folder that remembers which model files were hashed."""
        return self.out / "notes"

    def _data(self, dataset: str) -> Path:
        return self.out / "datasets" / dataset
