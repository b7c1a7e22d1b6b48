"""A copy of the repository to run and change, and Snakemake run in it as a user would."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

_PARTS = ("Snakefile", "workflow", "config", "profiles", "envs", "resources", "pyproject.toml")


@dataclass(frozen=True)
class Project:
    """A checkout of its own."""

    folder: Path

    def snakemake(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run Snakemake to its end; output and errors together in ``stdout``."""
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(self.folder / "Snakefile"), *arguments]
        return subprocess.run(
            command,
            cwd=cwd or self.folder,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )

    def quantbench(self, *words: str) -> str:
        """What a command of this checkout says, started in its folder."""
        command = [sys.executable, "-m", "quantbench", *words]
        paths = f"workflow{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
        environment = {**os.environ, "PYTHONPATH": paths}
        result = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def open_bundle(self, path: Path) -> str:
        """Open a bundle as a user would; the configuration to draw it with."""
        return self.quantbench("open", str(path)).strip()

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start Snakemake in a process group of its own."""
        command = [sys.executable, "-m", "snakemake", *arguments]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        return subprocess.Popen(
            command, cwd=self.folder, env=environment, start_new_session=True, preexec_fn=_heed_interrupts
        )

    def planned(self, *arguments: str) -> Counter[str]:
        """Job counts of a dry run by rule; the score rules of all datasets count as ``score``."""
        result = self.snakemake("-n", *arguments)
        assert result.returncode == 0, result.stdout
        rows = re.findall(r"^([a-z]\w*) +(\d+)$", result.stdout.split("Job stats:")[-1], re.MULTILINE)
        counts: Counter[str] = Counter()
        for rule, count in dict(rows).items():
            counts["score" if rule.startswith("score_") else rule] += int(count)
        return counts


def _heed_interrupts() -> None:
    """Ctrl-C reaches a child even where the tests were started in the background, which ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def copy_project(source: Path, target: Path) -> Project:
    """Copy what a run needs, without environments and results."""
    for part in _PARTS:
        if (source / part).is_dir():
            shutil.copytree(source / part, target / part, ignore=_left_behind)
        else:
            shutil.copy2(source / part, target / part)
    return Project(target)


def _left_behind(folder: str, names: list[str]) -> set[str]:
    """Caches, and what was retrieved or converted in this checkout: hundreds of megabytes."""
    retrieved = {"models", "datasets"} if Path(folder).name == "resources" else set()
    return {"__pycache__", *retrieved} & {*names}


@pytest.fixture
def project(repository: Path, tmp_path: Path) -> Project:
    return copy_project(repository, tmp_path)
