"""How much work one render may do, counted as it is done: the same template ends the same way on every machine.

A limit of time would refuse on a busy machine what passes on an idle one, and nothing interrupts a single long operation of
Python in a thread that is not the main one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, KeysView, Mapping, ValuesView
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from jinja2 import TemplateRuntimeError
from jinja2.utils import Namespace

# The largest templates that models are published with take about 2,000 steps for a prompt, our own about 200.
_STEPS = 200_000
# Read, compared, copied or written; what a prompt of a whole book takes many times over.
_CHARACTERS = 10_000_000
# A template goes over what it is given several times: strips it, looks for a marker in it, writes it.
_TIMES_OVER = 200
_DEPTH = 100
# An entry of a list takes as long to go over as so many characters of a text; a long number has so many bits a character.
_ENTRY = 16


class TooMuchWork(TemplateRuntimeError):
    """A template asks for more than any prompt takes."""


@dataclass
class Work:
    """What is left to one render.

    Attributes:
        steps: iterations, blocks, calls and filters.
        characters: of texts, and entries of lists, that these handle.
        depth: how many more calls may be open at once.
    """

    steps: int = _STEPS
    characters: int = _CHARACTERS
    depth: int = _DEPTH

    def step(self) -> None:
        """Count one step."""
        self.steps -= 1
        if self.steps < 0:
            raise TooMuchWork("takes more steps than a prompt needs; shorten its loops")

    def handle(self, characters: int) -> None:
        """Count characters before they are made."""
        self.characters -= characters
        if self.characters < 0:
            raise TooMuchWork("makes or reads more text than a prompt needs; shorten its loops and repetitions")

    @contextmanager
    def call(self) -> Iterator[None]:
        """Count a call for as long as it is open."""
        self.step()
        if self.depth == 0:
            raise TooMuchWork(
                f"has more than {_DEPTH} calls inside each other; a macro or loop may not call itself so often"
            )
        self.depth -= 1
        try:
            yield
        finally:
            self.depth += 1


_CURRENT: ContextVar[Work] = ContextVar("work")


def current() -> Work:
    """Of the render that is under way; outside of one, as in parsing, a fresh one that nobody waits for."""
    return _CURRENT.get(None) or Work()


@contextmanager
def counted(given: object = None) -> Iterator[Work]:
    """Count the work of one render or compilation, which may grow with what it is given."""
    size = measure(given, Work(characters=2**62))
    work = Work(_STEPS + size, _CHARACTERS + _TIMES_OVER * size)
    token = _CURRENT.set(work)
    try:
        yield work
    finally:
        _CURRENT.reset(token)


def measure(value: object, work: Work) -> int:
    """Characters of a value's text and entries, counted as handled; what is shared counts each time, as when it is written."""
    if isinstance(value, str):
        work.handle(len(value))
        return len(value)
    total, waiting = 0, [value]
    while waiting:
        item = waiting.pop()
        size = _shallow(item)
        work.handle(size)
        total += size
        waiting.extend(_parts(item))
    return total


def length(value: object) -> int:
    """Characters or entries of one value, without what its entries hold."""
    return len(value) if isinstance(value, Collection) else 0


def _shallow(item: object) -> int:
    if isinstance(item, str | bytes | range):
        return _ENTRY + len(item)
    return _ENTRY + (item.bit_length() // 8 if isinstance(item, int) else 0)


def _parts(item: object) -> Iterable[object]:
    # The kinds that nearly everything is of come first: asking for an abstract kind takes long.
    if isinstance(item, list | tuple):
        return item
    if item is None or isinstance(item, str | int | float | bytes | range):
        return ()
    if isinstance(item, dict):
        return [*item.keys(), *item.values()]
    if isinstance(item, Namespace):
        # Written out, a namespace shows all that it holds; it has no public way to look.
        return list(item._Namespace__attrs.values())
    if isinstance(item, Mapping):
        return [part for pair in item.items() for part in pair]
    return list(item) if isinstance(item, AbstractSet | KeysView | ValuesView) else ()
