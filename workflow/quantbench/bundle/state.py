"""An opened bundle: what of it is not scored again, texts put back, and whether redrawn figures are the packed ones."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from ..config import Catalogue
from ..contracts.checksums import sha256_of
from ..contracts.files import read_json
from ..datasets import prepare
from ..errors import DataError
from .index import INDEX, Index, read_index


def opened_index(results: Path) -> Index | None:
    """The index of the bundle that ``results/<run>`` was opened from; None where it is a run of this machine."""
    path = results / INDEX
    return read_index(read_json(path), str(path)) if path.exists() else None


def unscored(results: Path) -> set[str]:
    """Datasets whose scored answers are taken as they came, because texts or outputs are missing here."""
    index = opened_index(results)
    if index is None:
        return set()
    complete = {name for name in index.without_texts if _has_texts(results / "datasets" / name)}
    return set(index.without_texts) - complete | set(index.without_outputs)


def restore_texts(catalogue: Catalogue, results: Path, data: Path) -> list[str]:
    """Put the texts of withheld datasets back from their published files; returns the datasets restored.

    Args:
        catalogue: of the opened bundle, with ``data`` as its data folder.
        results: the opened bundle.
        data: a folder with one sub-folder a dataset; those it does not have stay as they are.

    Raises:
        DataError: files that are not the pinned ones, or that give other samples than the run had.
    """
    index = opened_index(results)
    wanted = [name for name in (index.without_texts if index else []) if (data / name).is_dir()]
    for name in wanted:
        folder = results / "datasets" / name
        with tempfile.TemporaryDirectory(dir=folder) as beside:
            made = prepare(
                catalogue.datasets[name], name, data / name, catalogue.run.limit, catalogue.run.seed, Path(beside)
            )
            if made["samples_sha256"] != _recorded(folder):
                raise DataError(f"{data / name}: gives other samples than the run had; is it the same release?")
            for file in ("shots.jsonl", "samples.jsonl"):
                (Path(beside) / file).replace(folder / file)
    return wanted


def figures_unchanged(results: Path) -> Mapping[str, bool]:
    """Name of each figure that was packed -> whether the one redrawn here has the same bytes; empty for other runs."""
    index = opened_index(results)
    folder = results / "figures"
    return {
        name: (folder / name).exists() and sha256_of(folder / name) == sha256
        for name, sha256 in (index.figures if index else {}).items()
    }


def _has_texts(folder: Path) -> bool:
    return sha256_of(folder / "samples.jsonl") == _recorded(folder)


def _recorded(folder: Path) -> str | None:
    description = folder / "dataset.json"
    return read_json(description).get("samples_sha256") if description.exists() else None
