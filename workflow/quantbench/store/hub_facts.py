"""The facts of a model on the hub: its small files are fetched, and the first bytes of each file of weights.

Touches the network.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path

from ..config import RemoteFile
from . import hub
from .conversion import SAFETENSORS_INDEX
from .hub_address import Repository
from .published_facts import SMALL_FILES, PublishedFacts, described, read_object, refuse_other_formats
from .transfer import CONNECTIONS
from .weight_headers import ONE_FILE, Tensor, WeightFormats, missing_shard, shards, tensors_of

_LARGEST_SMALL = 32 * 1024**2


def facts_on_hub(repository: Repository) -> PublishedFacts:
    """The facts that a repository of the hub states at the commit that its revision stands for now.

    Raises:
        ModelError: as :func:`quantbench.store.published_facts.facts_of_folder`; unknown model or revision, no access, no connection.
    """
    hub_id = repository.hub_id
    commit, published = hub.published_files(hub_id, repository)
    refuse_other_formats(hub_id, published)
    gated = hub.is_gated(repository)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        hub.fetch(hub_id, repository, commit, _small(published), folder, quiet=True)
        facts = described(folder, hub_id)
        weights = _remote_formats(repository, commit, published, folder)
    return replace(facts, weights=weights, hub_id=hub_id, commit=commit, gated=gated)


def _small(published: Mapping[str, RemoteFile]) -> dict[str, RemoteFile]:
    return {
        file: facts
        for file, facts in published.items()
        if facts.size <= _LARGEST_SMALL and any(fnmatch(file, pattern) for pattern in SMALL_FILES)
    }


def _remote_formats(
    repository: Repository, commit: str, published: Mapping[str, RemoteFile], folder: Path
) -> WeightFormats | None:
    """The formats of a repository's weights, by the header of each file."""
    label = repository.hub_id
    if ONE_FILE in published:
        files = [ONE_FILE]
    elif SAFETENSORS_INDEX in published:
        where = f"{label}/{SAFETENSORS_INDEX}"
        files = shards(read_object(folder / SAFETENSORS_INDEX, where), where)
        for file in files:
            if file not in published:
                raise missing_shard(where, file)
    else:
        return None

    def tensors(file: str) -> list[Tensor]:
        return tensors_of(
            f"{label}/{file}", published[file].size, lambda end: hub.first_bytes(repository, commit, file, end)
        )

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        return WeightFormats.of(tensor for found in pool.map(tensors, files) for tensor in found)
