"""The facts of a model on the hub: its small files are fetched, and the first bytes of each file of weights.

Touches the network.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path

from ..config import RemoteFile
from ..hub_address import Repository
from . import hub
from .published_facts import SMALL_FILES, PublishedFacts, described, refuse_other_formats
from .transfer import CONNECTIONS
from .weight_headers import read_formats

_SAFETENSORS = re.compile(r"model(-\d+-of-\d+)?\.safetensors")
_LARGEST_SMALL = 32 * 1024**2
_LENGTH_BYTES, _LONGEST_HEADER = 8, 100_000_000  # of the format safetensors
_FIRST_BYTES = 1 << 16  # holds the headers of most files, so that one request is enough


def facts_on_hub(repository: Repository) -> PublishedFacts:
    """The facts that a repository of the hub states at the commit that its revision stands for now.

    Raises:
        ModelError: as :func:`quantbench.store.published_facts.facts_of_folder`; unknown model or revision, no access, no
            connection.
    """
    hub_id = repository.hub_id
    commit, published = hub.published_files(hub_id, repository)
    refuse_other_formats(hub_id, published)
    gated = hub.is_gated(repository)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        hub.fetch(hub_id, repository, commit, _small(published), folder, quiet=True)
        facts = described(folder, hub_id)
        _begin_weights(repository, commit, published, folder)
        weights = read_formats(folder, hub_id)
    return replace(facts, weights=weights, hub_id=hub_id, commit=commit, gated=gated)


def _small(published: Mapping[str, RemoteFile]) -> dict[str, RemoteFile]:
    return {
        file: facts
        for file, facts in published.items()
        if facts.size <= _LARGEST_SMALL and any(fnmatch(file, pattern) for pattern in SMALL_FILES)
    }


def _begin_weights(repository: Repository, commit: str, published: Mapping[str, RemoteFile], folder: Path) -> None:
    """Put the beginning of each file of weights into ``folder``, the rest of its length being a hole that takes no disk."""

    def begin(file: str) -> None:
        size = published[file].size
        content = hub.first_bytes(repository, commit, file, _FIRST_BYTES)
        header = _LENGTH_BYTES + int.from_bytes(content[:_LENGTH_BYTES], "little")
        if len(content) < header <= min(size, _LONGEST_HEADER):
            content = hub.first_bytes(repository, commit, file, header)
        with (folder / file).open("wb") as handle:
            handle.write(content[:size])
            handle.truncate(size)

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(begin, [file for file in published if _SAFETENSORS.fullmatch(file)]))
