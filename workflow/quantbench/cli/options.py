"""The options that several commands share: one name for one thing, declared once and taken as argparse's parents.

RUN is always a run's folder, such as results/demo; a configuration is always --configfile and --config, laid over the
catalogue's config/config.yaml as Snakemake does it; where entries of one's own stand is always --root.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Sequence
from itertools import takewhile
from pathlib import Path

from ..config import FAMILIES, Catalogue, assigned, layered, load, located, recorded_settings, working_root
from ..config.settings import merged, read_yaml
from ..contracts.cell_name import Cell
from ..contracts.files import read_json
from ..contracts.run_settings import RunSettings
from ..errors import ConfigError, DataError, nearest
from .argument_types import a_path

FORMS = ("text", "csv", "json")


def _parent() -> argparse.ArgumentParser:
    return argparse.ArgumentParser(add_help=False)


ROOT = _parent()
ROOT.add_argument(
    "--root", type=a_path, metavar="DIR", help="folder whose config/ goes before the shipped (default: here)"
)

CONFIGURATION = _parent()
CONFIGURATION.add_argument(
    "--configfile",
    action="append",
    type=a_path,
    metavar="FILE",
    help="a run's configuration, laid over config/config.yaml; may be repeated",
)
CONFIGURATION.add_argument(
    "--config", nargs="+", action="extend", metavar="KEY=VALUE", help="single settings, laid over the files"
)

FORMAT = _parent()
FORMAT.add_argument("--format", choices=FORMS, default="text", help="text for people (default); csv, json for programs")

RUN = _parent()
RUN.add_argument("run", type=a_path, metavar="RUN", help="a run's folder, such as results/demo")

RUN_OR_CONFIGURED = _parent()
RUN_OR_CONFIGURED.add_argument(
    "run",
    type=a_path,
    nargs="?",
    metavar="RUN",
    help="a run's folder, such as results/demo (default: the configured run)",
)

REASONING = _parent()
REASONING.add_argument(
    "--reasoning",
    nargs="+",
    action="extend",
    metavar=("FAMILY", "CLOSE"),
    help=f"how the model marks its thoughts: {', '.join(FAMILIES)}, or the opening and the closing marker",
)

MODELS = _parent()
MODELS.add_argument("--model", action="append", metavar="NAME", help="instead of the configured; may be repeated")


def add_phrases(parser: argparse.ArgumentParser) -> None:
    """Declare the option of commands that search for texts which may not be passed on."""
    parser.add_argument(
        "--phrases",
        action="append",
        type=a_path,
        default=[],
        metavar="FILE",
        help="phrases that are no secret, one a paragraph, wherever they stand; may be repeated",
    )


def bounded(words: Sequence[str]) -> list[str]:
    """Words of a command line in which ``--reasoning`` has its own values and no more: argparse would give it the next argument too.

    Behind a family's name nothing belongs to it, behind an opening marker the closing one does.
    """
    if "--reasoning" not in words:
        return list(words)
    place = words.index("--reasoning") + 1
    count = 1 if words[place : place + 1] and words[place] in FAMILIES else 2
    values = list(takewhile(lambda word: not word.startswith("--"), words[place : place + count]))
    if not values:
        return list(words)
    return [*words[: place - 1], *(f"--reasoning={value}" for value in values), *words[place + len(values) :]]


def stated_reasoning(arguments: argparse.Namespace) -> str | dict[str, str] | None:
    """What ``--reasoning`` says, as an entry would: a family's name, or both markers; None: nothing.

    Raises:
        ConfigError: more than two markers.
    """
    words: list[str] | None = arguments.reasoning
    if words is not None and len(words) > 2:
        raise ConfigError(f"--reasoning has {len(words)} values; give a family, or the opening and the closing marker")
    if not words:
        return None
    return words[0] if len(words) == 1 else {"open": words[0], "close": words[1]}


def root_of(arguments: argparse.Namespace) -> Path:
    """The folder where a command's relative paths start.

    Raises:
        ConfigError: --root names a folder without a catalogue.
    """
    stated: Path | None = arguments.root
    return working_root(stated)


def configured(arguments: argparse.Namespace) -> Catalogue:
    """The checked configuration that ``--root``, ``--configfile`` and ``--config`` name.

    Raises:
        ConfigError: no such catalogue or file, or settings that do not hold.
    """
    files: list[Path] = arguments.configfile or []
    root = root_of(arguments)
    named: list[str] = [
        *(map(str, files) if files else ["config/config.yaml"]),
        *(["--config"] if arguments.config else []),
    ]
    asked = [name for option in ("model", "precision") for name in getattr(arguments, option, None) or []]
    return load(root, layered(root, files, arguments.config or []), ", ".join(named), asked)


def recorded(arguments: argparse.Namespace) -> Catalogue:
    """The checked configuration of the run RUN: as stated by options, else as the run's own files record it.

    Raises:
        DataError: no such folder, or none of its files records a configuration.
        ConfigError: the catalogue no longer has what the run names.
    """
    folder: Path = arguments.run
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; give a run's folder, such as results/demo")
    if arguments.configfile:
        return configured(arguments)
    root = root_of(arguments)
    stated, source = _recorded(folder)
    settings = recorded_settings(stated)
    data = settings.get("data")
    if isinstance(data, dict) and data.get("folder") and not located(root, str(data["folder"])).is_dir():
        settings = merged(settings, {"data": {"folder": None}})  # the texts are no longer here
    return load(root, merged(settings, assigned(arguments.config or [])), source)


def _recorded(folder: Path) -> tuple[dict[str, object], str]:
    """The settings that a run's files record, and which file that is."""
    opened = folder / "run.yaml"
    if opened.is_file():
        return read_yaml(opened), str(opened)
    if (folder / RunSettings.path).is_file():
        return read_json(folder / RunSettings.path), str(folder / RunSettings.path)
    for path in sorted(folder.glob("cells/*/*/*/*/manifest.json")):
        settings = read_json(path).get("configuration")
        if settings:
            return settings, str(path)
    raise DataError(f"{folder}: no finished cell that records a configuration; name it with --configfile")


def run_or_configured(arguments: argparse.Namespace) -> tuple[Catalogue, Path]:
    """The configuration and folder of RUN, or of the configured run where none is given."""
    if arguments.run is not None:
        return recorded(arguments), arguments.run
    catalogue = configured(arguments)
    return catalogue, Path(catalogue.run_folder)


def planned_cells(catalogue: Catalogue) -> list[Cell]:
    """The cells that a run is to have, without those that do not fit where it leaves these out."""
    # Most commands plan nothing, and start sooner without.
    from ..planner import Requests, fitting
    from ..study.grid import run_cells
    from ..study.spec import cell_specs

    specs = cell_specs(catalogue, run_cells(catalogue))
    return [spec.cell for spec in fitting(Requests(catalogue.run.hardware), list(specs.values()))]


def chosen(asked: Iterable[str] | None, known: Iterable[str], option: str, usual: Iterable[str] | str) -> list[str]:
    """The names asked for, each once, or the usual ones (``all``: every known one).

    Raises:
        ConfigError: an unknown name, with the nearest known one.
    """
    names = list(known)
    if asked is None:
        return names if usual == "all" else list(usual)
    for name in asked:
        if name not in names:
            raise ConfigError(f"{option} {name!r} is unknown{nearest(name, names)}")
    return list(dict.fromkeys(asked))


def shown(path: Path) -> str:
    """A path as people read it: relative where it lies in the working directory."""
    return os.path.relpath(path) if path.is_absolute() and path.is_relative_to(Path.cwd()) else str(path)
