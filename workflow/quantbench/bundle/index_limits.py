"""How large an index from elsewhere may be, held against it step by step, so that what comes next takes little memory.

Python takes twenty times the bytes of a JSON text that is nothing but brackets, four times those of a text with one rare character, and
a kilobyte for each wrong field that pydantic tells of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import JsonValue, ValidationError

from ..config.settings import explain
from ..contracts.bundle_index import Index, Member
from ..errors import DataError, shorten

LARGEST_INDEX = 8 << 20  # bytes; a run of ten thousand cells needs them
MOST_VALUES = 300_000
LONGEST_TEXT = 10_000  # characters
# Values below these keys. Files are bounded by the above: a run of ten thousand cells has forty thousand.
_MOST = {"cells": 20_000, "figures": 1_000, "without_texts": 1_000, "without_outputs": 1_000, "configuration": 5_000}
_MOST_KEYS = 100
_STEP = "get the file again, or have a run of that size packed in parts"


def refuse_large(size: int, where: str) -> None:
    """Refuse an index before it is read.

    Args:
        size: of the index, in bytes.
        where: bundle and index, as errors name them.

    Raises:
        DataError: more than ``LARGEST_INDEX``.
    """
    if size > LARGEST_INDEX:
        raise DataError(
            f"{where}: {size / 2**20:.0f} MiB, more than the {LARGEST_INDEX >> 20} MiB that it may have; {_STEP}"
        )


def refuse_crowded(content: bytes, where: str) -> None:
    """Refuse an index before it is parsed.

    Raises:
        DataError: more than ``MOST_VALUES``.
    """
    if sum(content.count(sign) for sign in (b",", b"[", b"{")) > MOST_VALUES:
        raise DataError(f"{where}: more than the {MOST_VALUES:,} values that it may have; {_STEP}")


def refuse_odd_sizes(value: Mapping[str, JsonValue], where: str) -> None:
    """Refuse a parsed index before its fields are checked.

    Raises:
        DataError: more values than a run's index has, a text longer than ``LONGEST_TEXT``, or a file stated wrongly; the first.
    """
    if len(value) > _MOST_KEYS:
        raise DataError(f"{where}: {len(value):,} keys; {Index.remedy}")
    for text in (one for one in _every(value) if isinstance(one, str)):
        if len(text) > LONGEST_TEXT:
            raise DataError(f"{where}: {shorten(text[:99])} goes on for {len(text):,} characters; {Index.remedy}")
    for key, most in _MOST.items():
        count = sum(1 for _ in _every(value.get(key)))
        if count > 2 * most:  # of a mapping, keys count too
            raise DataError(
                f"{where}: key {key!r} has {count:,} values, more than the {2 * most:,} that it may have; {_STEP}"
            )
    files = value.get("files")
    for path, stated in files.items() if isinstance(files, dict) else ():
        try:
            Member.model_validate(stated)
        except ValidationError as error:
            first = error.errors()[0]
            wrong = explain(Index, {**first, "loc": ("files", shorten(path).strip("'"), *first["loc"])})
            raise DataError(f"{where}: {wrong}; {Index.remedy}") from None


def _every(value: object) -> Iterator[object]:
    """Every value in another, itself and keys included."""
    pending = [value]
    while pending:
        one = pending.pop()
        yield one
        if isinstance(one, dict):
            pending += [*one, *one.values()]
        elif isinstance(one, list):
            pending += one
