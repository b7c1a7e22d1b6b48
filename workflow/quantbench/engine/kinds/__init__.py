"""The engines, one module each, named as ``inference.engine`` names it: a module put here is an engine.

Each has ``answer``, which yields what it has answered as soon as it may be kept.
"""

from __future__ import annotations

from collections.abc import Generator
from importlib import import_module
from pkgutil import iter_modules
from typing import Protocol, cast

from ..job import Answered, Job


class Engine(Protocol):
    """What a module here holds."""

    def answer(self, job: Job) -> Generator[Answered]:
        """Answer every missing sample of a cell once.

        Raises:
            ModelError: memory does not suffice, or the engine cannot run this model.
        """


def engine_names() -> list[str]:
    """The names of all engines."""
    return [module.name for module in iter_modules(__path__)]


def find_engine(name: str) -> Engine:
    """The engine of a name."""
    return cast(Engine, import_module(f"{__name__}.{name}"))
