"""Reading ``config/`` as a whole: the run's settings with the models, precisions, datasets and studies they name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from ..errors import ConfigError, nearest
from .entries import DataFile, DatasetEntry, ModelEntry, PrecisionEntry, Split, StudyEntry
from .lock import LockedModel, read_lock
from .run import RunConfig
from .settings import Settings, parse, read_yaml
from .vocabulary import Vocabulary, in_display_order

Entry = TypeVar("Entry", bound=Settings)

CATALOGUE_VARIABLE = "QUANTBENCH_CATALOGUE"
_PACKAGE = Path(__file__).resolve().parents[1]
# Where an installed package keeps its copy of config/, resources/paper/ and the workflow; a checkout has none.
_PACKAGED = _PACKAGE / "_catalogue"


@dataclass(frozen=True)
class Catalogue:
    """A checked configuration. ``root`` holds ``config/`` (the repository, or what ``catalogue_root`` names); relative
    paths in configuration files start there.
    """

    root: Path
    run: RunConfig
    models: dict[str, ModelEntry]
    precisions: dict[str, PrecisionEntry]
    datasets: dict[str, DatasetEntry]
    studies: dict[str, StudyEntry]
    locked: dict[str, LockedModel] = field(default_factory=dict)

    @property
    def noise_floors(self) -> dict[str, str]:
        """Each precision that only repeats another under a second batch plan -> the precision it repeats."""
        return self.vocabulary.noise_floors

    @property
    def vocabulary(self) -> Vocabulary:
        """What tables, figures, recommendations and the report need to know of all this."""
        return Vocabulary(
            in_display_order(self.models, self.run.models),
            in_display_order(self.precisions, self.run.precisions),
            in_display_order(self.datasets, self.run.datasets),
        )

    @property
    def run_folder(self) -> str:
        """The results tree of this run, relative to the working directory."""
        return f"{self.run.results_folder}/{self.run.run}"


def catalogue_root(stated: Path | None = None) -> Path:
    """The folder whose ``config/`` is the catalogue, by one rule for all commands and jobs.

    The first of: ``stated`` (an option), the environment's ``QUANTBENCH_CATALOGUE``, the working directory where it holds
    ``config/models``, the checkout this package lies in, and the copy that an installed package brings.

    Raises:
        ConfigError: what was stated, or what is left to take, holds no ``config/models``.
    """
    named = os.environ.get(CATALOGUE_VARIABLE)
    for folder, origin in ((stated, "--root"), (Path(named) if named else None, CATALOGUE_VARIABLE)):
        if folder is not None:
            if not _holds_catalogue(folder):
                raise ConfigError(
                    f"{folder}: {origin} names it, but it holds no config/models; name a folder that does"
                )
            return folder.resolve()
    for folder in (Path.cwd(), _PACKAGE.parents[1], _PACKAGED):
        if _holds_catalogue(folder):
            return folder
    raise ConfigError(
        f"no catalogue found: neither {Path.cwd()} nor {_PACKAGED} holds config/models; name a folder that does with "
        f"--root or {CATALOGUE_VARIABLE}"
    )


def _holds_catalogue(folder: Path) -> bool:
    return (folder / "config/models").is_dir()


def load(root: Path, settings: dict[str, Any], source: str) -> Catalogue:
    """Check a run's settings against the catalogue in ``root/config``.

    Args:
        root: the repository.
        settings: the run's configuration, as Snakemake merged it.
        source: the configuration file's name, for messages.

    Raises:
        ConfigError: unknown keys or names, with the nearest known one; impossible combinations.
    """
    run = parse(RunConfig, settings, source)
    root = root / run.catalogue_root
    if not (root / "config").is_dir():
        raise ConfigError(
            f"{source}: key 'catalogue_root' has the value {run.catalogue_root!r}: no folder config/ there ({root})"
        )
    folder = data_folder(root, run)
    if folder is not None and not folder.is_dir():
        raise ConfigError(f"{source}: key 'data.folder' has the value {run.data.folder!r}: no such folder ({folder})")
    catalogue = Catalogue(
        root=root,
        run=run,
        models=read_entries(root / "config/models", ModelEntry),
        precisions=read_entries(root / "config/precisions", PrecisionEntry),
        datasets=load_datasets(root, folder),
        studies=_studies(root / run.studies_file),
        locked=read_lock(root),
    )
    _check_names(catalogue, source)
    _check_noise_floors(catalogue, source)
    return replace(catalogue, models=_with_stand_ins(catalogue, source))


def data_folder(root: Path, run: RunConfig) -> Path | None:
    """The local folder datasets come from, or None where they are downloaded."""
    return (root / run.data.folder) if run.data.folder else None


def load_datasets(root: Path, folder: Path | None = None) -> dict[str, DatasetEntry]:
    """Read every dataset's entry.

    A local folder may state its own files: ``<folder>/<dataset>/files.yaml`` takes the place of the entry's ``files``.
    """
    entries: dict[str, DatasetEntry] = {}
    for path in sorted((root / "config/datasets").glob("*/dataset.yaml")):
        value, source = read_yaml(path), str(path)
        own = folder / path.parent.name / "files.yaml" if folder else None
        if own and own.exists():
            value["files"], source = read_yaml(own), f"{path} with the files of {own}"
        entries[path.parent.name] = parse(DatasetEntry, value, source)
    return entries


def find_file(entry: DatasetEntry, split: Split, folder: Path) -> DataFile | None:
    """The first of the entry's acceptable files of a split that stands in ``folder``."""
    return next((file for file in entry.files.get(split, []) if (folder / file.name).exists()), None)


def read_entries(folder: Path, kind: type[Entry]) -> dict[str, Entry]:
    """Read every ``<name>.yaml`` of a folder as one kind of entry, by name."""
    return {path.stem: parse(kind, read_yaml(path), str(path)) for path in sorted(folder.glob("*.yaml"))}


def _studies(path: Path) -> dict[str, StudyEntry]:
    studies: dict[str, StudyEntry] = {}
    for name, value in read_yaml(path).items():
        if not isinstance(value, dict):
            raise ConfigError(f"{path}: study {name!r} has the value {value!r}; expected keys such as models, datasets")
        studies[name] = parse(StudyEntry, value, f"{path}, study {name!r}")
    return studies


def _check_names(catalogue: Catalogue, source: str) -> None:
    run, studies_file = catalogue.run, catalogue.run.studies_file
    known: dict[str, Mapping[str, Settings]] = {
        "models": catalogue.models,
        "precisions": catalogue.precisions,
        "datasets": catalogue.datasets,
    }
    _refuse_unknown(run.studies, catalogue.studies, "study", "studies", source)
    for key, entries in known.items():
        _refuse_unknown(getattr(run, key), entries, key.rstrip("s"), key, source)
        for name, study in catalogue.studies.items():
            _refuse_unknown(getattr(study, key), entries, key.rstrip("s"), f"{name}.{key}", studies_file)
    for name, study in catalogue.studies.items():
        if study.subset_of is not None:
            _refuse_unknown([study.subset_of], catalogue.studies, "study", f"{name}.subset_of", studies_file)


def _with_stand_ins(catalogue: Catalogue, source: str) -> dict[str, ModelEntry]:
    """The models, those that the run wants with random weights turned into such stand-ins."""
    wanted, models = catalogue.run.random_weights.models, catalogue.models
    _refuse_unknown(wanted, models, "model", "random_weights.models", source)
    return {
        name: entry.model_copy(update={"weights": "random"}) if wanted == "all" or name in wanted else entry
        for name, entry in models.items()
    }


def _check_noise_floors(catalogue: Catalogue, source: str) -> None:
    """A noise floor repeats a known precision exactly, and stands beside results, never among them."""
    floors, folder = catalogue.noise_floors, catalogue.root / "config/precisions"
    for name, repeated in floors.items():
        _refuse_unknown([repeated], catalogue.precisions, "precision", "noise_floor_of", str(folder / f"{name}.yaml"))
        own, other = catalogue.precisions[name], catalogue.precisions[repeated]
        if repeated in floors or (own.method, own.settings) != (other.method, other.settings):
            raise ConfigError(
                f"{folder / f'{name}.yaml'}: key 'noise_floor_of' has the value {repeated!r}, whose method and settings "
                "differ (or which is a noise floor itself); a noise floor repeats the very same loading"
            )
    for name in catalogue.run.precisions if isinstance(catalogue.run.precisions, list) else []:
        if name in floors:
            raise ConfigError(
                f"{source}: key 'precisions' names {name!r}, the noise floor of {floors[name]!r}; leave it out and name "
                "a study that runs it, such as noise_floor, under 'studies'"
            )
    for name, study in catalogue.studies.items():
        shown = set(study.precisions) & floors.keys() if study.figure and isinstance(study.precisions, list) else set()
        if shown:
            raise ConfigError(
                f"{catalogue.run.studies_file}: study {name!r} has a figure and names {', '.join(sorted(shown))}, a noise "
                "floor, which is no precision to show; give it a study without a figure"
            )


def _refuse_unknown(names: list[str] | str, known: Mapping[str, Settings], word: str, key: str, source: str) -> None:
    for name in names if isinstance(names, list) else []:
        if name not in known:
            raise ConfigError(f"{source}: key {key!r} names the unknown {word} {name!r}{nearest(name, known)}")
