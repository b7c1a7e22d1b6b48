"""The hub: what a name and revision stand for, which files that is, and fetching them. Touches the network.

The token is read from the environment variable ``HF_TOKEN`` for each request and is neither written nor printed;
:mod:`quantbench.hub_address` says who is sent it.
``HF_ENDPOINT`` names another hub, such as a mirror inside a hospital.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..config import ModelEntry, RemoteFile
from ..errors import ModelError
from ..hub_address import Repository, access_token, endpoint, page
from .transfer import download

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError


def published_files(
    name: str, entry: ModelEntry | Repository, commit: str | None = None
) -> tuple[str, dict[str, RemoteFile]]:
    """Ask the hub which commit the entry's revision is (or take ``commit``); that commit, and its files by path.

    Raises:
        ModelError: unknown or renamed model, unknown revision, no access, no connection.
    """
    with _explained(name, entry):
        api = _api()
        info = api.model_info(str(entry.hub_id), revision=commit or entry.revision)
        if info.id != entry.hub_id:
            raise ModelError(
                f"model {name!r}: the hub calls {entry.hub_id!r} {info.id!r} now; if that is the same model, "
                f"{_mend(name, entry, f'write hub_id: {info.id}', f'give {info.id}')}"
            )
        return str(info.sha), _listed(api, str(entry.hub_id), str(info.sha))


def is_gated(repository: Repository) -> bool:
    """Whether the hub gives the weights only to accounts that accepted a licence.

    Raises:
        ModelError: as :func:`published_files`.
    """
    with _explained(repository.hub_id, repository):
        return bool(_api().model_info(repository.hub_id, revision=repository.revision).gated)


def first_bytes(repository: Repository, commit: str, file: str, end: int) -> bytes:
    """The first ``end`` bytes of a file of one commit, or all of a shorter one.

    Raises:
        ModelError: as :func:`published_files`.
    """
    from huggingface_hub import hf_hub_url
    from huggingface_hub.utils._headers import build_hf_headers
    from huggingface_hub.utils._http import get_session, hf_raise_for_status

    url = hf_hub_url(repository.hub_id, file, revision=commit, endpoint=endpoint())
    headers = build_hf_headers(token=access_token()) | {"Range": f"bytes=0-{end - 1}"}
    with _explained(repository.hub_id, repository):
        response = get_session().get(url, headers=headers, follow_redirects=True)
        hf_raise_for_status(response)
        return bytes(response.content[:end])


def fetch(
    name: str,
    entry: ModelEntry | Repository,
    commit: str,
    files: Mapping[str, RemoteFile],
    folder: Path,
    quiet: bool = False,
) -> None:
    """Download files of one commit into ``folder``; each stands under its name only once its hash is proved.

    With ``quiet`` nothing is said about how far it is.

    Raises:
        ModelError: as :func:`published_files`, or content other than stated; finished files stay.
    """
    from huggingface_hub import hf_hub_url

    def address(file: str) -> str:
        return hf_hub_url(str(entry.hub_id), file, revision=commit, endpoint=endpoint())

    with _explained(name, entry):
        download(name, address, files, folder, quiet)


def _api() -> HfApi:
    from huggingface_hub import HfApi

    return HfApi(endpoint=endpoint(), token=access_token())


def _listed(api: HfApi, hub_id: str, commit: str) -> dict[str, RemoteFile]:
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
def _explained(name: str, entry: ModelEntry | Repository) -> Iterator[None]:
    """Turn what the hub's client raises into what the user can do."""
    from httpx2 import HTTPError
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

    try:
        yield
    except HFValidationError:
        raise ModelError(
            f"model {name!r}: {entry.hub_id!r} is no id that the hub can have; {_mend(name, entry, 'correct hub_id', 'give one')} as "
            "the model's page names it (maker/name)"
        ) from None
    except OfflineModeIsEnabled:
        raise ModelError(
            f"model {name!r}: HF_HUB_OFFLINE is set (or TRANSFORMERS_OFFLINE), so nothing can be retrieved; unset it, or "
            "run where the network is"
        ) from None
    except HfHubHTTPError as error:
        raise ModelError(_refusal(name, entry, error)) from None
    except (HTTPError, OSError) as error:
        raise ModelError(_lost(name, entry, error)) from None


def _refusal(name: str, entry: ModelEntry | Repository, error: HfHubHTTPError) -> str:
    """What a refused request means, by the error's kind and status."""
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    status = error.response.status_code
    if isinstance(error, GatedRepoError):
        return _gated(name, entry)
    if isinstance(error, RevisionNotFoundError) and isinstance(entry, Repository):
        return f"{entry.hub_id!r} has no revision {entry.revision!r}; --revision takes a branch, tag or commit of {page(entry)}"
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
            f"{page(entry)}, then {_mend(name, entry, 'correct hub_id', 'give the right id')}, or give a token that may read "
            "it in the environment variable HF_TOKEN"
        )
    return f"model {name!r}: the hub answered {status} for {entry.hub_id!r}; try again later, what has arrived is kept"


def _mend(name: str, entry: ModelEntry | Repository, in_entry: str, given: str) -> str:
    """What to do: in a model's entry, or where there is none yet."""
    return f"{in_entry} in config/models/{name}.yaml" if isinstance(entry, ModelEntry) else given


def _gated(name: str, entry: ModelEntry | Repository) -> str:
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


def _lost(name: str, entry: ModelEntry | Repository, error: BaseException) -> str:
    return (
        f"model {name!r}: {entry.hub_id!r} did not arrive from {endpoint()} ({type(error).__name__}: {error}); "
        "run again to go on where it broke off"
    )
