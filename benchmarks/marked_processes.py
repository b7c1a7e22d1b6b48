"""The processes of a soak: which they are, what each does, and which of them hold leases."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

MARK = "QUANTBENCH_SOAK"


@dataclass(frozen=True)
class Tree:
    """The processes of one soak, known by a mark in their environment, whoever their parent is by now."""

    mark: str

    def living(self) -> Iterator[psutil.Process]:
        """Those that live just now."""
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                if process.status() != psutil.STATUS_ZOMBIE and process.environ().get(MARK) == self.mark:
                    yield process

    def end(self, but: str = "") -> None:
        """End all of them, or all but those of one kind."""
        for process in self.living():
            with suppress(psutil.Error):
                if kind_of(process, 0) != but:
                    process.kill()


def kind_of(process: psutil.Process, main: int) -> str:
    """What a process is, in a word."""
    if process.pid == main:
        return "Snakemake"
    words = " ".join(process.cmdline())
    if "quantbench.cell.warm" in words:
        parent = process.parent()
        return "cell, forked" if parent and "quantbench.cell.warm" in " ".join(parent.cmdline()) else "warm server"
    return "job" if ".job.py" in words or "job.py" in words else "shell or helper"


def held_devices(tree: Tree) -> Counter[str]:
    """How many processes hold the lease of each device just now, lock files included that were deleted meanwhile."""
    found: Counter[str] = Counter()
    for process in tree.living():
        with suppress(OSError):
            for entry in Path(f"/proc/{process.pid}/fd").iterdir():
                with suppress(OSError):
                    named = re.search(r"(STAND-IN-\d+)\.lock", str(entry.readlink()))
                    if named and "FLOCK" in Path(f"/proc/{process.pid}/fdinfo/{entry.name}").read_text():
                        found[named[1]] += 1
    return found
