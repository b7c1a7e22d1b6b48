"""Download of the published files from their pinned sources, or from a mirror. Touches the network.

A file appears under its final name only after its content was proved; until then it is in a temporary folder beside.
A lost connection is taken up where it broke.
"""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote, unquote

from ..config import DataFile, DatasetEntry, Split
from ..contracts.checksums import Expected, difference, verify_file
from ..contracts.files import write_text
from ..errors import DataError
from ..reading.os_errors import in_words
from ..recovery.partial_files import temporary_folder
from .readers.read_yes_no_maybe import read_pmids, read_pool

COMMIT = "e607a812d87df151f310a9dd3677cfc21924f192"
BENCHMARKS_URL = f"https://raw.githubusercontent.com/BIDS-Xu-Lab/Biomedical-NLP-Benchmarks/{COMMIT}/benchmarks"
# The benchmarks hold only PubMedQA's test split: the pool is made from the corpus itself.
PUBMEDQA_COMMIT = "1f00b98d5cc626844bf8c4ca513b6e62c40071ec"
PUBMEDQA_URL = f"https://raw.githubusercontent.com/pubmedqa/pubmedqa/{PUBMEDQA_COMMIT}/data"
PUBMEDQA_FILE = "ori_pqal.json"

ATTEMPTS = 3
PAUSE_S = 1.0
TIMEOUT_S = 60
CHUNK_BYTES = 1 << 16


def retrieve(
    entry: DatasetEntry,
    name: str,
    folder: Path,
    *,
    base_url: str = BENCHMARKS_URL,
    pool_url: str = PUBMEDQA_URL,
    progress: bool = True,
) -> list[Path]:
    """Download a dataset's test file and its few-shot file into ``folder``; a verified file there is kept.

    Args:
        entry: the dataset's configuration; ``upstream_folder`` and the files with a git blob id are upstream's.
        name: the dataset's name, for messages.
        folder: takes the files under their published names; made where it is missing.
        base_url: the folder upstream that holds the datasets' folders; an address, or the path of a local mirror's.
        pool_url: the folder that holds PubMedQA's ``ori_pqal.json``.
        progress: show a bar for each file.

    Returns:
        The files' paths: test first, then the few-shot split's where upstream has one.

    Raises:
        DataError: nothing upstream to download, no connection, a refusal of the server, or content other than pinned.
    """
    test = _upstream_file(entry, "test")
    if entry.upstream_folder is None or test is None:
        raise DataError(f"dataset {name!r} names no upstream file of its test split; put its files in {folder}")
    with in_words(folder):
        folder.mkdir(parents=True, exist_ok=True)
    base = f"{base_url}/{quote(entry.upstream_folder)}/datasets/full_set"
    paths = [_fetch(base, test, folder, progress)]
    for split in entry.few_shot_splits:
        file = _upstream_file(entry, split) if split != "test" else None
        if file is not None:
            return [*paths, _fetch(base, file, folder, progress)]
    derived = _derived_pool(entry)
    if derived is not None:
        paths.append(_derive_pool(pool_url, derived, folder / test.name, folder, progress))
    return paths


def mirror_urls(mirror: str | None) -> tuple[str, str]:
    """``base_url`` and ``pool_url`` of :func:`retrieve` on a mirror: a folder or address with clones of both sources."""
    if mirror is None:
        return BENCHMARKS_URL, PUBMEDQA_URL
    root = mirror.rstrip("/")
    return f"{root}/benchmarks", f"{root}/pubmedqa/data"


def _upstream_file(entry: DatasetEntry, split: Split) -> DataFile | None:
    """The file of a split that upstream's tree names: the one with a git blob id."""
    return next((file for file in entry.files.get(split, []) if file.git_blob is not None), None)


def _derived_pool(entry: DatasetEntry) -> DataFile | None:
    if entry.reader != "yes_no_maybe":
        return None
    files = [file for split in entry.few_shot_splits for file in entry.files.get(split, [])]
    return next((file for file in files if file.name.endswith(".json") and file.sha256 is not None), None)


def _fetch(base: str, file: DataFile, folder: Path, progress: bool) -> Path:
    """Download one file and give it its name once its content is proved."""
    path = folder / file.name
    if path.exists():
        verify_file(path, file)
        return path
    with temporary_folder(folder, ".download-") as beside:
        part = beside / file.name
        url = f"{base}/{quote(file.name)}"
        _download(url, part, progress)
        _publish(part, file, path, url)
    return path


def _derive_pool(base: str, file: DataFile, test: Path, folder: Path, progress: bool) -> Path:
    """PubMedQA's records less those of the test split, in the form whose SHA-256 the entry states."""
    path = folder / file.name
    if path.exists():
        verify_file(path, file)
        return path
    held_out = read_pmids(test)
    with temporary_folder(folder, ".download-") as beside:
        url = f"{base}/{PUBMEDQA_FILE}"
        whole, part = beside / PUBMEDQA_FILE, beside / file.name
        _download(url, whole, progress)
        records = {pmid: record for pmid, record in read_pool(whole).items() if pmid not in held_out}
        write_text(part, json.dumps(records, indent=1, ensure_ascii=False))
        _publish(part, file, path, f"{url} less the {len(held_out)} test records")
    return path


def _publish(part: Path, file: DataFile, path: Path, source: str) -> None:
    """Give a download its final name if its content is the pinned one; else it goes with the temporary folder."""
    wrong = difference(part, Expected.of(file))
    if wrong is not None:
        raise DataError(
            f"{source}: not the pinned file: {wrong}; nothing was kept. Try again, or check that no proxy or mirror changes the content"
        )
    part.chmod(0o644)  # temporary files are their maker's alone; a shared folder has other readers
    part.replace(path)


def _download(url: str, path: Path, progress: bool) -> None:
    """Download ``url`` to ``path`` with pooch's downloader, or copy it from a mirror folder; it is not proved yet."""
    import pooch
    from requests.exceptions import RequestException

    if "://" not in url:
        _copy(Path(unquote(url)), path)
        return
    for attempt in range(1, ATTEMPTS + 1):
        arrived = path.stat().st_size if path.exists() else 0
        # Compressed answers cannot be taken up in the middle.
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={arrived}-"} if arrived else {})
        downloader = pooch.HTTPDownloader(
            progressbar=progress, chunk_size=CHUNK_BYTES, timeout=TIMEOUT_S, headers=headers
        )
        try:
            with path.open("ab") as handle:
                downloader(url, handle, None)
            return
        except RequestException as error:
            status = error.response.status_code if error.response is not None else None
            if status == 416:  # the server does not take up this file: from the start
                path.unlink()
            # What the server refuses by name will not change; a lost connection or a busy server may.
            elif attempt == ATTEMPTS or (status is not None and status < 500 and status != 429):
                _explain(url, status, error)
            time.sleep(attempt * PAUSE_S)


def _copy(source: Path, path: Path) -> None:
    try:
        shutil.copyfile(source, path)
    except FileNotFoundError:
        raise DataError(
            f"{source}: no such file in the mirror; data.mirror is a folder or address with benchmarks/ as in a clone of "
            "BIDS-Xu-Lab/Biomedical-NLP-Benchmarks, and for PubMedQA's worked examples pubmedqa/data/ as in a clone of "
            "pubmedqa/pubmedqa in a folder pubmedqa"
        ) from None


def _explain(url: str, status: int | None, error: Exception) -> NoReturn:
    if status == 404:
        reason = "the server has no such file (404); check upstream_folder and the file's name in dataset.yaml"
    elif status is not None:
        reason = f"the server answered {status}; try again later"
    else:
        reason = f"no connection after {ATTEMPTS} attempts ({type(error).__name__}: {error})"
    raise DataError(f"{url}: {reason}, or put the files into a local folder and name it as data.folder") from None
