"""Fetching files of one commit from the hub, several at a time, each taken up where it broke off. Touches the network.

What has arrived of a file stands beside its final name, so that neither an outage nor a killed process loses it; the
name is given once the hash is proved.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

from ..config import RemoteFile
from ..contracts.checksums import Expected, difference
from ..errors import ModelError
from ..hub_address import access_token

GIB = 1024**3
CONNECTIONS = 4
ATTEMPTS = 5
PAUSE_S = 2.0
REPORT_S = 20.0


def download(
    name: str, source: Callable[[str], str], files: Mapping[str, RemoteFile], folder: Path, quiet: bool = False
) -> None:
    """Download files into ``folder``, saying how far it is.

    Args:
        name: the model's name, for messages.
        source: file name -> address.
        files: what to fetch, with size and hash.
        folder: takes them under their names.
        quiet: say nothing.

    Raises:
        ModelError: content other than stated; nothing of that file is kept.
        httpx2.HTTPError, OSError: what the last attempt failed with; what arrived is kept.
    """
    total, before, begin = sum(facts.size for facts in files.values()), _bytes_in(folder), time.monotonic()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        # The largest first: a small one at the end leaves no connection idle for long.
        order = sorted(files, key=lambda file: -files[file].size)
        waiting = {pool.submit(_fetch, source(file), files[file], folder / file) for file in order}
        try:
            while waiting:
                done, waiting = wait(waiting, timeout=REPORT_S, return_when="FIRST_EXCEPTION")
                if not quiet:
                    print(_progress(name, _bytes_in(folder) - before, total, time.monotonic() - begin), flush=True)
                for future in done:
                    future.result()
        finally:
            for future in waiting:
                future.cancel()


def part_of(path: Path) -> Path:
    """Where a file stands while it arrives."""
    return path.with_name(f".{path.name}.part")


def _fetch(url: str, facts: RemoteFile, path: Path) -> None:
    part = part_of(path)
    resumed = part.exists()
    _receive(url, facts, part)
    wrong = difference(part, Expected.of(facts))
    if wrong and resumed:  # begun in an earlier run, perhaps from another commit: once more from the start
        part.unlink(missing_ok=True)
        _receive(url, facts, part)
        wrong = difference(part, Expected.of(facts))
    if wrong:
        part.unlink(missing_ok=True)
        raise ModelError(
            f"{path}: what {url} delivers is not the published file: {wrong}; nothing of it was kept. Run again, and "
            "check that no proxy or mirror changes the content"
        )
    part.replace(path)


def _receive(url: str, facts: RemoteFile, part: Path) -> None:
    """Append what is missing to ``part``; a lost connection or a busy server is tried again, later each time."""
    from httpx2 import TransportError
    from huggingface_hub.errors import HfHubHTTPError
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils._headers import build_hf_headers

    headers = build_hf_headers(token=access_token())
    for attempt in range(1, ATTEMPTS + 1):
        arrived = part.stat().st_size if part.exists() else 0
        if arrived > facts.size:
            part.unlink()
            arrived = 0
        if arrived == facts.size and arrived:
            return
        try:
            with part.open("ab") as handle:
                http_get(url, handle, resume_size=arrived, headers=headers, displayed_filename=part.name)
            return
        except HfHubHTTPError as error:
            if attempt == ATTEMPTS or error.response.status_code < 500:
                raise
        except TransportError:
            if attempt == ATTEMPTS:
                raise
        time.sleep(PAUSE_S * 2**attempt)


def _progress(name: str, arrived: int, total: int, seconds: float) -> str:
    rate = max(arrived, 1) / max(seconds, 1e-3)
    left = max(0, total - arrived) / rate
    return f"{name}: {arrived / GIB:.2f} of {total / GIB:.2f} GiB, {rate / 1024**2:.1f} MiB/s, {left:.0f} s left"


def _bytes_in(folder: Path) -> int:
    """Bytes of all files of a folder, those still arriving included."""
    total = 0
    for path in folder.iterdir():
        try:
            total += path.stat().st_size
        except FileNotFoundError:  # given its final name just now
            continue
    return total
