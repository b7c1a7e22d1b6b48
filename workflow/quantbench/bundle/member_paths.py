"""Which paths a bundle's files may have: named kinds of files, no two of which could get in each other's way on any disk."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..errors import DataError, shorten
from ..figures import FORMATS

LONGEST_PATH, LONGEST_NAME = 512, 200  # characters; every file system takes both, with a results folder before them
# Nothing that leads elsewhere, is hidden, or means something to a shell.
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*")
_NAME = NAME.pattern
_KINDS = re.compile(
    "|".join(
        (
            rf"cells(/{_NAME}){{4}}/((measurements|manifest|scores)\.json|(predictions|scored|repeat_[0-9]+)\.jsonl)",
            rf"datasets/{_NAME}/(samples\.jsonl|shots\.jsonl|dataset\.json)",
            rf"config/((models|precisions)/{_NAME}\.yaml|datasets/{_NAME}/{_NAME}|studies\.yaml)",
            rf"packed/tables/{_NAME}\.csv",
            r"resources/paper/table1\.csv",
        )
    )
)
_FIGURE = re.compile(rf"{_NAME}\.({'|'.join(FORMATS)})")


def check_paths(paths: Iterable[str], source: str, step: str) -> None:
    """Refuse what no bundle holds, and names that are one on disks that do not tell upper from lower case.

    Args:
        paths: the files of a bundle, relative to it.
        source: the bundle, as errors name it.
        step: what to do about it.

    Raises:
        DataError: with the first such path.
    """
    folders: dict[str, str] = {}
    leaves: dict[str, str] = {}
    for path in paths:
        _check_path(path, source, step)
        folder = path.rpartition("/")[0]
        if folder not in folders:
            parts = folder.split("/")
            for end in range(1, len(parts) + 1):
                _spelled_once(folders, "/".join(parts[:end]), source, step)
        _spelled_once(leaves, path, source, step)


def _check_path(path: str, source: str, step: str) -> None:
    if len(path) > LONGEST_PATH or not _KINDS.fullmatch(path):
        raise DataError(f"{source}: the archive names {shorten(path)}, which no bundle has; {step}")
    longest = max(path.split("/"), key=len)
    if len(longest) > LONGEST_NAME:
        raise DataError(
            f"{source}: the archive names {shorten(longest)}, and no name may be longer than {LONGEST_NAME} characters; {step}"
        )


def _spelled_once(seen: dict[str, str], path: str, source: str, step: str) -> None:
    other = seen.setdefault(path.lower(), path)
    if other != path:
        raise DataError(f"{source}: the archive names {other} and {path}, which are one on many disks; {step}")


def check_figures(names: Iterable[str], source: str, step: str) -> None:
    """Refuse names that no figure of a run has.

    Raises:
        DataError: with the first such name.
    """
    for name in names:
        if len(name) > LONGEST_NAME or not _FIGURE.fullmatch(name):
            raise DataError(f"{source}: the index names the figure {shorten(name)}, which no run draws; {step}")
