"""Hashes of the package's own source, so that a changed metric or figure reruns what it concerns and nothing else."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).parent


@cache
def source_hash(*modules: str) -> str:
    """SHA-256 over the source files of modules or folders of the package, named like ``tasks`` or ``figures/style``.

    Raises:
        FileNotFoundError: a name that is neither a module nor a folder.
    """
    digest = hashlib.sha256()
    for module in modules:
        for path in _sources(module):
            digest.update(f"{path.relative_to(_PACKAGE)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _sources(module: str) -> list[Path]:
    folder, file = _PACKAGE / module, _PACKAGE / f"{module}.py"
    if file.is_file():
        return [file]
    if folder.is_dir():
        # Not sources alone: a page's template and style count too.
        return sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    raise FileNotFoundError(f"the package has no module or folder {module!r}")
