"""Checks of a model folder before anything loads: what must be there, and that it is the model the catalogue describes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..config import ModelEntry, located
from ..contracts.files import read_json
from ..datasets import sha256_of
from ..errors import ModelError
from .receipts import released_marker

_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json")
# Name in the catalogue -> name in a published config.json. head_dim and rotary settings follow from these.
_FACTS = {
    "layers": "num_hidden_layers",
    "hidden_size": "hidden_size",
    "attention_heads": "num_attention_heads",
    "key_value_heads": "num_key_value_heads",
    "intermediate_size": "intermediate_size",
    "vocab_size": "vocab_size",
    "context_length": "max_position_embeddings",
    "tied_head": "tie_word_embeddings",
}


def model_folder(root: Path, models_folder: str, name: str, entry: ModelEntry) -> Path:
    """Where a model's files stand: its own local folder, or its place under the models folder."""
    return located(root, entry.folder) if entry.folder else root / models_folder / name


def check_folder(folder: Path, name: str, entry: ModelEntry) -> None:
    """Refuse a folder without configuration, weights or tokenizer, or of another architecture than the catalogue's.

    Raises:
        ModelError: names the folder, what is missing or differs, and what to do.
    """
    if not folder.is_dir():
        raise ModelError(f"{folder}: no such folder for model {name!r}; retrieve it, or mend 'folder' in its entry")
    _require(folder, name, ("config.json",), "configuration")
    if released_marker(folder).exists():
        raise ModelError(
            f"{folder}: the weights of model {name!r} were freed (keep: quantized); to have them again, delete "
            f"{folder.name}.json beside the folder and run again"
        )
    _require(folder, name, _WEIGHTS, "weights")
    _require(folder, name, _TOKENIZERS, "tokenizer")
    published = read_json(folder / "config.json")
    for fact, key in _FACTS.items():
        stated, found = getattr(entry.architecture, fact), _fact(published, key)
        if found is not None and found != stated:
            raise ModelError(
                f"{folder / 'config.json'}: {key} is {found}, config/models/{name}.yaml says {fact}: {stated}; "
                "correct the entry, or fetch the model it describes"
            )


def file_hashes(folder: Path, hash_file: Callable[[Path], str] = sha256_of) -> dict[str, str]:
    """SHA-256 of each file of a model folder, by name relative to it; hidden ones are left out."""
    hashes = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts):
            hashes[str(path.relative_to(folder))] = hash_file(path)
    return hashes


def _fact(published: dict[str, Any], key: str) -> Any:
    if key == "num_key_value_heads":  # absent where every attention head has its own
        return published.get(key, published.get("num_attention_heads"))
    return published.get(key)


def _require(folder: Path, name: str, patterns: tuple[str, ...], what: str) -> None:
    if not any(path.stat().st_size for pattern in patterns for path in folder.glob(pattern)):
        raise ModelError(f"{folder}: model {name!r} has no {what} ({' or '.join(patterns)}); retrieve it again")
