"""A catalogue of one's own, a hub, and the demo's run as a user has it after opening the shipped bundle."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.hub_server import HubServer

from quantbench.bundle import open_bundle


@pytest.fixture(scope="module")
def opened(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the opened demo run."""
    settings = open_bundle(repository / "resources/demo/demo.tar.zst", tmp_path_factory.mktemp("results"), repository)
    return settings.parent


@pytest.fixture
def root(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalogue of its own, in the working directory."""
    shutil.copytree(repository / "config", tmp_path / "config")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A hub of our own, which HF_ENDPOINT names; no token in the environment."""
    from huggingface_hub import constants

    server = HubServer()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)  # an inference test in this process may have set it
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    yield server
    server.close()
