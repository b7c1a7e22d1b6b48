"""A dataset of the Hugging Face hub, at a pinned revision, written as records. Touches the network.

Its columns are named in the dataset's entry (``hub.columns``); class numbers become label names, options letters, and
tokens with B-I-O tags a text with entities.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import ascii_uppercase
from typing import TYPE_CHECKING

from pydantic import JsonValue

from ..config import DatasetEntry, HubDataset
from ..contracts.checksums import verify_file
from ..contracts.files import write_text
from ..contracts.records import Mention
from ..errors import DataError
from ..hub_address import access_token
from ..reading.os_errors import in_words
from ..recovery.partial_files import temporary_folder

if TYPE_CHECKING:
    from datasets import Dataset, Features


def retrieve_hub(entry: DatasetEntry, name: str, folder: Path) -> list[Path]:
    """Write each configured split as ``<split>.jsonl`` into ``folder``; returns the files' paths.

    Code of a dataset's repository is never run.

    Raises:
        DataError: no access or no connection, a split or column that is not there, content other than pinned.
    """
    hub = entry.hub
    if hub is None:
        raise DataError(f"dataset {name!r} names no hub dataset")
    with in_words(folder):
        folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for split, published in hub.splits.items():
        path = folder / f"{split}.jsonl"
        with temporary_folder(folder, ".download-") as cache:
            rows = _load(hub, name, published, str(cache))
            _require_columns(hub, name, rows)
            records = [_record(hub, number, row, rows.features) for number, row in enumerate(rows)]
        write_text(path, "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records))
        print(f"{name}: {len(records)} records of split {published!r} of {hub.id}")
        for file in entry.files.get(split, []):
            if file.name == path.name:
                verify_file(path, file)
        paths.append(path)
    return paths


def _load(hub: HubDataset, name: str, split: str, cache: str) -> Dataset:
    import datasets

    token = access_token()
    try:
        return datasets.load_dataset(
            hub.id,
            hub.subset,
            split=split,
            revision=None if Path(hub.id).is_dir() else hub.revision,
            cache_dir=cache,
            token=token,
        )
    except (OSError, ValueError, RuntimeError) as error:
        first = str(error).strip().split("\n")[0]
        raise DataError(
            f"dataset {name!r}: {hub.id!r} at {hub.revision}, subset {hub.subset}, split {split!r} did not arrive "
            f"({type(error).__name__}: {first}); check these in dataset.yaml, and the connection. A gated dataset needs "
            "its terms accepted and a read token in the environment variable HF_TOKEN"
        ) from None


def _require_columns(hub: HubDataset, name: str, rows: Dataset) -> None:
    for ours, column in hub.columns.items():
        if column not in rows.column_names:
            raise DataError(
                f"dataset {name!r}: key 'hub.columns.{ours}' names the column {column!r}, which {hub.id} has not; "
                f"it has {', '.join(rows.column_names)}"
            )


def _record(hub: HubDataset, number: int, row: Mapping[str, JsonValue], features: Features) -> dict[str, object]:
    values: dict[str, object] = {ours: _named(row[column], features[column]) for ours, column in hub.columns.items()}
    record = {"sample_id": str(values.pop("sample_id", number))}
    group = values.pop("group", None)
    if group is not None:
        record["group"] = str(group)
    if "tokens" in values:
        tokens, tags = (_words(hub, ours, values.pop(ours)) for ours in ("tokens", "tags"))
        values["text"] = " ".join(tokens)
        values["gold"] = list(_entities(tokens, tags))
    gold = values.pop("gold")
    if "options" in values:
        values["options"] = _lettered(values["options"])
        gold = ascii_uppercase[gold] if isinstance(gold, int) else gold
    return {**record, "inputs": values, "gold": gold}


def _named(value: JsonValue, feature: object) -> JsonValue:
    """Class numbers as their names, also within lists."""
    inner = getattr(feature, "feature", None)
    if inner is not None and isinstance(value, list):
        return [_named(item, inner) for item in value]
    return feature.int2str(value) if hasattr(feature, "int2str") and isinstance(value, int) else value


def _words(hub: HubDataset, ours: str, value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise DataError(
            f"{hub.id}: column {hub.columns[ours]!r} (key 'hub.columns.{ours}') holds {value!r}; expected a list of texts"
        )
    return value


def _lettered(options: object) -> object:
    """Options as letter -> text; a list takes the letters in order."""
    return dict(zip(ascii_uppercase, options, strict=False)) if isinstance(options, list) else options


def _entities(tokens: list[str], tags: list[str]) -> Iterator[Mention]:
    """Entities of tokens joined by one blank; a tag's type (``B-Chemical``) is not looked at."""
    start, entity = 0, None
    for token, tag in zip(tokens, tags, strict=True):
        end = start + len(token)
        if tag.startswith("I") and entity is not None:
            entity = (entity[0], end)
        else:
            if entity is not None:
                yield _entity(tokens, *entity)
            entity = (start, end) if tag.startswith(("B", "I")) else None
        start = end + 1
    if entity is not None:
        yield _entity(tokens, *entity)


def _entity(tokens: list[str], start: int, end: int) -> Mention:
    return {"start": start, "end": end, "text": " ".join(tokens)[start:end]}
