"""Reading ``config/`` as a whole: the run's settings with the models, precisions, datasets and studies they name."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from ..errors import ConfigError, nearest
from ..reading import yaml_text
from .effective import datasets_under, models_under
from .entries import DataFile, DatasetEntry, PrecisionEntry, Split, StudyEntry
from .layers import located, shipped_catalogue
from .lock import LOCK_FILE, LockedModel, read_lock
from .model_entry import ModelEntry
from .run import RunConfig
from .settings import Settings, merged, parse, read_yaml
from .vocabulary import Vocabulary, in_display_order

Entry = TypeVar("Entry", bound=Settings)


@dataclass(frozen=True)
class Catalogue:
    """A checked configuration. Relative paths in it start at ``root``, the working directory or what ``catalogue_root``
    names; what is read and does not stand there is taken from the shipped catalogue (:func:`located`).
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


def load(root: Path, settings: dict[str, Any], source: str, asked: Iterable[str] = ()) -> Catalogue:
    """Check a run's settings against the catalogue.

    Entries that the run does not name are left out where they are wrong: one that somebody is still writing stops no other run.

    Models and datasets are those that the run's protocol makes of their entries (:mod:`quantbench.config.effective`).

    An entry under ``root/config`` goes before the shipped one of the same name. A run that names its own
    ``catalogue_root``, as an opened bundle does, has the entries there and no others.

    Args:
        root: the working directory.
        settings: the run's configuration, as Snakemake merged it.
        source: the configuration file's name, for messages.
        asked: names of entries that are wanted beside those of the run.

    Raises:
        ConfigError: unknown keys or names, with the nearest known one; impossible combinations.
    """
    run = parse(RunConfig, settings, source)
    root = root / run.catalogue_root
    own = run.catalogue_root != "."
    if own and not (root / "config").is_dir():
        raise ConfigError(
            f"{source}: key 'catalogue_root' has the value {run.catalogue_root!r}: no folder config/ there ({root})"
        )
    folder = data_folder(root, run)
    if folder is not None and not folder.is_dir():
        raise ConfigError(f"{source}: key 'data.folder' has the value {run.data.folder!r}: no such folder ({folder})")
    _check_results_folder(run, source)
    studies = _studies(located(root, run.studies_file))
    needed = _Needed(run, studies, tuple(asked))
    catalogue = Catalogue(
        root=root,
        run=run,
        models=load_models(root, own, needed.models),
        precisions=_entries(_files(root, "config/precisions/*.yaml", own), PrecisionEntry, needed.precisions),
        datasets=load_datasets(root, folder, own, needed.datasets),
        studies=studies,
        locked=read_lock(root if (root / LOCK_FILE).exists() else shipped_catalogue()),
    )
    _check_names(catalogue, source)
    _check_noise_floors(catalogue, source)
    return replace(
        catalogue,
        models=models_under(run.protocol, _with_stand_ins(catalogue, source)),
        datasets=datasets_under(run.protocol, catalogue.datasets),
    )


def layered(root: Path, files: Iterable[Path] = (), assignments: Iterable[str] = ()) -> dict[str, object]:
    """A run's settings as Snakemake merges them: the shipped ``config/config.yaml``, that of ``root`` over it, then
    ``files``, then ``KEY=VALUE`` with values in YAML.

    Raises:
        ConfigError: no such file, or an assignment without a key or whose value is no YAML.
    """
    usual = [place / "config/config.yaml" for place in (shipped_catalogue(), root)]
    settings: dict[str, object] = {}
    for path in (*(path for path in dict.fromkeys(usual) if path.exists()), *files):
        settings = merged(settings, read_yaml(path))
    return merged(settings, assigned(assignments))


def assigned(assignments: Iterable[str]) -> dict[str, object]:
    """The settings of ``KEY=VALUE`` texts alone, as :func:`layered` lays them over files."""
    settings: dict[str, object] = {}
    for text in assignments:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise ConfigError(f"--config {text!r} is not KEY=VALUE; a file is named with --configfile")
        settings = merged(settings, {key: yaml_text.parse(value, f"--config {text!r}")})
    return settings


def data_folder(root: Path, run: RunConfig) -> Path | None:
    """The local folder datasets come from, or None where they are downloaded."""
    return located(root, run.data.folder) if run.data.folder else None


def load_models(root: Path, own: bool = False, needed: Container[str] | None = None) -> dict[str, ModelEntry]:
    """Read every model's entry: of the shipped catalogue and of ``root``, which goes first, or ``own``, of it alone.

    Those that are wrong and not ``needed`` are left out (None: all are needed).
    """
    return _entries(_files(root, "config/models/*.yaml", own), ModelEntry, needed)


def load_datasets(
    root: Path, folder: Path | None = None, own: bool = False, needed: Container[str] | None = None
) -> dict[str, DatasetEntry]:
    """Read every dataset's entry, as :func:`load_models` does models'.

    A local folder may state its own files: ``<folder>/<dataset>/files.yaml`` takes the place of the entry's ``files``.
    They are private unless it also says ``private: false``.
    """
    entries: dict[str, DatasetEntry] = {}
    for path in _files(root, "config/datasets/*/dataset.yaml", own):
        name = path.parent.name
        stated = folder / name / "files.yaml" if folder else None
        with _left_out_unless(needed is None or name in needed):
            value, source = read_yaml(path), str(path)
            if stated and stated.exists():
                # Whose files these are nobody has said: the entry's licence is that of the published ones.
                files: dict[str, Any] = {"private": True, **read_yaml(stated)}
                value["private"] = files.pop("private")
                value["files"], source = files, f"{path} with the files of {stated}"
            entries[name] = parse(DatasetEntry, value, source)
    return entries


def find_file(entry: DatasetEntry, split: Split, folder: Path) -> DataFile | None:
    """The first of the entry's acceptable files of a split that stands in ``folder``."""
    return next((file for file in entry.files.get(split, []) if (folder / file.name).exists()), None)


def read_entries(folder: Path, kind: type[Entry]) -> dict[str, Entry]:
    """Read every ``<name>.yaml`` of a folder as one kind of entry, by name."""
    return _entries(sorted(folder.glob("*.yaml")), kind)


def _entries(paths: list[Path], kind: type[Entry], needed: Container[str] | None = None) -> dict[str, Entry]:
    entries = {}
    for path in paths:
        with _left_out_unless(needed is None or path.stem in needed):
            entries[path.stem] = parse(kind, read_yaml(path), str(path))
    return entries


@contextmanager
def _left_out_unless(needed: bool) -> Iterator[None]:
    try:
        yield
    except ConfigError:
        if needed:
            raise


@dataclass(frozen=True)
class _Needed:
    """The names of the entries that must be right: those of the run and its studies file, and those asked for; None: all."""

    run: RunConfig
    studies: Mapping[str, StudyEntry]
    asked: tuple[str, ...]

    @property
    def models(self) -> set[str] | None:
        return self._with([self.run.models, self.run.random_weights.models, *(study.models for study in self._studies)])

    @property
    def precisions(self) -> set[str] | None:
        return self._with([self.run.precisions, *(study.precisions for study in self._studies)])

    @property
    def datasets(self) -> set[str] | None:
        return self._with([self.run.datasets, *(study.datasets for study in self._studies)])

    @property
    def _studies(self) -> Iterable[StudyEntry]:
        return self.studies.values()

    def _with(self, stated: list[list[str] | Literal["all"]]) -> set[str] | None:
        if stated[0] == "all":  # elsewhere it stands for all that the run has
            return None
        return {*self.asked, *(name for names in stated if names != "all" for name in names)}


def _files(root: Path, pattern: str, own: bool) -> list[Path]:
    """Files of a catalogue in the order of their names: of ``root``, and unless it is the run's ``own``, the shipped."""
    places = [root] if own else [shipped_catalogue(), root]
    found = {path.relative_to(place): path for place in places for path in place.glob(pattern)}
    return [found[name] for name in sorted(found)]


def _studies(path: Path) -> dict[str, StudyEntry]:
    studies: dict[str, StudyEntry] = {}
    for name, value in read_yaml(path).items():
        if not isinstance(value, dict):
            raise ConfigError(f"{path}: study {name!r} has the value {value!r}; expected keys such as models, datasets")
        studies[name] = parse(StudyEntry, value, f"{path}, study {name!r}")
    return studies


def _check_results_folder(run: RunConfig, source: str) -> None:
    folder = Path(run.results_folder, run.run)
    blocking = next((path for path in (folder, *folder.parents) if path.exists() and not path.is_dir()), None)
    if blocking is not None:
        raise ConfigError(
            f"{source}: key 'results_folder' has the value {run.results_folder!r}: {blocking} is a file; move it away, or name a folder"
        )


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
        twins = [twin for twin, of in floors.items() if of == repeated and catalogue.precisions[twin].plan == own.plan]
        if twins != [name]:
            raise ConfigError(
                f"{folder}: {' and '.join(twins)} repeat {repeated!r} under one batch plan; give each its own 'plan'"
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
