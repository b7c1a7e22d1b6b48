"""A hub of our own, a demo model as if published there, and the catalogue's precisions."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.hub_server import HubServer

from quantbench.config import ModelEntry, PrecisionEntry, read_entries
from quantbench.models import download


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A hub of our own, which HF_ENDPOINT names; no token in the environment."""
    from huggingface_hub import constants

    server = HubServer()
    monkeypatch.setattr(download, "PAUSE_S", 0.0)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)  # the client's own pauses
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)  # an inference test in this process may have set it
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    yield server
    server.close()


@pytest.fixture(scope="session")
def tiny(repository: Path) -> Path:
    """The folder of a demo model."""
    return repository / "resources/demo/models/tiny-xs"


@pytest.fixture(scope="session")
def entry(repository: Path) -> ModelEntry:
    """The demo model's entry, as if it were published on a hub."""
    own = read_entries(repository / "config/models", ModelEntry)["tiny-xs"]
    return own.model_copy(update={"folder": None, "hub_id": "maker/tiny", "revision": "main"})


@pytest.fixture(scope="session")
def precisions(repository: Path) -> dict[str, PrecisionEntry]:
    """All precisions by name."""
    return read_entries(repository / "config/precisions", PrecisionEntry)
