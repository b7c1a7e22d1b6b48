"""Checks of a model folder before anything loads: it is complete, the model the catalogue describes, and as recorded.

What was hashed is noted with size and time of change, so that the hundreds of cells of a run read 140 GB once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import JsonValue

from ..config import ModelEntry
from ..contracts.checksums import changes, file_hashes, sha256_of
from ..contracts.model_folder import HashedFiles, PublishedConfig, PublishedGeneration
from ..errors import ModelError
from ..reading.os_errors import unreadable
from ..recovery import held
from .places import MANIFEST, released_marker
from .published_facts import TOKENIZERS
from .published_precision import refuse_adapter
from .tensor_headers import LFS_POINTER, stored_tensors

_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
_SAID = {"gone": "is gone", "added": "was added", "changed": "is not the recorded file"}


def check_folder(folder: Path, name: str, entry: ModelEntry) -> None:
    """Refuse a folder without configuration, weights or tokenizer, with files cut short, or of another architecture.

    Whether its weights are quantized is :func:`quantbench.store.published_precision.check_published_precision`'s question.

    Raises:
        ModelError: names the folder, what is missing or differs, and what to do.
    """
    if not folder.is_dir():
        raise ModelError(f"{folder}: no such folder for model {name!r}; retrieve it, or mend 'folder' in its entry")
    _refuse_links_to_nothing(folder, name)
    _require(folder, name, ("config.json",), "configuration")
    if released_marker(folder).exists():
        raise ModelError(
            f"{folder}: the weights of model {name!r} were freed (keep: quantized); to have them again, delete "
            f"{folder.name}.json beside the folder and run again"
        )
    refuse_adapter(folder, name)
    _refuse_pointers(folder)
    _require(folder, name, _WEIGHTS, "weights")
    _require(folder, name, TOKENIZERS, "tokenizer")
    check_configuration(folder, name, entry)
    if (folder / "generation_config.json").exists():  # transformers would go on without its end tokens
        PublishedGeneration.read(folder / "generation_config.json")
    stored_tensors(folder)


def _refuse_links_to_nothing(folder: Path, name: str) -> None:
    """Refuse what is neither file nor folder: transformers passes over it without a word, and goes on with its defaults."""
    try:
        odd = next((path for path in sorted(folder.iterdir()) if not path.is_file() and not path.is_dir()), None)
    except OSError as error:
        raise unreadable(folder, error, ModelError) from None
    if odd is not None:
        what = (
            "a link that leads to no file"
            if odd.is_symlink()
            else "neither file nor folder, but a pipe, socket or device"
        )
        raise ModelError(f"{odd}: {what}; put the file of model {name!r} there, or delete it")


def _require(folder: Path, name: str, patterns: tuple[str, ...], what: str) -> None:
    found = [path for pattern in patterns for path in folder.glob(pattern)]
    if not any(path.stat().st_size for path in found if path.exists()):
        raise ModelError(f"{folder}: model {name!r} has no {what} ({' or '.join(patterns)}); retrieve it again")


def _refuse_pointers(folder: Path) -> None:
    """Refuse a small file that Git LFS stands for; safetensors say so themselves."""
    for path in (path for pattern in ("config.json", *TOKENIZERS) for path in folder.glob(pattern)):
        if path.is_file():
            with path.open("rb") as handle:
                start = handle.read(len(LFS_POINTER))
            if start == LFS_POINTER:
                raise ModelError(
                    f"{path}: a pointer of Git LFS, and not the file it stands for; run 'git lfs pull' in its folder"
                )


def check_configuration(folder: Path, name: str, entry: ModelEntry) -> None:
    """Refuse a folder whose ``config.json`` states other facts than the catalogue; it need not hold weights yet.

    Raises:
        ModelError: names every fact that differs.
    """
    _check_facts(PublishedConfig.read(folder / "config.json"), entry, folder, name)


def _check_facts(published: PublishedConfig, entry: ModelEntry, folder: Path, name: str) -> None:
    """Hold the catalogue's facts against the maker's, all at once, as far as the maker's file states them."""
    stated, text = entry.architecture, published.of_text
    heads = text.num_key_value_heads or text.num_attention_heads
    facts: list[tuple[str, JsonValue, str, JsonValue]] = [
        ("family", entry.family, "model_type", published.model_type),
        ("layers", stated.layers, "num_hidden_layers", text.num_hidden_layers),
        ("hidden_size", stated.hidden_size, "hidden_size", text.hidden_size),
        ("attention_heads", stated.attention_heads, "num_attention_heads", text.num_attention_heads),
        ("key_value_heads", stated.key_value_heads, "num_key_value_heads", heads),
        ("head_size", stated.size_of_head, "head_dim", text.head_dim),
        ("intermediate_size", stated.intermediate_size, "intermediate_size", text.intermediate_size),
        ("vocab_size", stated.vocab_size, "vocab_size", text.vocab_size),
        ("context_length", stated.context_length, "max_position_embeddings", text.max_position_embeddings),
        ("tied_head", stated.tied_head, "tie_word_embeddings", text.tie_word_embeddings),
        *_further(entry.config_json, published.further, "config_json."),
    ]
    section = entry.config_json.get("text_config")
    if isinstance(section, dict):
        facts += _further(section, text.further, "config_json.text_config.")
    wrong = [
        f"{key} is {theirs}, config/models/{name}.yaml says {fact}: {ours}"
        for fact, ours, key, theirs in facts
        if theirs is not None and theirs != ours
    ]
    if wrong:
        raise ModelError(
            f"{folder / 'config.json'}: {'; '.join(wrong)}; correct the entry (quantbench add-model writes one), or fetch the "
            "model it describes"
        )


def _further(
    ours: Mapping[str, JsonValue], theirs: Mapping[str, JsonValue], prefix: str
) -> Iterator[tuple[str, JsonValue, str, JsonValue]]:
    """What an entry repeats of ``config.json`` beside the facts that every model has, section by section."""
    for key in (key for key in ours if key in theirs):
        stated, published = ours[key], theirs[key]
        if isinstance(stated, dict) and isinstance(published, dict):
            yield from _further(stated, published, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", stated, key, published


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
    note = notes / f"{name}-{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]}.json"
    with held(note.with_suffix(".lock"), "make the folder of notes writable, or move it away"):
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
