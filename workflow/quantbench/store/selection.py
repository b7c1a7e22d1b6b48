"""Which of a hub repository's files a model needs: configuration, tokenizer, licence, and weights in one format."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatch

from ..config import RemoteFile
from ..errors import ModelError

SAFETENSORS = re.compile(r"model(-\d+-of-\d+)?\.safetensors")
PICKLED = re.compile(r"pytorch_model(-\d+-of-\d+)?\.bin")
SAFETENSORS_INDEX, PICKLED_INDEX = "model.safetensors.index.json", "pytorch_model.bin.index.json"
# Licences travel with the weights wherever these go. Code of the repository (*.py) is never taken.
_BESIDE = (
    "config.json",
    "generation_config.json",
    "tokenizer*.json",
    "tokenizer.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "chat_template.*",
    "LICEN[CS]E*",
    "NOTICE*",
    "USE_POLICY*",
)


def needed_files(published: Mapping[str, RemoteFile], name: str, hub_id: str) -> dict[str, RemoteFile]:
    """Choose from a repository's files: safetensors where it has them, else pickled weights; never both.

    Only files at the top count: sub-folders hold other formats of the same weights.

    Raises:
        ModelError: no weights in either format.
    """
    for weights, index in ((SAFETENSORS, SAFETENSORS_INDEX), (PICKLED, PICKLED_INDEX)):
        if any(weights.fullmatch(file) for file in published):
            return {
                file: facts
                for file, facts in sorted(published.items())
                if weights.fullmatch(file) or file == index or any(fnmatch(file, pattern) for pattern in _BESIDE)
                if "/" not in file
            }
    shown = ", ".join(sorted(published)) or "no files"
    raise ModelError(
        f"model {name!r}: {hub_id!r} publishes neither model.safetensors nor pytorch_model.bin ({shown}); "
        "other formats (GGUF, adapters) are not loadable here: choose a repository with full weights"
    )
