"""`quantbench open` in a process of its own, whose peak of memory is told."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ADDRESS_SPACE = 4 << 30
# A process knows its own peak; what its parent is told has in it what the parent itself had when it forked.
_OPEN = """
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, ({space}, {space}))
from quantbench.cli.main import main
try:
    status = main(["open", *sys.argv[1:]])
finally:
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    print(peak.split()[1], file=sys.stdout)
sys.exit(status)
"""


@dataclass(frozen=True)
class Answer:
    """How a bundle was answered."""

    status: int
    seconds: float
    peak_mib: float
    said: str
    left: int  # files and folders

    @property
    def is_refusal(self) -> bool:
        """Whether it was refused in words, and nothing left behind."""
        return self.status == 2 and "Traceback" not in self.said and not self.left


def open_apart(path: Path, into: Path, timeout: float = 120) -> Answer:
    """Open one bundle in a process of its own."""
    words = [sys.executable, "-c", _OPEN.format(space=ADDRESS_SPACE), str(path), "--into", str(into)]
    begin = time.perf_counter()
    ended = subprocess.run(words, capture_output=True, text=True, timeout=timeout, check=False, cwd=into.parents[1])
    seconds = time.perf_counter() - begin
    peak = int(ended.stdout.split()[-1]) / 1024 if ended.stdout.split() else float("nan")
    return Answer(ended.returncode, seconds, peak, ended.stderr.strip(), len(list(into.rglob("*"))) + into.exists())
