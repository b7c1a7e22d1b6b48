"""The log of one job: everything it prints also goes to a file, and an error a user can mend is printed without a trace."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from io import FileIO, TextIOBase
from pathlib import Path
from typing import TextIO

from .defects import defect_line
from .errors import QuantbenchError
from .reading.os_errors import in_words, unwritable


class _Tee(TextIOBase):
    """Writes to several streams."""

    def __init__(self, *streams: TextIO | TextIOBase) -> None:
        self._streams = streams

    def write(self, text: str) -> int:
        for stream in self._streams:
            stream.write(text)
            stream.flush()
        return len(text)

    def isatty(self) -> bool:
        return False


class _LogFile(TextIOBase):
    """The log. What the disk refuses of it is left out: a job does not fail for what it says.

    Raises:
        OSError: no file can be written there at all.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Appending, since a forked process of the same job writes there too; unbuffered, so that nothing is left for closing.
        # Without blocking: a pipe that nobody reads is refused.
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC
        self._handle = FileIO(os.open(path, flags, 0o666), "a")

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._handle.write(text.encode("utf-8", errors="replace"))
        return len(text)

    def close(self) -> None:
        if not self.closed:
            with suppress(OSError):
                self._handle.close()
        super().close()


@contextmanager
def job_log(path: str | Path) -> Iterator[None]:
    """Copy what the job prints into ``path``; a :class:`QuantbenchError` ends the job with its message alone.

    So does what the disk or the file system refuses, and a log that cannot be written, a folder of its name for one. Of an exception
    that nobody foresaw the traceback goes into the log, and one line says so.
    """
    try:
        log = _LogFile(Path(path))
    except (OSError, ValueError) as error:
        print(f"quantbench: {unwritable(path, error)}", file=sys.stderr)
        raise SystemExit(1) from None
    with log as handle:
        errors = _Tee(sys.stderr, handle)
        with redirect_stdout(_Tee(sys.stdout, handle)), redirect_stderr(errors):
            try:
                with in_words("a file of this job"):
                    yield
            except QuantbenchError as error:
                print(f"quantbench: {error}", file=sys.stderr)
                # SystemExit(1) without a message: Snakemake then only says which rule failed.
                raise SystemExit(1) from None
            except Exception as error:
                handle.write("".join(traceback.format_exception(error)))
                print(f"quantbench: {defect_line(error, Path(path))}", file=sys.stderr)
                raise SystemExit(1) from None
