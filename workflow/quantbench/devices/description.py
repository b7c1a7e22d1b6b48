"""What a job runs on, in the words of manifests: its devices and its software."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ..contracts.machine import DeviceFacts, Software
from . import processor
from .gpu_identity import compute_capability, cuda_of_driver, driver_version, gpu_name, mig_profile

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
    """The devices a job used; the leased UUIDs are stand-ins on CPU, mostly none. What NVML refuses is left unknown."""
    if device == "cpu":
        found = processor.this_processor()
        multiplied: list[str] = [name for name in processor.FORMATS if processor.multiplies(name)]
        return DeviceFacts(kind="cpu", names=[found.name], uuids=uuids, processor=str(found), multiplies=multiplied)
    profiles, capabilities = (_where_told(read, uuids) for read in (mig_profile, compute_capability))
    return DeviceFacts(
        kind="cuda",
        names=[gpu_name(uuid) for uuid in uuids],
        uuids=uuids,
        mig_profiles=profiles,
        compute_capabilities=capabilities,
        driver=driver_version(),
        driver_cuda=cuda_of_driver(),
        torch_cuda=_cuda_of_torch(),
    )


def _where_told(read: Callable[[str], str | None], uuids: Sequence[str]) -> list[str] | None:
    """What NVML tells of each device; None unless it tells it of all."""
    found = [value for uuid in uuids if (value := read(uuid)) is not None]
    return found if found and len(found) == len(uuids) else None


def _cuda_of_torch() -> str | None:
    """The CUDA that torch is built for."""
    import torch

    return torch.version.cuda


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
