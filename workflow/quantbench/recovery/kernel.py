"""Which running operating system a process belongs to: only of its own can it tell whether another process lives."""

from __future__ import annotations

import platform
import uuid
from dataclasses import dataclass
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_MACHINE_ID = Path("/etc/machine-id")


@dataclass(frozen=True)
class Kernel:
    """The operating system of one machine from one boot to the next."""

    host: str
    machine: str
    boot: str

    @classmethod
    def here(cls) -> Kernel:
        """The one this process runs on. Where the system does not name its boot, as macOS does not, ``boot`` is empty."""
        # The hardware address stands for a machine without an identifier; where there is none, it is random and never equal.
        return cls(
            host=platform.node(), machine=_first_line(_MACHINE_ID) or f"{uuid.getnode():x}", boot=_first_line(_BOOT_ID)
        )

    def answers_for(self, other: Kernel) -> bool:
        """Whether a file lock that can be taken on this kernel proves that its holder on ``other`` has died.

        It does on the same kernel, and after a restart of the same machine. Another machine's locks may not be seen here: network
        file systems do not all pass them on.
        """
        if self.boot and self.boot == other.boot:
            return True
        return (self.host, self.machine) == (other.host, other.machine)


def _first_line(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
