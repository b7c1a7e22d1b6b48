"""Other processes on the GPUs a cell has leased: they contend for it, so its latency must be marked."""

from __future__ import annotations

import os
from collections.abc import Sequence

from ..contracts.manifest import ForeignProcesses
from ..contracts.measurements import Process
from .nvml import compute_processes, nvml


class Neighbours:
    """Who else computes on some GPUs. Make it before this process touches them.

    NVML counts processes by the host's ids, which in a container are not the ids seen there. So whoever computes before
    this process does is foreign, and the one process that appears while the model loads is this one.
    """

    def __init__(self, uuids: Sequence[str]) -> None:
        self.uuids = list(uuids)
        self._own = {os.getpid()}
        self._found: dict[int, Process] = {}
        self._reason = ""
        self.look()

    def settle(self) -> None:
        """Tell this process apart, once its model has loaded."""
        now = {process.pid for process in self._now()}
        appeared = now - self._found.keys()
        if not now & self._own and len(appeared) == 1:
            self._own |= appeared
        self.look()

    def look(self) -> None:
        """Note who computes there now."""
        for process in self._now():
            known = self._found.get(process.pid, process)
            largest = max((used for used in (known.used_bytes, process.used_bytes) if used is not None), default=None)
            if process.pid not in self._own:
                self._found[process.pid] = process.model_copy(update={"used_bytes": largest})

    def holding(self, uuid: str) -> list[Process]:
        """Those seen so far that are on one of the GPUs now, each with its bytes there."""
        return [process for process in self._now([uuid]) if process.pid in self._found]

    def record(self) -> ForeignProcesses:
        """Every foreign process seen so far, or why nobody could be."""
        return ForeignProcesses(found=[self._found[pid] for pid in sorted(self._found)], reason=self._reason)

    def _now(self, uuids: Sequence[str] | None = None) -> list[Process]:
        if not self.uuids or self._reason:
            return []
        try:
            return running_processes(self.uuids if uuids is None else uuids)
        except Exception as error:  # NVML missing or refused: nobody seen is then not nobody there
            self._reason = f"unavailable: {str(error) or type(error).__name__}"
            return []


def running_processes(uuids: Sequence[str]) -> list[Process]:
    """The processes that compute on some GPUs, by NVML, each once with its bytes on all of them."""
    used: dict[int, int | None] = {}
    for uuid in uuids:
        for pid, size in compute_processes(uuid):
            before = used.get(pid, 0)
            used[pid] = None if before is None or size is None else before + size
    return [Process(pid=pid, name=_name(pid), used_bytes=size) for pid, size in used.items()]


def _name(pid: int) -> str:
    library = nvml()
    try:
        name = library.nvmlSystemGetProcessName(pid)
    except library.NVMLError:  # another container's process, or one that has just ended
        return "unknown"
    return name.decode(errors="replace") if isinstance(name, bytes) else str(name)
