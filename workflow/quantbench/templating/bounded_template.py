"""A template ready to be filled, and what it says in one line when it cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import TracebackType

from jinja2 import Template, TemplateError, TemplateSyntaxError, nodes

from ..errors import shorten
from .bounded_environment import BoundedEnvironment
from .work import counted

# Characters; the longest published chat templates have about 30,000.
_LONGEST_SOURCE = 1_000_000
_LONGEST_MESSAGE = 300
_FILE = "<template>"


class TemplateFault(Exception):
    """A template is malformed, asks for what it may not have, or does not come to an end; the text is one line."""


@dataclass(frozen=True)
class BoundedTemplate:
    """A template's source in its environment.

    Attributes:
        environment: what it may use.
        source: in Jinja2.
    """

    environment: BoundedEnvironment
    source: str

    def render(self, variables: Mapping[str, object]) -> str:
        """The template filled with variables.

        Raises:
            TemplateFault: with the line of the template and what is wrong there.
        """
        compiled = self.compiled
        try:
            with counted(variables):
                text: str = compiled.render(dict(variables))
        # A template is code of other people, which may fail in any way.
        except Exception as error:
            raise TemplateFault(_said(error)) from error
        _check_characters(text)
        return text

    @cached_property
    def compiled(self) -> Template:
        """What Jinja2 makes of it.

        Raises:
            TemplateFault: it is no template, with the line.
        """
        if len(self.source) > _LONGEST_SOURCE:
            raise TemplateFault(
                f"has {len(self.source)} characters, and at most {_LONGEST_SOURCE} are read; shorten it"
            )
        try:
            with counted(self.source):
                return self.environment.from_string(self.source)
        except Exception as error:
            raise TemplateFault(_said(error)) from error

    def names(self) -> set[str]:
        """Every name that occurs in it.

        Raises:
            TemplateFault: it is no template.
        """
        _ = self.compiled
        return {node.name for node in self.environment.parse(self.source).find_all(nodes.Name)}


def _said(error: Exception) -> str:
    """What is wrong, on one line, behind the line of the template where that is known."""
    line = error.lineno if isinstance(error, TemplateSyntaxError) else _line(error.__traceback__)
    where = f"line {line}: " if line else ""
    return where + _words(error)


def _words(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "needs more memory than there is; shorten its texts and lists"
    # Python's own compiler has ends, too: 20 loops inside each other.
    if isinstance(error, RecursionError | SyntaxError):
        return "calls itself, or is nested, without end"
    if isinstance(error, TemplateError):
        text = error.message or ""
    else:
        # Errors of arithmetic have a number before their words.
        text = str(error.args[-1]) if error.args else ""
        text = text.partition("; use sys.")[0]
    return " ".join(text.split()).rstrip(".")[:_LONGEST_MESSAGE] or type(error).__name__


def _line(traceback: TracebackType | None) -> int | None:
    """The innermost line of the template that an error passed through."""
    line = None
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == _FILE:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line


def _check_characters(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        found = shorten(text[error.start : error.end])
        raise TemplateFault(
            f"writes {found}, half of a character, which no text file can hold; mend it or its input"
        ) from None
