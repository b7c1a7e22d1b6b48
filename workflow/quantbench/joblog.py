"""The log of one job: everything it prints also goes to a file, and an error a user can mend is printed without a trace."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import TextIOBase
from pathlib import Path
from typing import TextIO

from .errors import QuantbenchError


class _Tee(TextIOBase):
    """Writes to several streams."""

    def __init__(self, *streams: TextIO) -> None:
        self._streams = streams

    def write(self, text: str) -> int:
        for stream in self._streams:
            stream.write(text)
            stream.flush()
        return len(text)

    def isatty(self) -> bool:
        return False


@contextmanager
def job_log(path: str | Path) -> Iterator[None]:
    """Copy what the job prints into ``path``; a :class:`QuantbenchError` ends the job with its message alone."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(b"")
    # Appending, since a forked process of the same job writes there too.
    with Path(path).open("a", encoding="utf-8") as handle:
        errors = _Tee(sys.stderr, handle)
        with redirect_stdout(_Tee(sys.stdout, handle)), redirect_stderr(errors):
            try:
                yield
            except QuantbenchError as error:
                print(f"quantbench: {error}", file=sys.stderr)
                # SystemExit(1) without a message: Snakemake then only says which rule failed.
                raise SystemExit(1) from None
            except Exception:
                traceback.print_exc(file=handle)
                raise
