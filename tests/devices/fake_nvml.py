"""A fake ``libnvidia-ml.so.1``, built from ``fake_nvml.c``, that the real pynvml loads: machines with GPUs where there are none.

What it answers stands in a text file (its form: the head of ``fake_nvml.c``; whole machines: ``machines/``), read at every call.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from filelock import FileLock

HERE = Path(__file__).resolve().parent
SOURCE = HERE / "fake_nvml.c"
SONAME = "libnvidia-ml.so.1"
DESCRIPTION = "FAKE_NVML"
# What would narrow the devices of a described machine, from the machine the tests run on.
PRESETS = ("CUDA_VISIBLE_DEVICES", "SLURM_STEP_GPUS", "SLURM_JOB_GPUS", "QUANTBENCH_STAND_IN_GPUS")


def built_library() -> Path:
    """The library, built once for each state of its source, by whichever test process comes first.

    Skips the test where there is no C compiler.
    """
    compiler = next((found for name in ("cc", "gcc", "clang") if (found := shutil.which(name))), None)
    if compiler is None:
        pytest.skip("no C compiler is here (cc, gcc or clang), which the fake NVML library is built with")
    state = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]
    library = Path(tempfile.gettempdir()) / f"quantbench-tests-{os.getuid()}" / f"fake-nvml-{state}" / SONAME
    library.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(library.parent / "build.lock"):
        if not library.is_file():
            beside = library.with_name("building.so")
            flags = ["-shared", "-fPIC", "-pthread", f"-Wl,-soname,{SONAME}"]
            subprocess.run([compiler, *flags, "-o", beside, SOURCE], check=True, timeout=120)
            beside.replace(library)
    return library


class FakeMachine:
    """The machine that the fake library describes; without a line it has no driver.

    Attributes:
        library: the fake ``libnvidia-ml.so.1``.
    """

    def __init__(self, library: Path, description: Path) -> None:
        self.library = library
        self._description = description
        self._lines: list[str] = []

    def become(self, name: str) -> None:
        """Be one of the machines in ``machines/``."""
        self._write((HERE / "machines" / f"{name}.txt").read_text(encoding="utf-8").splitlines())

    def empty(self) -> None:
        """Have a driver and no device."""
        self._write([])

    def add(self, *lines: str) -> None:
        """Describe more: a device, a process, a refusal."""
        self._write([*self._lines, *lines])

    def remove(self, start: str) -> None:
        """Take away the lines that begin like this; a device taken away is lost to those who hold it."""
        kept = [line for line in self._lines if not line.startswith(start)]
        assert len(kept) < len(self._lines), f"no line begins with {start!r}"
        self._write(kept)

    def change(self, device: str, before: str, after: str) -> None:
        """Replace a part of the line of a device whose UUID begins like this."""
        changed = [
            line.replace(before, after) if line.partition(" ")[2].startswith(device) else line for line in self._lines
        ]
        assert changed != self._lines, f"{before!r} is not in the line of {device}"
        self._write(changed)

    def environment(self, **more: str) -> dict[str, str]:
        """What a subprocess needs to see the same machine, and nothing that would narrow it."""
        own = {name: value for name, value in os.environ.items() if name not in PRESETS}
        folders = [str(self.library.parent), *filter(None, [own.get("LD_LIBRARY_PATH")])]
        return own | {DESCRIPTION: str(self._description), "LD_LIBRARY_PATH": ":".join(folders)} | more

    def _write(self, lines: list[str]) -> None:
        self._lines = lines
        beside = self._description.with_suffix(".new")
        beside.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        beside.replace(self._description)  # it is read at any moment, so it is never seen half written


@pytest.fixture
def fake_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeMachine:
    """A machine described by the test, for pynvml in this process; it begins without a driver.

    pynvml keeps the library it has loaded and the functions it has found in it; both are set aside for the test, so that
    it sees the fake on a machine with GPUs too, and nothing of the fake is left behind.
    """
    pynvml = pytest.importorskip("pynvml")
    library = built_library()
    monkeypatch.setattr(pynvml, "nvmlLib", ctypes.CDLL(str(library)))
    monkeypatch.setattr(pynvml, "_nvmlGetFunctionPointer_cache", {})
    monkeypatch.setenv(DESCRIPTION, str(tmp_path / "machine.txt"))
    for name in PRESETS:
        monkeypatch.delenv(name, raising=False)
    return FakeMachine(library, tmp_path / "machine.txt")
