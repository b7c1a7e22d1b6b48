"""Errors a user can act on: each message names the file, the field, the value and the next step."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class QuantbenchError(Exception):
    """Base of every error whose message is meant for the user, not for a developer."""


class ConfigError(QuantbenchError):
    """The configuration asks for something unknown or impossible."""


class DataError(QuantbenchError):
    """A dataset or results file is missing, malformed, truncated or not the pinned one."""


class ModelError(QuantbenchError):
    """A model folder is incomplete, or a model cannot do what a cell asks of it."""


class FoundWanting(QuantbenchError):
    """The question was answered, and something is not as it should be: the command line's exit status 1, not 2."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the hint ``; did you mean 'x'?`` for the closest known name, else the list of known names."""
    names = sorted(known)
    # Names here are short and share long stems, so a loose cutoff still finds the intended one.
    match = get_close_matches(name, names, n=1, cutoff=0.5)
    return f"; did you mean {match[0]!r}?" if match else f"; known: {', '.join(names)}"


def shorten(value: object, width: int = 80) -> str:
    """The value as Python writes it, cut to ``width`` characters for a message."""
    text = repr(value)
    return text if len(text) <= width else f"{text[:width]}..."
