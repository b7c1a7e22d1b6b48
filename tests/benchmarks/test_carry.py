"""What is carried to a machine that has only torch: nothing missing, nothing needless."""

from __future__ import annotations

import os
import re
import subprocess
import venv
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from benchmarks.carry import kept_library, wanted
from benchmarks.gpu_checks.result import GpuCheck

# Each interpreter of the check leaves the modules that it has imported.
RECORDER = """
import atexit, os, sys
def leave(folder=os.environ["IMPORTED"], leave_at_once=os._exit):
    with open(os.path.join(folder, str(os.getpid())), "w") as handle:
        handle.write("\\n".join(str(getattr(one, "__file__", "")) for one in list(sys.modules.values())))
atexit.register(leave)
"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """An environment that holds torch, what torch needs, and what is carried."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, symlinks=True)
    site = next(folder.glob("lib/python*/site-packages"))
    names = {*torch_needs("torch"), *wanted(repository)}
    for name in names:
        for path in top_level(distribution(name)):
            link = site / path.name
            if not link.exists():
                link.symlink_to(path)
    (site / "sitecustomize.py").write_text(RECORDER)
    return folder


def torch_needs(name: str) -> Iterator[str]:
    """A distribution and all that it requires here, as far as it is installed."""
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        try:
            required = distribution(one).requires or []
        except ModuleNotFoundError:
            continue
        yield one
        waiting += [re.split(r"[\s;<>=!~\[(]", text)[0] for text in required if "extra ==" not in text]


def top_level(found: Distribution) -> set[Path]:
    """The files and folders in site-packages that a distribution consists of."""
    root = Path(str(found.locate_file("")))
    parts = {path.parts[0] for path in found.files or [] if path.parts[0] != ".."}
    return {root / part for part in parts if part != "__pycache__"}


def test_the_check_needs_exactly_what_is_carried(bare: Path, repository: Path, tmp_path: Path) -> None:
    imported = tmp_path / "imported"
    imported.mkdir()
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    checks = ("data", "cell full static", "cell w8a16 continuous", "peak smollm2-135m w4a16")
    command = [str(bare / "bin/python"), str(repository / "benchmarks/gpu_check.py"), "--rehearse", "--samples", "4"]
    command += [word for check in checks for word in ("--only", check)]
    done = subprocess.run(
        [*command, "--threads", "1", "--out", str(tmp_path / "out")],
        env={**environment, "IMPORTED": str(imported), "OMP_NUM_THREADS": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr + (tmp_path / "out/gpu_check_work/log.txt").read_text()
    result = GpuCheck.read(tmp_path / "out" / GpuCheck.path)
    assert {check.status for check in result.checks} == {"passed"}
    assert all(cell.answers is not None for cell in result.cells)  # the demo's bundle is opened
    files = {line for path in imported.iterdir() for line in path.read_text().splitlines()}
    assert len(list(imported.iterdir())) >= 2  # the command and its worker
    unused = {
        name
        for name in wanted(repository)
        if not any(
            line.startswith(f"{next(bare.glob('lib/python*/site-packages'))}/{path.name}".removesuffix(".py"))
            for path in top_level(distribution(name))
            for line in files
        )
    }
    assert unused == set()


def test_what_the_other_machine_has_is_left_out(repository: Path) -> None:
    assert set(wanted(repository)) - set(wanted(repository, without=["numpy", "Accelerate"])) == {"numpy", "accelerate"}


def test_one_library_of_bitsandbytes_is_kept() -> None:
    names = [
        "libbitsandbytes_cpu.so",
        "libbitsandbytes_cuda128.so",
        "libbitsandbytes_cuda130.so",
        "libbitsandbytes_xpu.so",
    ]
    assert kept_library(names, "13.0") == "libbitsandbytes_cuda130.so"
    with pytest.raises(SystemExit, match=r"no library for CUDA 12\.9; it has 12\.8, 13\.0"):
        kept_library(names, "12.9")
