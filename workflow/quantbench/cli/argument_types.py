"""Types of the command line's values: paths that can be, and numbers of a size; anything else is wrong usage."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable
from functools import cache
from pathlib import Path

from ..config.place import LONGEST_PART
from ..errors import shorten

_LONGEST = 4000  # bytes of a path, which Linux ends at 4096
_LONGEST_NUMBER = 40


def a_path(text: str) -> Path:
    """The path of a file or folder.

    Raises:
        ArgumentTypeError: it is empty, holds a character that no file's name has, or is longer than the system takes.
    """
    if not text:
        raise ArgumentTypeError("the path is empty; '.' is the folder you are in")
    if "\0" in text or "\n" in text:
        raise ArgumentTypeError(f"no file can be meant by {shorten(text)}, which holds a zero byte or a line end")
    encoded = text.encode("utf-8", "surrogateescape") if _is_of_the_system(text) else None
    if encoded is None:
        raise ArgumentTypeError(f"no file can be meant by {shorten(text)}, which holds half of a character")
    if len(encoded) > _LONGEST or max(map(len, encoded.split(b"/"))) > LONGEST_PART:
        raise ArgumentTypeError(f"{shorten(text)} is longer than file systems take")
    return Path(text)


@cache
def whole(most: int) -> Callable[[str], int]:
    """Whole numbers up to ``most``; how small one may be, the command says."""

    def read(text: str) -> int:
        value = int(text) if text.strip().lstrip("+-").isdecimal() and len(text) <= _LONGEST_NUMBER else None
        if value is None or value > most:
            raise ArgumentTypeError(f"expected a whole number up to {most}, found {shorten(text)}")
        return value

    return read


def _is_of_the_system(text: str) -> bool:
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True
