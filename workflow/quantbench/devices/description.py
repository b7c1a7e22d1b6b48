"""What a job runs on, in the words of manifests: its devices and its software."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ..contracts.machine import DeviceFacts, Software
from ..measure.nvml import handle, nvml
from . import processor

_PACKAGES = (
    *("quantbench", "torch", "transformers", "bitsandbytes", "torchao"),
    *("accelerate", "tokenizers", "safetensors", "numpy"),
)


def software(root: Path) -> Software:
    """Versions of the packages that matter, of Python, and the commit of the repository at ``root``."""
    return Software(
        python=platform.python_version(),
        packages={name: _version(name) for name in _PACKAGES},
        git_commit=_git_commit(root),
    )


def device_facts(device: str, uuids: list[str]) -> DeviceFacts:
    """The devices a job used; the leased UUIDs are stand-ins on CPU, mostly none."""
    if device == "cpu":
        found = processor.this_processor()
        multiplied: list[str] = [name for name in processor.FORMATS if processor.multiplies(name)]
        return DeviceFacts(kind="cpu", names=[found.name], uuids=uuids, processor=str(found), multiplies=multiplied)
    library = nvml()
    names = [str(library.nvmlDeviceGetName(handle(uuid))) for uuid in uuids]
    return DeviceFacts(kind="cuda", names=names, uuids=uuids, driver=str(library.nvmlSystemGetDriverVersion()))


def _version(name: str) -> str | None:
    if name == "quantbench":  # the workflow also runs from a checkout where the package is not installed
        from .. import __version__

        return __version__
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _git_commit(root: Path) -> str | None:
    """Commit of the checkout, ``-dirty`` where tracked files differ from it; None outside a checkout."""
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.strip() or None
