"""A hub of our own on loopback."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from tests.hub_server import HubServer

from quantbench.store import transfer


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A hub of our own, which HF_ENDPOINT names; no token in the environment."""
    from huggingface_hub import constants

    server = HubServer()
    monkeypatch.setattr(transfer, "PAUSE_S", 0.0)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)  # the client's own pauses
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)  # an inference test in this process may have set it
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    yield server
    server.close()
