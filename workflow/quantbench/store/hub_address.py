"""Where the hub is and how a model on it is named. Touches no network."""

from __future__ import annotations

import os
from dataclasses import dataclass

from ..config import ModelEntry

PUBLIC_HUB = "https://huggingface.co"


@dataclass(frozen=True)
class Repository:
    """A model on the hub that no entry names yet: its id, and a branch, tag or commit there."""

    hub_id: str
    revision: str


def endpoint() -> str:
    """The hub's address: what ``HF_ENDPOINT`` names, such as a mirror inside a hospital, else the public one."""
    return (os.environ.get("HF_ENDPOINT") or PUBLIC_HUB).rstrip("/")


def page(entry: ModelEntry | Repository) -> str:
    """Where people read and accept a model's licence."""
    return f"{endpoint()}/{entry.hub_id}"
