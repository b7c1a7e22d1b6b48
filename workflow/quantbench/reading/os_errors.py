"""What the operating system refuses, in words: one sentence with the path, the reason and the next step."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

from ..errors import DataError, QuantbenchError, shorten

Kind = type[QuantbenchError]

_REASONS = {
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EISDIR: "it is a folder",
    errno.ENOTDIR: "a part of its path is a file and no folder",
    errno.ELOOP: "symbolic links that lead in a circle",
    errno.ENAMETOOLONG: "the name is longer than the file system takes",
    errno.ENOSPC: "no space left on the disk",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.EFBIG: "larger than the file system or a limit of the process allows",
    errno.EMFILE: "too many files are open",
    errno.ENFILE: "too many files are open on this machine",
    errno.EIO: "the disk or the network failed",
    errno.ESTALE: "the network file system lost it",
    errno.ETXTBSY: "a program is running from it",
}
_REMEDIES = {
    errno.ENOSPC: "make room and run again",
    errno.EDQUOT: "make room and run again",
    errno.EROFS: "name a folder that can be written",
    errno.EFBIG: "raise the limit (ulimit -f), or write to another file system",
    errno.EACCES: "name a folder that you may write",
    errno.EPERM: "name a folder that you may write",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EISDIR: "move that folder away",
    errno.ENOTDIR: "move that file away",
}


def reason(error: OSError | ValueError) -> str:
    """Why the operating system refused.

    Args:
        error: what it raised; a :class:`ValueError` for names that no file can have (with a zero byte, or half of a character).
    """
    if not isinstance(error, OSError):
        return "no file can have this name"
    return _REASONS.get(error.errno or 0, (error.strerror or str(error)).lower())


def unreadable(path: str | PathLike[str], error: OSError | ValueError, kind: Kind = DataError) -> QuantbenchError:
    """What is said where a file cannot be read."""
    if isinstance(error, FileNotFoundError):
        return kind(f"{path}: no such file")
    return kind(f"{_shown(path)}: not readable ({reason(error)}); a file has to stand there that you may read")


def unwritable(path: str | PathLike[str], error: OSError | ValueError, kind: Kind = DataError) -> QuantbenchError:
    """What is said where a file or folder cannot be written."""
    number = (error.errno or 0) if isinstance(error, OSError) else errno.ENAMETOOLONG
    remedy = _REMEDIES.get(number, "make sure that it can be written, and run again")
    return kind(f"{_shown(path)}: not written ({reason(error)}); {remedy}")


def possible(path: str, kind: Kind = DataError) -> Path:
    """A path that some file could have.

    Raises:
        QuantbenchError: of the kind ``kind``: a zero byte in it, or half of a character.
    """
    try:
        if b"\0" in os.fsencode(path):
            raise ValueError(path)
    except ValueError as error:
        raise unwritable(path, error, kind) from None
    return Path(path)


@contextmanager
def in_words(place: str | PathLike[str], kind: Kind = DataError) -> Iterator[None]:
    """Say in a line what the disk or the file system refuses while the block runs, wherever in it: a full disk has no one place.

    Args:
        place: what is named where the system names no file.
        kind: which error is raised.

    Raises:
        QuantbenchError: of that kind. A file that is missing is none of these refusals and stays what it is.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _REASONS:
            raise
        raise unwritable(error.filename or place, error, kind) from error


def _shown(path: str | PathLike[str]) -> str:
    """A path as a message holds it: none longer than paths are, and nothing in it that a terminal acts on."""
    text = str(path)
    return text if text.isprintable() and len(text) <= 300 else shorten(text, 120)
