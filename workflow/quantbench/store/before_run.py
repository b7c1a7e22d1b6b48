"""What is wrong with a run's models, or not settled, before anything is downloaded or loaded. No torch, no network.

Snakemake asks while it builds its plan, so that ``snakemake -n`` says it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ..config import LockedModel, ModelEntry
from ..errors import ModelError, QuantbenchError
from ..hub_address import page
from .folder_checks import check_folder
from .places import is_commit, model_folder, receipt_path
from .published_facts import chat_template
from .published_precision import check_published_precision


def check_local_models(root: Path, models_folder: str, models: Mapping[str, ModelEntry]) -> None:
    """Refuse local folders that no cell could load.

    Args:
        root: where relative paths start.
        models_folder: where retrieved models stand.
        models: those that cells are still to run with.

    Raises:
        ModelError: names what is amiss with each, a line a model.
    """
    wrong = []
    for name, entry in models.items():
        if entry.folder is None or entry.has_random_weights:
            continue
        folder = model_folder(root, models_folder, name, entry)
        try:
            check_folder(folder, name, entry)
            check_published_precision(folder, name, entry, here=False)
            check_chat_template(folder, name, entry)
        except QuantbenchError as error:
            wrong.append(str(error))
    if wrong:
        raise ModelError("\n".join(wrong))


def check_chat_template(folder: Path, name: str, entry: ModelEntry) -> None:
    """Refuse a model that is to be asked by a chat template and has none.

    Raises:
        ModelError: names the folder and the entry's key.
    """
    if entry.chat_template == "tokenizer" and not chat_template(folder):
        raise ModelError(
            f"{folder}: model {name!r} has no chat template (chat_template.jinja, or chat_template in tokenizer_config.json), and "
            f"config/models/{name}.yaml says chat_template: tokenizer; write none for a base model, or fetch the template"
        )


def retrieval_remarks(
    root: Path, models_folder: str, models: Mapping[str, ModelEntry], locked: Mapping[str, LockedModel]
) -> list[str]:
    """What to know before models are retrieved: which need an account, and which are taken as they come.

    Args:
        root: where relative paths start.
        models_folder: where retrieved models stand.
        models: those that cells are still to run with.
        locked: the lock file.
    """
    due = {
        name: entry
        for name, entry in models.items()
        if entry.hub_id and not entry.has_random_weights and not receipt_path(root, models_folder, name).exists()
    }
    said = [_on_access(name, entry) for name, entry in due.items() if entry.gated]
    loose = [
        f"{name} ({entry.revision or 'main'})"
        for name, entry in due.items()
        if not is_commit(entry.revision) and not (name in locked and locked[name].answers(entry))
    ]
    if loose:
        said.append(
            f"at no pinned commit, and so taken as they are when they are retrieved: {', '.join(loose)}; quantbench lock pins them"
        )
    return said


def _on_access(name: str, entry: ModelEntry) -> str:
    """Whether there is a token for a gated model; the token itself is never read further."""
    if os.environ.get("HF_TOKEN"):
        return f"{name} is gated: the token in HF_TOKEN is used, whose account must have accepted the licence at {page(entry)}"
    return (
        f"{name} is gated, and HF_TOKEN is not set: accept the licence at {page(entry)}, and give a read token in the "
        "environment variable HF_TOKEN"
    )
