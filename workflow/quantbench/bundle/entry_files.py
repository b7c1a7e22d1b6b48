"""The configuration that goes into a bundle: the entries and templates of what the run names, and nothing that lies beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import get_args

import yaml

from ..config import Catalogue, Prompting, Prompts, RunConfig, StudyEntry, located
from ..config.settings import read_yaml
from ..contracts.cell_name import Cell
from ..errors import DataError
from ..prompts import template_path
from ..tables.paper_rows import published_path

Reader = Callable[[], bytes]
Packed = tuple[str, Reader]  # path in the bundle, and the function that gives the file's content
_STUDIES = "config/studies.yaml"


def entry_files(catalogue: Catalogue, cells: Iterable[Cell]) -> Iterator[Packed]:
    """The entries that the run's cells or studies name, one's own before the shipped, its studies and the paper's table.

    Of a dataset these are its entry and its prompt templates. A private dataset that only a study names is none of the run's.
    """
    root, named = catalogue.root, _named(catalogue, cells)
    hidden = named["datasets"] - _of_the_run(catalogue, cells)
    hidden = {name for name in hidden if catalogue.datasets[name].is_private}
    for kind in ("models", "precisions"):
        for name in named[kind]:
            yield f"config/{kind}/{name}.yaml", file_of(located(root, f"config/{kind}/{name}.yaml"))
    for name in named["datasets"] - hidden:
        yield f"config/datasets/{name}/dataset.yaml", file_of(located(root, f"config/datasets/{name}/dataset.yaml"))
        for template in _templates(root, name):
            yield f"config/datasets/{name}/{template.name}", file_of(template)
    studies = located(root, catalogue.run.studies_file)
    yield _STUDIES, made(lambda path: _without_datasets(path, hidden), studies) if hidden else file_of(studies)
    yield "resources/paper/table1.csv", file_of(published_path(root))


def file_of(path: Path) -> Reader:
    """What gives a file as it is."""
    return made(Path.read_bytes, path)


def made(make: Callable[[Path], bytes], path: Path) -> Reader:
    """What gives that which ``make`` makes of a file; a :class:`DataError` names a missing one."""

    def read() -> bytes:
        try:
            return make(path)
        except FileNotFoundError:
            raise DataError(f"{path}: no such file; a bundle needs it, run snakemake first") from None

    return read


def _templates(root: Path, dataset: str) -> list[Path]:
    promptings: tuple[Prompting, ...] = get_args(Prompting)
    forms: tuple[Prompts, ...] = get_args(Prompts)
    paths = {template_path(root, dataset, prompting, form) for prompting in promptings for form in forms}
    return sorted(path for path in paths if path.is_file())


def _named(catalogue: Catalogue, cells: Iterable[Cell]) -> dict[str, set[str]]:
    """Folder of ``config/`` -> names of all entries there that the run's cells or studies name."""
    floors = catalogue.noise_floors
    named: dict[str, set[str]] = {"models": set(), "precisions": {*floors, *floors.values()}, "datasets": set()}
    for cell in cells:
        named["models"].add(cell.model)
        named["precisions"].add(cell.precision)
        named["datasets"].add(cell.dataset)
    chosen: list[RunConfig | StudyEntry] = [catalogue.run, *catalogue.studies.values()]
    for one in chosen:
        for key, names in (("models", one.models), ("precisions", one.precisions), ("datasets", one.datasets)):
            named[key].update(names if isinstance(names, list) else [])
    return named


def _of_the_run(catalogue: Catalogue, cells: Iterable[Cell]) -> set[str]:
    listed = catalogue.run.datasets
    return {cell.dataset for cell in cells} | set(listed if isinstance(listed, list) else [])


def _without_datasets(studies: Path, hidden: set[str]) -> bytes:
    """A file of studies in which these datasets do not stand."""
    value = read_yaml(studies)
    for study in value.values():
        if isinstance(study, dict) and isinstance(study.get("datasets"), list):
            study["datasets"] = [name for name in study["datasets"] if name not in hidden]
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True).encode()
