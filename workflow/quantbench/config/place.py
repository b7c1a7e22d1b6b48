"""Names of files and folders in a configuration: what every file system takes, and Snakemake does not read as a pattern."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from pydantic import AfterValidator

LONGEST_PART, LONGEST = 255, 1000  # bytes; the second leaves room for what lies below a folder


def named(place: str) -> str:
    """The path of a file or folder, once it can be one.

    Raises:
        ValueError: it is empty, holds a control character or braces, or is longer than file systems take.
    """
    if not place.strip():
        raise ValueError("it is empty; name a file or folder")
    odd = next((letter for letter in place if unicodedata.category(letter) in ("Cc", "Cs")), None)
    if odd is not None:
        raise ValueError(f"no file can have {odd!r} in its name")
    if set("{}") & set(place):
        raise ValueError("braces stand for wildcards in Snakemake; choose another name")
    if len(place.encode()) > LONGEST or max(len(part.encode()) for part in place.split("/")) > LONGEST_PART:
        raise ValueError(
            f"longer than file systems take ({LONGEST_PART} bytes a name, {LONGEST} in all); choose a shorter one"
        )
    return place


def named_below(place: str) -> str:
    """The path of a file in a folder, once it can be one and stays in it.

    Raises:
        ValueError: as of :func:`named`, or it leads out of the folder.
    """
    if place.startswith("/") or ".." in place.split("/"):
        raise ValueError("it leads out of the folder; name a file in it")
    return named(place)


Place = Annotated[str, AfterValidator(named)]
PlaceBelow = Annotated[str, AfterValidator(named_below)]
