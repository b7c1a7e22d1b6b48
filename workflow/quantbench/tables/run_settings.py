"""The settings a run's tables were made with, kept beside them: what reads tables later needs no configuration file."""

from __future__ import annotations

from pathlib import Path

from ..config import Catalogue, load
from ..contracts.files import read_json, write_json

SETTINGS_FILE = "tables/configuration.json"


def write_settings(catalogue: Catalogue, results: Path) -> None:
    """Write the run's settings below ``results/<run>``."""
    write_json(results / SETTINGS_FILE, catalogue.run.model_dump(mode="json"))


def load_run(root: Path, results: Path) -> Catalogue:
    """The catalogue of a run that has tables; its datasets' files need not be here.

    Raises:
        DataError: no such file, or not JSON.
        ConfigError: the repository's entries no longer have what the run names.
    """
    settings = read_json(results / SETTINGS_FILE)
    return load(root, settings | {"data": {"folder": None}}, str(results / SETTINGS_FILE))
