"""Checks of a model folder before anything loads: it is complete, the model the catalogue describes, and as recorded.

What was hashed is noted with size and time of change, so that the hundreds of cells of a run read 140 GB once.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from ..config import Architecture, ModelEntry
from ..contracts.checksums import changes, file_hashes, sha256_of
from ..contracts.model_folder import HashedFiles, PublishedConfig
from ..errors import ModelError
from .places import MANIFEST, released_marker
from .published_precision import refuse_adapter
from .tensor_headers import stored_tensors

_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json")
_SAID = {"gone": "is gone", "added": "was added", "changed": "is not the recorded file"}


def check_folder(folder: Path, name: str, entry: ModelEntry) -> None:
    """Refuse a folder without configuration, weights or tokenizer, with files cut short, or of another architecture.

    Whether its weights are quantized is :func:`quantbench.store.published_precision.check_published_precision`'s question.

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
    refuse_adapter(folder, name)
    _require(folder, name, _WEIGHTS, "weights")
    _require(folder, name, _TOKENIZERS, "tokenizer")
    _check_facts(PublishedConfig.read(folder / "config.json"), entry.architecture, folder, name)
    stored_tensors(folder)


def _require(folder: Path, name: str, patterns: tuple[str, ...], what: str) -> None:
    if not any(path.stat().st_size for pattern in patterns for path in folder.glob(pattern)):
        raise ModelError(f"{folder}: model {name!r} has no {what} ({' or '.join(patterns)}); retrieve it again")


def _check_facts(published: PublishedConfig, stated: Architecture, folder: Path, name: str) -> None:
    """Hold the catalogue's facts against the maker's. Size of a head and rotary settings follow from these."""
    heads = published.num_key_value_heads or published.num_attention_heads
    pairs = {
        ("layers", "num_hidden_layers"): (stated.layers, published.num_hidden_layers),
        ("hidden_size", "hidden_size"): (stated.hidden_size, published.hidden_size),
        ("attention_heads", "num_attention_heads"): (stated.attention_heads, published.num_attention_heads),
        ("key_value_heads", "num_key_value_heads"): (stated.key_value_heads, heads),
        ("intermediate_size", "intermediate_size"): (stated.intermediate_size, published.intermediate_size),
        ("vocab_size", "vocab_size"): (stated.vocab_size, published.vocab_size),
        ("context_length", "max_position_embeddings"): (stated.context_length, published.max_position_embeddings),
        ("tied_head", "tie_word_embeddings"): (stated.tied_head, published.tie_word_embeddings),
    }
    for (fact, key), (ours, theirs) in pairs.items():
        if theirs is not None and theirs != ours:
            raise ModelError(
                f"{folder / 'config.json'}: {key} is {theirs}, config/models/{name}.yaml says {fact}: {ours}; "
                "correct the entry, or fetch the model it describes"
            )


def verified_files(
    folder: Path, name: str, recorded: dict[str, str] | None, notes: Path, force: bool = False
) -> dict[str, str]:
    """Return the SHA-256 of each file of a model folder, after holding them against the recorded ones.

    Args:
        folder: the model's files.
        name: the model's name, for messages.
        recorded: file name -> SHA-256; None where nothing was ever recorded (a local folder of the user's own).
        notes: folder that remembers what was hashed; another process that hashes the same folder is waited for.
        force: read every file again.

    Raises:
        ModelError: a file that changed, is gone or was added, each named.
    """
    from filelock import FileLock  # not part of the analysis environment, which reads manifests beside this

    notes.mkdir(parents=True, exist_ok=True)
    note = notes / f"{name}-{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]}.json"
    with FileLock(note.with_suffix(".lock")):
        known = {} if force or not note.exists() else HashedFiles.read(note).hashes
        fresh: dict[str, str] = {}

        def hash_file(path: Path) -> str:
            state = path.stat()
            key = f"{path.relative_to(folder)}, {state.st_size} bytes, changed {state.st_mtime_ns}"
            fresh[key] = known.get(key) or sha256_of(path)
            return fresh[key]

        found = {file: digest for file, digest in file_hashes(folder, hash_file).items() if file != MANIFEST}
        if fresh != known:
            HashedFiles(hashes=fresh).write(note)
    wrong = changes(recorded, found) if recorded is not None else []
    if wrong:
        said = "; ".join(f"{folder / change.name} {_SAID[change.kind]}" for change in wrong)
        raise ModelError(
            f"model {name!r}: {said}. Nothing was computed with it. Delete {folder.name}.json beside the "
            "folder (or, of a quantized checkpoint, the folder) and run again to have it made anew"
        )
    return found
