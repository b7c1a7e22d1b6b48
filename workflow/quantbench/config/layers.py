"""Where entries and relative paths are looked for: in the user's folder, then in the catalogue that is shipped."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import ConfigError

CATALOGUE_VARIABLE = "QUANTBENCH_CATALOGUE"
_PACKAGE = Path(__file__).resolve().parents[1]
# Where an installed package keeps its copy of config/, resources/documents/, resources/paper/, resources/published/ and the
# workflow; a checkout has none.
_PACKAGED = _PACKAGE / "_catalogue"


def working_root(stated: Path | None = None) -> Path:
    """Where the relative paths of a configuration start: what an option names, else the working directory.

    Raises:
        ConfigError: what is stated holds no ``config/models``.
    """
    return Path.cwd() if stated is None else _checked(stated, "--root")


def shipped_catalogue() -> Path:
    """The folder with the entries that count where the user has none: the first of what the environment's
    ``QUANTBENCH_CATALOGUE`` names, the checkout this package lies in, and the copy that an installed package brings.

    Raises:
        ConfigError: what is named, or what is left to take, holds no ``config/models``.
    """
    if CATALOGUE_VARIABLE in os.environ:
        return _checked(Path(os.environ[CATALOGUE_VARIABLE]), CATALOGUE_VARIABLE)
    for folder in (_PACKAGE.parents[1], _PACKAGED):
        if _holds_catalogue(folder):
            return folder
    raise ConfigError(
        f"no catalogue found: neither {Path.cwd()} nor {_PACKAGED} holds config/models; name a folder that does with "
        f"--root or {CATALOGUE_VARIABLE}"
    )


def _checked(folder: Path, origin: str) -> Path:
    if not _holds_catalogue(folder):
        raise ConfigError(f"{folder}: {origin} names it, but it holds no config/models; name a folder that does")
    return folder.resolve()


def located(root: Path, name: str) -> Path:
    """Where a file or folder that the configuration names stands: under ``root``, else in the shipped catalogue.

    Args:
        root: the working directory, or what an option names.
        name: path relative to it; an absolute one stays as it is, and ``~`` is the user's home.

    What stands in neither is expected under ``root``.
    """
    name = os.path.expanduser(name)  # noqa: PTH111, which leaves a user nobody knows as it is
    own = root / name
    shipped = own if own.exists() else shipped_catalogue() / name
    return shipped if shipped.exists() else own


def _holds_catalogue(folder: Path) -> bool:
    return (folder / "config/models").is_dir()
