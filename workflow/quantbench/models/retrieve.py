"""Fetching a model's files from the hub: only what loading needs, at the configured revision. Touches the network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..config import ModelEntry
from ..errors import ModelError
from ..records import write_json
from .folder import check_folder, file_hashes

_NEEDED = ["*.json", "*.safetensors", "tokenizer.model", "*.txt", "*.jinja"]


def retrieve_model(name: str, entry: ModelEntry, folder: Path, receipt: Path) -> None:
    """Fetch a model, check its folder and write a receipt with the resolved revision and every file's SHA-256.

    Raises:
        ModelError: gated or unknown model, unreachable hub; the message says what to do.
    """
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

    page = f"https://huggingface.co/{entry.hub_id}"
    try:
        info = HfApi().model_info(str(entry.hub_id), revision=entry.revision)
        patterns = _NEEDED if _has_safetensors(info) else [*_NEEDED, "pytorch_model*.bin"]
        snapshot_download(str(entry.hub_id), revision=info.sha, local_dir=folder, allow_patterns=patterns)
    except GatedRepoError:
        raise ModelError(
            f"model {name!r} is gated: accept its licence at {page}, then give a read token in the environment "
            "variable HF_TOKEN and run again"
        ) from None
    except RepositoryNotFoundError:
        raise ModelError(
            f"model {name!r}: the hub knows no {entry.hub_id!r} (renamed, or it needs HF_TOKEN): {page}"
        ) from None
    except (HfHubHTTPError, OSError) as error:
        raise ModelError(
            f"model {name!r}: the hub did not deliver {entry.hub_id!r}: {error}; run again to resume"
        ) from None
    check_folder(folder, name, entry)
    write_json(receipt, {"model": name, "hub_id": entry.hub_id, "revision": info.sha, "files": file_hashes(folder)})


def _has_safetensors(info: Any) -> bool:
    return any(item.rfilename.endswith(".safetensors") for item in info.siblings or [])
