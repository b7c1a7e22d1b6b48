"""What libraries raise while they read other people's files becomes an error of ours, in one line that names the file.

A model's files go through transformers, tokenizers, safetensors, torch and the libraries that quantize. Each checks in its
own way: a damaged file ends in an error of the library, a ``KeyError``, an ``AssertionError`` without a word, or a panic of
the Rust that some are written in. All of them say one thing to the user: this file is not what it should be.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from traceback import extract_tb

from ..errors import ModelError, QuantbenchError
from .os_errors import Kind, reason

# Longest reason that is told; what a library goes on with is for its developers.
_LONGEST = 300
# Errors whose text is a bare name or number.
_BARE = (KeyError, IndexError, AttributeError, AssertionError, NotImplementedError, RecursionError)


@contextmanager
def in_one_line(where: object, problem: str, remedy: str, kind: Kind = ModelError) -> Iterator[None]:
    """Turn whatever a library raises in the block into one error of ours; errors of ours pass as they are.

    Args:
        where: the file, folder or setting that the library reads.
        problem: what could not be done with it.
        remedy: the next step.
        kind: which error is raised.

    Raises:
        QuantbenchError: of that kind: ``where: problem: what the library says; remedy``.
    """
    try:
        yield
        return
    except QuantbenchError:
        raise
    except BaseException as error:
        if not is_of_library(error):
            raise
        refused = kind(f"{where}: {problem}: {said(error)}; {remedy}")
    # Outside of the handler: the library's error holds the frames it passed through, and all that is loaded in them.
    raise refused


def is_of_library(error: BaseException) -> bool:
    """Whether a library raised an error, a panic of Rust included, which Python counts among interruptions."""
    return isinstance(error, Exception) or type(error).__name__ == "PanicException"


def said(error: BaseException) -> str:
    """What a library's error says, in one line; with its kind, and where it comes from, where it cannot be read alone."""
    if isinstance(error, OSError) and error.errno is not None:
        return f"{error.filename}: {reason(error)}" if error.filename else reason(error)
    lines = [" ".join(line.split()) for line in str(error).splitlines() if line.strip()]
    text = "".join(character for character in lines[0] if character.isprintable()) if lines else ""
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}..."
    if text and not isinstance(error, _BARE):
        return text
    frames = extract_tb(error.__traceback__)
    origin = f" in {Path(frames[-1].filename).stem}.{frames[-1].name}" if not text and frames else ""
    return f"{type(error).__name__} {text}".rstrip() + origin
