"""Retrieved once, quantized once, then everything with the network off; the token leaves no trace."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.hub_server import HubServer

from .conftest import Project, copy_project

TOKEN = "hf_SecretOfTheTest0123456789"
SETTINGS = [
    "--configfile",
    "config/demo.yaml",
    "--config",
    "models=[hub-tiny]",
    "precisions=[full, w4a16]",
    "datasets=[hoc]",
    "studies=[grid]",
    "limit=4",
    "keep=quantized",
    "measurement={latency_samples: 2, warmup: 1}",
]
RESULTS, MODELS = "results/demo", "resources/models"


def without_network() -> list[str]:
    """The command that runs another in a namespace without a network; skips where that is not permitted."""
    for command in (["unshare", "--map-root-user", "--net"], ["unshare", "--net"]):
        if shutil.which("unshare") and subprocess.run([*command, "true"], capture_output=True).returncode == 0:
            return command
    pytest.skip("network namespaces are not permitted here")


@dataclass(frozen=True)
class Place:
    """A checkout with a home and a temporary folder of its own, beside a hub whose model is gated."""

    project: Project
    home: Path
    hub: HubServer
    said: list[str]

    def snakemake(self, *arguments: str, offline: bool = False) -> subprocess.CompletedProcess[str]:
        """Run Snakemake with the token in the environment; offline: where not even the hub can be reached."""
        return self._call(["snakemake", "--cores", "2", *arguments], offline)

    def quantbench(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of this checkout with the token in the environment."""
        return self._call(["quantbench", *words], offline=False)

    def _call(self, words: list[str], offline: bool) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "HOME": str(self.home),
            "XDG_CACHE_HOME": str(self.home / ".cache"),
            # A warm process of another test would be outside of the namespace.
            "TMPDIR": str(self.home / "tmp"),
            "HF_ENDPOINT": self.hub.url,
            "HF_TOKEN": TOKEN,
            "NO_PROXY": "127.0.0.1",
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join(filter(None, ["workflow", os.environ.get("PYTHONPATH")])),
        }
        for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):  # an inference test in this process may have set them
            environment.pop(name, None)
        command = [sys.executable, "-m", *words]
        result = subprocess.run(
            [*(without_network() if offline else []), *command],
            cwd=self.project.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )
        self.said.append(result.stdout)
        return result

    def hub_reachable(self) -> bool:
        code = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), 5)"
        command = [*without_network(), sys.executable, "-c", code, self.hub.url.rsplit(":", 1)[1]]
        return subprocess.run(command, capture_output=True).returncode == 0


@pytest.fixture(scope="module")
def place(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The whole way, once: locked, retrieved, then run with the network off."""
    without_network()
    folder = tmp_path_factory.mktemp("offline")
    (folder / "home/tmp").mkdir(parents=True)
    (folder / "project").mkdir()
    project = copy_project(repository, folder / "project")
    hub = HubServer()
    hub.add_folder("maker/tiny-s", project.folder / "resources/demo/models/tiny-s", gated=True)
    hub.tokens[TOKEN] = True
    entry = (project.folder / "config/models/tiny-s.yaml").read_text()
    entry = entry.replace("folder: resources/demo/models/tiny-s", "hub_id: maker/tiny-s\nrevision: main\ngated: true")
    (project.folder / "config/models/hub-tiny.yaml").write_text(entry)
    place = Place(project, folder / "home", hub, [])
    try:
        for result in (place.quantbench("lock", *SETTINGS), place.snakemake("retrieve_all", *SETTINGS)):
            assert result.returncode == 0, result.stdout
        result = place.snakemake(*SETTINGS, offline=True)
        assert result.returncode == 0, result.stdout
        yield place
    finally:
        hub.close()


def test_the_whole_run_was_made_where_not_even_the_hub_can_be_reached(place: Place) -> None:
    assert not place.hub_reachable()
    results = place.project.folder / RESULTS
    assert len(list(results.glob("cells/*/*/*/*/manifest.json"))) == 2
    assert len(list(results.glob("cells/*/*/*/*/scores.json"))) == 2
    assert "effects.png" in {path.name for path in results.glob("figures/*.png")}
    assert (results / "tables/table1.csv").stat().st_size > 100


def test_quantized_cells_came_from_checkpoints_and_the_full_weights_were_freed(place: Place) -> None:
    models = place.project.folder / MODELS
    assert (models / "quantized/hub-tiny/w4a16/model.safetensors").exists()
    assert not list((models / "hub-tiny").glob("*.safetensors"))
    assert (models / "hub-tiny/tokenizer.json").exists()
    assert (models / "hub-tiny.released.json").exists()
    result = place.snakemake(*SETTINGS, offline=True)
    assert "Nothing to be done" in result.stdout, result.stdout


def test_the_token_is_in_no_file_and_no_log(place: Place) -> None:
    assert place.hub.authorized, "the token was used"
    assert not [text for text in place.said if TOKEN in text]
    read = 0
    for folder in (place.project.folder, place.home):
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                read += 1
                assert TOKEN.encode() not in path.read_bytes(), path
    assert read > 200


def test_files_are_verified_on_demand_and_a_tampered_one_is_named(place: Place, tmp_path: Path) -> None:
    result = place.quantbench("verify", "--files", *SETTINGS)
    assert result.returncode == 0, result.stdout
    assert "w4a16: 5 files verified" in result.stdout
    assert "full weights freed" in result.stdout
    weights = place.project.folder / MODELS / "quantized/hub-tiny/w4a16/model.safetensors"
    state, content = weights.stat(), weights.read_bytes()
    try:
        weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        os.utime(weights, ns=(state.st_atime_ns, state.st_mtime_ns))
        result = place.quantbench("verify", "--files", *SETTINGS)
        assert result.returncode == 1
        assert re.search(r"w4a16/model\.safetensors is not the recorded file", result.stdout), result.stdout
    finally:
        weights.write_bytes(content)


def test_what_would_be_freed_is_said_and_not_freed(place: Place) -> None:
    folder = place.project.folder / MODELS / "hub-tiny"
    result = place.quantbench("clean", "models", *SETTINGS)
    assert result.returncode == 0, result.stdout
    assert re.search(r"GiB  resources/models/hub-tiny\n", result.stdout), result.stdout
    assert "would free" in result.stdout
    assert folder.is_dir()
