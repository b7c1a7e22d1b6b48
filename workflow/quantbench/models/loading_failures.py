"""Why a model could not be loaded, in one line, with nothing of it left on the devices.

transformers keeps errors of quantizing and of merging weights to itself, goes on with the next weight, and raises one in
the end that names none of them. Memory that ran out there is found all the same.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

from ..errors import ModelError, QuantbenchError
from ..reading.library_errors import is_of_library, said
from .out_of_memory import Shortage, asked_and_free, chain_of, is_out_of_memory, release, says_out_of_memory, shortage

if TYPE_CHECKING:
    from types import TracebackType

_Loaded = TypeVar("_Loaded")
# Threads that read weights end with the weight at hand.
_THREAD_S = 60.0


def or_say_why(load: Callable[[], _Loaded], what: str, precision: str) -> _Loaded:
    """Load something, or say in one line why it cannot be.

    Args:
        load: reads weights onto devices.
        what: the model, in words.
        precision: its title.

    Raises:
        ModelError: names the reason; where memory ran out, what was asked for and what is free, and nothing of the model is
            held any more.
    """
    before = set(threading.enumerate())
    try:
        return load()
    except QuantbenchError:
        raise
    except BaseException as error:  # files are other people's, and what reads them fails in its own ways
        if not is_of_library(error):
            raise
        refused = ModelError(_said(error, what, precision))
    # Outside the handler: the error's trace holds every weight that was loaded.
    for thread in set(threading.enumerate()) - before:
        if not thread.daemon:
            thread.join(_THREAD_S)
    release()
    raise refused


def _said(error: BaseException, what: str, precision: str) -> str:
    kept_back = list(_kept_back(error))
    lacking = shortage(error) if is_out_of_memory(error) else None
    if lacking is None:
        lacking = next((Shortage.read(text) for _, text in kept_back if says_out_of_memory(text)), None)
    if lacking is not None:
        return f"out of memory while loading {what} at precision {precision!r}{asked_and_free(lacking)}"
    reason = said(error)
    if kept_back:
        name, text = kept_back[0]
        reason = f"{name} cannot be converted: {_last_line(text)}"
    return f"{what}: not loadable at precision {precision!r}: {reason}; where files are damaged, retrieve or copy them again"


def _kept_back(error: BaseException) -> Iterator[tuple[str, str]]:
    """Weights that transformers could not convert, each with the text it keeps: a traceback and the error's own words."""
    for one in chain_of(error):
        trace: TracebackType | None = one.__traceback__
        while trace is not None:
            frame, trace = trace.tb_frame, trace.tb_next
            # Of a frame that still runs, Python would keep the values that are read here, the error among them.
            if frame.f_globals.get("__name__", "").startswith("transformers."):
                found = getattr(frame.f_locals.get("loading_info"), "conversion_errors", None)
                if isinstance(found, dict):
                    yield from found.items()


def _last_line(text: str) -> str:
    """What the error said, which stands before the remark on the weights that it befell."""
    lines = [line.strip() for line in text.rpartition("\nError")[0].splitlines() if line.strip()]
    return lines[-1] if lines else text.strip()
