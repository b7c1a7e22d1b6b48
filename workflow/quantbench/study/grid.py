"""From a configuration to cells: the unit of inference work, and which studies want each one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from ..config import AS_PUBLISHED, REFERENCE, Catalogue, PrecisionEntry, StudyEntry, data_folder, find_file
from ..contracts.cell_name import Cell
from ..errors import ConfigError
from ..prompts import read_template
from .spec import CellSpec, cell_specs

Value = TypeVar("Value")


def active_studies(catalogue: Catalogue) -> dict[str, StudyEntry]:
    """The studies named in the run, those that are subsets of one named, and the run's own (:func:`own_studies`)."""
    named = set(catalogue.run.studies)
    active = {name: study for name, study in catalogue.studies.items() if name in named or study.subset_of in named}
    return active | own_studies(catalogue)


def own_models(catalogue: Catalogue) -> list[str]:
    """The models that the run lists and no study does: no study was written with them in mind."""
    of_studies = {name for study in catalogue.studies.values() for name in study.models if study.models != "all"}
    return [name for name in catalogue.run.models if name not in of_studies] if catalogue.run.models != "all" else []


def own_studies(catalogue: Catalogue) -> dict[str, StudyEntry]:
    """What a run with models of its own has beside its studies: the worked examples and promptings that it lists."""
    run = catalogue.run
    if not own_models(catalogue):
        return {}
    studies = {}
    if run.shots != "all":
        studies["own_shots"] = StudyEntry(title="Worked examples in the prompt", shots=run.shots)
    if run.promptings != "all":
        studies["own_promptings"] = StudyEntry(title="Ways of prompting", promptings=run.promptings)
    return {name: study for name, study in studies.items() if name not in catalogue.studies}


def study_cells(catalogue: Catalogue, name: str) -> list[Cell]:
    """The cells of one study, narrowed to what the run lists, in configuration order.

    Of a model, the precisions it can be loaded at: one that was published quantized has a cell at ``as_published`` alone. A noise
    floor is another batch plan, and where samples are answered one at a time, or batches are not frozen, there is none: it has no
    cells then.
    """
    study, run = (catalogue.studies | own_studies(catalogue))[name], catalogue.run
    models = _chosen(study.models, run.models, catalogue.models)
    floors = {} if run.inference.has_further_plans else catalogue.noise_floors
    precisions = [name for name in _precisions(study, run.precisions, catalogue.precisions) if name not in floors]
    datasets = _chosen(study.datasets, run.datasets, catalogue.datasets)
    return [
        Cell(model, precision, dataset, prompting, shots)
        for model in models
        for dataset in datasets
        for prompting in _narrowed(study.promptings, run.promptings)
        for shots in _narrowed(study.shots, run.shots)
        for precision in precisions
        if catalogue.models[model].runs_at(catalogue.precisions[precision])
    ]


def run_cells(catalogue: Catalogue) -> list[Cell]:
    """Every cell of the run once, however many studies want it.

    Raises:
        ConfigError: no cell is left, a model cannot be loaded at any of the run's precisions (or none of them at one), a cell
            wants worked examples of a dataset without a train or dev split, no prompt template of the published form where these are
            asked for, or several chains of an engine that cannot draw them by sample.
    """
    _check_published_precisions(catalogue)
    cells = list(dict.fromkeys(cell for name in _with_cells(catalogue) for cell in study_cells(catalogue, name)))
    if not cells:
        raise ConfigError(_no_cells(catalogue))
    specs = cell_specs(catalogue, cells).values()
    if catalogue.run.protocol.prompts == "as_published":
        for template in dict.fromkeys(spec.template for spec in specs):
            read_template(template)
    _check_few_shot_pools(specs, data_folder(catalogue.root, catalogue.run))
    _check_continuous(specs)
    return cells


def _no_cells(catalogue: Catalogue) -> str:
    """Why a run has no cells: which models its studies list, where none of them is the run's."""
    run = catalogue.run
    if not run.inference.has_further_plans and set(run.studies) <= {*_floor_studies(catalogue)}:
        return (
            f"no cells: {', '.join(run.studies)} needs other batch plans, and inference.engine: {run.inference.engine} with "
            f"max_batch_size: {run.inference.max_batch_size} has none; use inference.engine: static with larger batches"
        )
    named = [catalogue.studies[name].models for name in run.studies]
    listed = list(dict.fromkeys(model for models in named if models != "all" for model in models))
    if run.models == "all" or "all" in named or set(listed) & set(run.models):
        return "no cells: the run's models, precisions, datasets, shots and promptings share nothing with its studies"
    anyone = next(
        (name for name, study in catalogue.studies.items() if study.models == "all" and not study.subset_of), None
    )
    other = f", such as {anyone} (studies: [{anyone}])" if anyone else ""
    return (
        f"no cells: the run's 'models' are {', '.join(run.models)}, and its studies ({', '.join(run.studies)}) list "
        f"{', '.join(listed)} alone; name a study that takes all models{other}"
    )


def _floor_studies(catalogue: Catalogue) -> list[str]:
    """The studies that run noise floors and nothing else."""
    floors = catalogue.noise_floors.keys()
    return [name for name, study in catalogue.studies.items() if set(study.precisions) <= floors]


@dataclass(frozen=True, slots=True)
class WantedCells:
    """The cells of a run: every one once, those of each study that it names, and those that its studies give figures."""

    every: tuple[Cell, ...]
    studies: Mapping[str, tuple[Cell, ...]]
    figures: Mapping[str, tuple[Cell, ...]]


def wanted_cells(catalogue: Catalogue) -> WantedCells:
    """The cells of a run, its studies and its figures; a study of which the run leaves no cell has no figure.

    Raises:
        ConfigError: as :func:`run_cells`, or two studies feed one figure.
    """
    figures: dict[str, tuple[Cell, ...]] = {}
    for name, study in active_studies(catalogue).items():
        # Figures compare precisions of one model, and published quantized weights have no other precision beside them.
        cells = tuple(cell for cell in study_cells(catalogue, name) if not catalogue.models[cell.model].precision)
        if study.figure in figures:
            raise ConfigError(
                f"{catalogue.run.studies_file}: study {name!r} has 'figure: {study.figure}', and so has another study of "
                "the run; give each figure one study"
            )
        if study.figure and cells:
            figures[study.figure] = cells
    studies = {name: tuple(study_cells(catalogue, name)) for name in _with_cells(catalogue)}
    return WantedCells(tuple(run_cells(catalogue)), studies, figures)


def _with_cells(catalogue: Catalogue) -> list[str]:
    """The studies that give the run its cells: subsets add none."""
    return [*catalogue.run.studies, *own_studies(catalogue)]


def _narrowed(wanted: list[Value], allowed: list[Value] | Literal["all"]) -> list[Value]:
    return wanted if allowed == "all" else [value for value in wanted if value in allowed]


def _precisions(study: StudyEntry, allowed: list[str] | str, precisions: Mapping[str, PrecisionEntry]) -> list[str]:
    """Like other names, but a noise floor is wanted only by name, and kept wherever the precision it repeats is."""
    floors = {name: entry.noise_floor_of for name, entry in precisions.items() if entry.noise_floor_of}
    known = {name: entry for name, entry in precisions.items() if name not in floors}
    if isinstance(allowed, list):
        allowed = [*allowed, *(name for name, repeated in floors.items() if repeated in allowed)]
    return [name for name in _chosen(study.precisions, allowed, known) if study.precisions != "all" or name in known]


def _chosen(wanted: list[str] | str, allowed: list[str] | str, known: Mapping[str, object]) -> list[str]:
    """Names in the study's order where it lists them, else in the run's, else in the catalogue's."""
    if isinstance(wanted, str):
        return list(known) if isinstance(allowed, str) else list(allowed)
    return [name for name in wanted if isinstance(allowed, str) or name in allowed]


def _check_published_precisions(catalogue: Catalogue) -> None:
    """What the run names must be of use to one another: a model published quantized, and the precision for such models."""
    models = _chosen("all", catalogue.run.models, catalogue.models)
    precisions = _chosen("all", catalogue.run.precisions, catalogue.precisions)
    pairs = [
        (model, precision)
        for model in models
        for precision in precisions
        if catalogue.models[model].runs_at(catalogue.precisions[precision])
    ]
    for name in models if isinstance(catalogue.run.models, list) else []:
        if name not in {model for model, _ in pairs}:
            own = catalogue.models[name].precision
            raise ConfigError(
                f"the run's 'precisions' are {', '.join(precisions)}, and the entry of model {name!r} has 'precision: "
                f"{own or 'null'}', which is loaded at none of them; name {own or REFERENCE!r} under 'precisions', or leave the "
                "model out"
            )
    for name in precisions if isinstance(catalogue.run.precisions, list) else []:
        if name not in {precision for _, precision in pairs}:
            wanted = AS_PUBLISHED if catalogue.precisions[name].method == AS_PUBLISHED else "null"
            raise ConfigError(
                f"the run's 'precisions' name {name!r}, which is for models with 'precision: {wanted}' in their entry, and none "
                "of 'models' is one; leave it out"
            )


def _check_continuous(specs: Iterable[CellSpec]) -> None:
    for spec in specs:
        if spec.inference.engine == "continuous" and spec.cell.prompting == "self_consistency":
            raise ConfigError(
                f"study cell {spec.cell.label}: inference.engine 'continuous' cannot run a self_consistency cell, since its draws "
                "would depend on what runs side by side, not on the sample alone; leave such cells out of 'studies', or use "
                "inference.engine: static"
            )


def _check_few_shot_pools(specs: Iterable[CellSpec], folder: Path | None) -> None:
    for spec in specs:
        cell, entry = spec.cell, spec.dataset
        splits = [split for split in entry.few_shot_splits if entry.files.get(split)]
        if folder is not None:
            splits = [split for split in splits if find_file(entry, split, folder / cell.dataset)]
        if cell.shots > 0 and not splits:
            where = f"in {folder / cell.dataset}" if folder else f"in config/datasets/{cell.dataset}/dataset.yaml"
            raise ConfigError(
                f"study cell {cell.label}: needs worked examples, and no {' or '.join(entry.few_shot_splits)} file of "
                f"{cell.dataset} stands {where}; set shots to 0 for it or add the file"
            )
