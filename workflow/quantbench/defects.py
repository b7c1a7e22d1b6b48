"""What is said of an exception nobody foresaw: one line, and the traceback in a file, for whoever mends it."""

from __future__ import annotations

import os
import tempfile
import time
import traceback
from pathlib import Path

from . import __version__
from .errors import QuantbenchError, shorten
from .recovery.file_locks import user_folder

REPORT = (
    "report it with that file to whoever maintains quantbench, once you have looked through what it says of your data"
)


def defect_line(error: BaseException, log: Path | None) -> str:
    """The one line: what was raised, and where its traceback is.

    Args:
        error: the exception.
        log: the file that holds its traceback; None: none could be written.
    """
    said = " ".join(str(error).split())
    what = f"{type(error).__name__}{f': {shorten(said, 160)}' if said else ''}"
    where = f"its traceback is in {log}; {REPORT}" if log else "its traceback could not be written: the disk refuses"
    return f"a defect of quantbench {__version__} ({what}); {where}"


def keep_traceback(command: str, error: BaseException) -> Path | None:
    """Write the traceback of a command's exception into a file of its own, which only this user may read.

    Returns:
        The file, in this user's folder among the temporary files; None where it cannot be written.
    """
    text = f"quantbench {__version__}, {command}\n" + "".join(traceback.format_exception(error))
    try:
        name = f"{command.replace(' ', '-')}-{time.strftime('%Y%m%dT%H%M%S')}-"
        number, path = tempfile.mkstemp(prefix=name, suffix=".log", dir=user_folder())
        with os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace") as handle:
            handle.write(text)
    except (OSError, QuantbenchError):
        return None
    return Path(path)
