"""The manifest: everything needed to say what a cell's outputs came from, and to make them again."""

from __future__ import annotations

import json
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ..contracts.files import read_json

_PACKAGES = (
    *("quantbench", "torch", "transformers", "bitsandbytes", "torchao"),
    *("accelerate", "tokenizers", "safetensors", "numpy"),
)


def software(root: Path) -> dict[str, Any]:
    """Versions of the packages that matter, of Python, and the repository's commit."""
    return {
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "git_commit": _git_commit(root),
    }


def device_facts(device: str, uuids: list[str]) -> dict[str, Any]:
    """Kind, names, driver and leased UUIDs of the devices a cell used; on CPU these are stand-ins, mostly none."""
    if device == "cpu":
        return {"kind": "cpu", "names": [_processor()], "uuids": uuids, "driver": None}
    import pynvml

    pynvml.nvmlInit()
    names = [str(pynvml.nvmlDeviceGetName(pynvml.nvmlDeviceGetHandleByUUID(uuid))) for uuid in uuids]
    return {"kind": "cuda", "names": names, "uuids": uuids, "driver": str(pynvml.nvmlSystemGetDriverVersion())}


def is_finished(outputs: Path, identity: dict[str, Any]) -> bool:
    """Whether all files of a cell stand in its folder, made from this very identity; the manifest is written last."""
    manifest = outputs / "manifest.json"
    return manifest.exists() and read_json(manifest).get("identity") == json.loads(json.dumps(identity))


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


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
