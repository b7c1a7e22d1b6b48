"""A signature beside Snakemake's lock files: which process wrote them, under a lock that the kernel drops when it dies.

Snakemake's lock is a pair of files that name no process. A killed Snakemake leaves them behind, and the next one cannot tell
them from those of one that works. The signature stands in the same folder, which Snakemake removes as a whole when it unlocks.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import TypeAdapter

from .kernel import Kernel

SUFFIX = ".signature"

# Open as long as this process lives, since closing a file drops its lock; by the path of the signature.
_held: dict[Path, int] = {}


class Persistence(Protocol):
    """What Snakemake keeps of a working directory; ``_lockfile`` names the lock files of this process."""

    lock: Callable[[], AbstractContextManager[None]]
    _lockfile: Mapping[str, str]


class Workflow(Protocol):
    """Snakemake's workflow object. What it keeps is there once ``_prepare_dag`` has returned."""

    persistence: Persistence
    _prepare_dag: Callable[..., None]


@dataclass(frozen=True)
class SignedFile:
    """One lock file; written anew under the same name, it is another one."""

    name: str
    inode: int
    changed_ns: int

    @classmethod
    def of(cls, path: Path) -> SignedFile:
        """The file as it stands.

        Raises:
            OSError: there is none.
        """
        found = path.stat(follow_symlinks=False)
        return cls(name=path.name, inode=found.st_ino, changed_ns=found.st_ctime_ns)


@dataclass(frozen=True)
class Signature:
    """What a process says of the lock files that it wrote."""

    kernel: Kernel
    process: int
    files: list[SignedFile]

    @classmethod
    def parse(cls, content: bytes) -> Signature:
        """Take back what :meth:`text` wrote.

        Raises:
            ValueError: torn, or written by another version.
        """
        return _CHECK.validate_json(content)

    def text(self) -> bytes:
        """The content of its file."""
        return _CHECK.dump_json(self)


_CHECK = TypeAdapter(Signature)


def sign_when_locked(workflow: Workflow) -> None:
    """Have the lock files of a run signed as soon as Snakemake has written them.

    ``onstart`` would come a tenth of a second later, and not at all where the rules are a module of another workflow. A Snakemake
    that has no such method signs nothing, and its locks have to be removed by hand after a kill.
    """
    prepare = getattr(workflow, "_prepare_dag", None)
    if prepare is None:
        return

    def prepare_and_sign(*values: object, **named: object) -> None:
        prepare(*values, **named)
        workflow.persistence.lock = _signed(workflow.persistence)

    workflow._prepare_dag = prepare_and_sign


def _signed(persistence: Persistence) -> Callable[[], AbstractContextManager[None]]:
    take = persistence.lock

    @contextmanager
    def take_and_sign() -> Iterator[None]:
        with take():
            sign_locks(getattr(persistence, "_lockfile", {}).values())
            yield

    return take_and_sign


def sign_locks(written: Iterable[str | Path]) -> None:
    """Sign the lock files that this process has written; the signature is valid until it ends, however it ends.

    Where the file system refuses locks there is no signature, and a lock that is left behind has to be removed by hand.

    Args:
        written: Snakemake's lock files of this process.
    """
    paths = [Path(path) for path in written]
    if not paths:
        return
    place = paths[0].with_name(f"{Kernel.here().host}-{os.getpid()}{SUFFIX}")
    if place in _held:
        os.close(_held.pop(place))
    try:
        # Not inherited by jobs: one that outlives this process must not hold its lock.
        descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        signed = Signature(kernel=Kernel.here(), process=os.getpid(), files=[SignedFile.of(path) for path in paths])
        os.write(descriptor, signed.text())
    except OSError:
        place.unlink(missing_ok=True)
        return
    _held[place] = descriptor
