"""``config/models.lock.yaml``: the commit and the files each hub model's name and revision were resolved to.

Written by ``quantbench lock``, kept under version control, read wherever a model is retrieved or used.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, model_validator

from ..errors import ConfigError
from .entries import GitBlob, Sha256
from .model_entry import ModelEntry
from .settings import Settings, parse, read_yaml

LOCK_FILE = "config/models.lock.yaml"
_HEADER = """\
# The commit and files of each hub model. Written by `quantbench lock`; keep it under version control.
# An entry stays as it is until it is taken out here, or its hub_id or revision changes in config/models/.
"""


class RemoteFile(Settings):
    """One file of a model on the hub: its size in bytes, and SHA-256 (large files) or git blob id (small ones)."""

    size: int = Field(ge=0, description="bytes")
    sha256: Sha256 | None = Field(default=None, description="of the content, where the hub states it (large files)")
    git_blob: GitBlob | None = Field(default=None, description="the id git gives the content, for all others")

    @model_validator(mode="after")
    def _proof(self) -> RemoteFile:
        if self.sha256 is None and self.git_blob is None:
            raise ValueError("give sha256 or git_blob")
        return self


class LockedModel(Settings):
    """What one model's ``hub_id`` and ``revision`` were resolved to."""

    hub_id: str = Field(description="the model that was asked for")
    revision: str = Field(description="the branch, tag or commit that was asked for")
    commit: GitBlob = Field(description="the commit that stood for then")
    files: Annotated[dict[str, RemoteFile], Field(min_length=1)] = Field(
        description="the files that are retrieved, by name"
    )

    def answers(self, entry: ModelEntry) -> bool:
        """Whether this is the answer for an entry as it is configured now."""
        return (self.hub_id, self.revision) == (entry.hub_id, entry.revision)


def read_lock(root: Path) -> dict[str, LockedModel]:
    """Read the lock file of the repository ``root``; empty where there is none.

    Raises:
        ConfigError: malformed file, named with the entry and the key.
    """
    path = root / LOCK_FILE
    if not path.exists():
        return {}
    locked = {}
    for name, value in read_yaml(path).items():
        if not isinstance(value, dict):
            raise ConfigError(f"{path}: model {name!r} has the value {value!r}; take it out and run quantbench lock")
        locked[name] = parse(LockedModel, value, f"{path}, model {name!r}")
    return locked


def lock_text(locked: dict[str, LockedModel]) -> str:
    """The lock file's content."""
    values = {name: locked[name].model_dump(exclude_none=True) for name in sorted(locked)}
    return _HEADER + yaml.safe_dump(values, sort_keys=False)
