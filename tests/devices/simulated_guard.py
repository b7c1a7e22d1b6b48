"""The compiled device guard of the simulation: built once for each PyTorch, kept outside the repository."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import torch
from filelock import FileLock

SOURCE = Path(__file__).with_suffix(".cpp")
_HEADER = "c10/core/impl/DeviceGuardImplInterface.h"
_BUILD_S = 120


class NoSimulation(Exception):
    """Devices cannot be simulated here; says why."""


@cache
def load_guard() -> None:
    """Register the guard with PyTorch; a process has one for good.

    Raises:
        NoSimulation: this PyTorch is built for CUDA, or nothing here compiles C++ against it.
    """
    if torch.version.cuda or torch.version.hip:
        raise NoSimulation(
            f"PyTorch {torch.__version__} is built for GPUs: they are simulated with a build for CPUs only"
        )
    ctypes.CDLL(str(_built()))


def _built() -> Path:
    """The shared library, compiled unless an earlier run did."""
    root = Path(torch.__file__).parent
    compiler = shutil.which(os.environ.get("CXX", "c++")) or shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        raise NoSimulation("no C++ compiler (c++, g++ or clang++), which the simulation's device guard needs")
    if not (root / "include" / _HEADER).exists():
        raise NoSimulation(f"{root / 'include'} lacks PyTorch's headers, which the simulation's device guard needs")
    library = _folder() / f"{_key(compiler)}.so"
    with FileLock(library.with_suffix(".lock")):  # tests run in several processes
        if not library.exists():
            _compile(compiler, root, library)
    return library


def _compile(compiler: str, root: Path, library: Path) -> None:
    part = library.with_suffix(".part")
    command = [compiler, "-O1", "-shared", "-fPIC", "-std=c++20", f"-I{root / 'include'}", "-o", str(part), str(SOURCE)]
    done = subprocess.run([*command, f"-L{root / 'lib'}", "-lc10"], capture_output=True, text=True, timeout=_BUILD_S)
    if done.returncode:
        raise NoSimulation(f"{SOURCE.name} does not compile: {(done.stderr.splitlines() or ['no message'])[0]}")
    part.rename(library)


def _key(compiler: str) -> str:
    made_of = (torch.__version__, torch.__file__, compiler, SOURCE.read_text(encoding="utf-8"))
    return hashlib.sha256("\n".join(made_of).encode()).hexdigest()[:16]


def _folder() -> Path:
    """Of this user alone, since what it holds is run."""
    folder = Path(tempfile.gettempdir()) / f"quantbench-tests-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid() or folder.stat().st_mode & 0o077:
        raise NoSimulation(f"{folder} is open to other users; remove it")
    return folder
