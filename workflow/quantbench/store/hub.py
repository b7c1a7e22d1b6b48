"""The hub: what a name and revision stand for, which files that is, and fetching them. Touches the network.

The token is read from the environment variable ``HF_TOKEN`` for each request and is neither written nor printed.
``HF_ENDPOINT`` names another hub, such as a mirror inside a hospital.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..config import LockedModel, ModelEntry, RemoteFile
from ..errors import ModelError
from .selection import needed_files
from .transfer import download

PUBLIC_HUB = "https://huggingface.co"


def endpoint() -> str:
    """The hub's address."""
    return (os.environ.get("HF_ENDPOINT") or PUBLIC_HUB).rstrip("/")


def page(entry: ModelEntry) -> str:
    """Where people read and accept a model's licence."""
    return f"{endpoint()}/{entry.hub_id}"


def resolve(name: str, entry: ModelEntry, commit: str | None = None) -> LockedModel:
    """Ask the hub which commit the entry's revision is (or take ``commit``) and which files a model needs from it.

    Raises:
        ModelError: unknown or renamed model, unknown revision, no access, no connection.
    """
    with _explained(name, entry):
        api = _api()
        info = api.model_info(str(entry.hub_id), revision=commit or entry.revision)
        if info.id != entry.hub_id:
            raise ModelError(
                f"model {name!r}: the hub calls {entry.hub_id!r} {info.id!r} now; if that is the same model, write "
                f"hub_id: {info.id} in config/models/{name}.yaml"
            )
        published = _published(api, str(entry.hub_id), str(info.sha))
    files = needed_files(published, name, str(entry.hub_id))
    return LockedModel(hub_id=str(entry.hub_id), revision=str(entry.revision), commit=str(info.sha), files=files)


def fetch(name: str, entry: ModelEntry, commit: str, files: Mapping[str, RemoteFile], folder: Path) -> None:
    """Download files of one commit into ``folder``; each stands under its name only once its hash is proved.

    Raises:
        ModelError: as :func:`resolve`, or content other than stated; finished files stay.
    """
    from huggingface_hub import hf_hub_url

    def address(file: str) -> str:
        return hf_hub_url(str(entry.hub_id), file, revision=commit, endpoint=endpoint())

    with _explained(name, entry):
        download(name, address, files, folder)


def _api() -> Any:
    from huggingface_hub import HfApi

    # False, not None: None would also look for a token that another tool wrote to disk.
    return HfApi(endpoint=endpoint(), token=os.environ.get("HF_TOKEN") or False)


def _published(api: Any, hub_id: str, commit: str) -> dict[str, RemoteFile]:
    from huggingface_hub.hf_api import RepoFile

    files = {}
    for item in api.list_repo_tree(hub_id, revision=commit):
        if isinstance(item, RepoFile):
            large = item.lfs is not None
            files[item.path] = RemoteFile(
                size=item.size,
                sha256=item.lfs.sha256 if large and item.lfs else None,
                git_blob=None if large else item.blob_id,
            )
    return files


@contextmanager
def _explained(name: str, entry: ModelEntry) -> Iterator[None]:
    """Turn what the hub's client raises into what the user can do."""
    from httpx2 import HTTPError
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    try:
        yield
    except OfflineModeIsEnabled:
        raise ModelError(
            f"model {name!r}: HF_HUB_OFFLINE is set (or TRANSFORMERS_OFFLINE), so nothing can be retrieved; unset it, or "
            "run where the network is"
        ) from None
    except HfHubHTTPError as error:
        raise ModelError(_refusal(name, entry, error)) from None
    except (HTTPError, OSError) as error:
        raise ModelError(_lost(name, entry, error)) from None


def _refusal(name: str, entry: ModelEntry, error: Any) -> str:
    """What a refused request means, by the error's kind and status."""
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    status = error.response.status_code
    if isinstance(error, GatedRepoError):
        return _gated(name, entry)
    if isinstance(error, RevisionNotFoundError):
        return (
            f"model {name!r}: {entry.hub_id!r} has no revision {entry.revision!r} or its locked commit any more; correct "
            f"the revision in config/models/{name}.yaml, or take {name!r} out of config/models.lock.yaml and run "
            f"quantbench lock ({page(entry)})"
        )
    if status == 401 and os.environ.get("HF_TOKEN"):
        return (
            f"model {name!r}: the hub does not accept the token in HF_TOKEN (401); it is mistyped, expired or revoked"
        )
    if isinstance(error, RepositoryNotFoundError) or status in (401, 403, 404):
        return (
            f"model {name!r}: the hub gives no {entry.hub_id!r} ({status}): renamed, removed, or private; look at "
            f"{page(entry)}, then correct hub_id in config/models/{name}.yaml, or give a token that may read it in the "
            "environment variable HF_TOKEN"
        )
    return f"model {name!r}: the hub answered {status} for {entry.hub_id!r}; try again later, what has arrived is kept"


def _gated(name: str, entry: ModelEntry) -> str:
    if os.environ.get("HF_TOKEN"):
        return (
            f"model {name!r} is gated, and the account of the token in HF_TOKEN has no access: accept the licence at "
            f"{page(entry)} with that account (some makers approve by hand), and let the token read gated repositories"
        )
    return (
        f"model {name!r} is gated: accept its licence at {page(entry)}, make a read token at "
        f"{endpoint()}/settings/tokens, give it in the environment variable HF_TOKEN (nowhere else: it is never "
        "written or logged) and run again"
    )


def _lost(name: str, entry: ModelEntry, error: BaseException) -> str:
    return (
        f"model {name!r}: {entry.hub_id!r} did not arrive from {endpoint()} ({type(error).__name__}: {error}); "
        "run again to go on where it broke off"
    )
