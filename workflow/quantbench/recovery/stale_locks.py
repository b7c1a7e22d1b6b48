"""Snakemake's locks that a killed Snakemake left behind, removed where their process has provably died."""

from __future__ import annotations

import fcntl
import os
import shlex
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .kernel import Kernel
from .lock_signature import SUFFIX, Signature, SignedFile


@dataclass(frozen=True)
class _Found:
    """What a signature says, None where it cannot be read, and what is known of the process that wrote it."""

    signed: Signature | None
    process: Literal["has died", "works", "unknown"]


def clear_stale_locks(folder: Path, results: str, words: Sequence[str]) -> list[str]:
    """Remove the locks of dead processes, and say what is not removed.

    A lock is removed where its signature (:mod:`~.lock_signature`) is no longer locked, which on the same machine only a
    process that has ended leaves so, and where the lock file is the very one that was signed. In doubt nothing is touched.

    Args:
        folder: Snakemake's folder of locks; it need not exist.
        results: folder of the run; what is locked elsewhere is another run's.
        words: what follows ``snakemake`` on the command line, for the command that removes locks by hand.

    Returns:
        A line for each process whose lock was removed, and one where files of the run are still locked.
    """
    unlock = shlex.join(["snakemake", "--unlock", *(word for word in words if word != "--unlock")])
    said, others = list[str](), list[_Found]()
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            found = _clear(path)
        except OSError as error:
            said.append(f"{path}: not removed ({error.strerror}); if no other Snakemake works here, remove it")
            continue
        if found.signed and found.process == "has died":
            said.append(
                f"Snakemake (process {found.signed.process}) was killed and left its lock behind, which is removed now; the "
                "run goes on where it stopped"
            )
        else:
            others.append(found)
    left = {path.name for path in folder.glob("*.lock") if _is_on(path, f"{results}/")}
    return [*said, *([_remark(left, others, results, unlock)] if left else [])]


def _clear(path: Path) -> _Found:
    """Remove a signature and the lock files that it signs, where its process has provably died; what was found.

    Raises:
        OSError: the file system refuses.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        signed = _parsed(descriptor)
        if signed is None or not Kernel.here().answers_for(signed.kernel):
            return _Found(signed, "unknown")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return _Found(signed, "works")
        except OSError:  # the file system has no locks, and nothing is proven
            return _Found(signed, "unknown")
        for file in signed.files:
            lock = path.with_name(file.name)
            with suppress(FileNotFoundError):
                if SignedFile.of(lock) == file:
                    lock.unlink()
        path.unlink(missing_ok=True)
        return _Found(signed, "has died")
    finally:
        os.close(descriptor)


def _parsed(descriptor: int) -> Signature | None:
    try:
        return Signature.parse(os.read(descriptor, 1 << 20))
    except (OSError, ValueError):
        return None


def _remark(left: set[str], others: Sequence[_Found], results: str, unlock: str) -> str:
    """Who still locks the run, and which command goes on."""
    for found in others:
        if found.signed is None or not left & {file.name for file in found.signed.files}:
            continue
        who = f"{results} is locked by Snakemake (process {found.signed.process} on {found.signed.kernel.host})"
        if found.process == "works":
            return f"{who}, which is at work on it: wait until it has ended, or work on another run"
        return f"{who}, which cannot be seen from here; if it no longer runs, go on by: {unlock}, then the same command again"
    return (
        f"{results} is locked, and it is not known by which process; if no other Snakemake works on it, go on by: {unlock}, "
        "then the same command again"
    )


def _is_on(path: Path, prefix: str) -> bool:
    """Whether a lock file names a file whose path begins with ``prefix``."""
    try:
        if not path.is_file():  # Snakemake heeds none that is no file
            return False
        with path.open(encoding="utf-8", errors="replace") as lines:
            return any(line.startswith(prefix) for line in lines)
    except OSError:
        return False
