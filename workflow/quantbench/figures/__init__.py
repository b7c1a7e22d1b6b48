"""One module a figure, found by its name: ``draw(view)`` returns it, and the module's docstring is its caption.

Figures read tables only. A new figure is a new module here; it is drawn once a study of the run names it as its ``figure``,
and shows that study's cells. With ``EVERY_RUN = True`` it needs no study: it is drawn for each run and shows the run's
zero-shot cells. With an ``AXIS`` (:data:`quantbench.figures.selection.AXES`) it is left out of runs that have one value there,
and drawn for models that no study names. ``WITHOUT_RANDOM = True`` says that it leaves out what random weights answered. Both reports, Snakemake's and ``report.html``, show the docstring as the caption.
"""

from __future__ import annotations

import ast
import importlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Protocol, cast

from ..errors import ConfigError, nearest

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .view import View

FORMATS = ("png", "pdf", "svg")


class FigureModule(Protocol):
    """What a module of a figure offers."""

    def draw(self, view: View) -> Figure: ...  # noqa: D102


def names() -> list[str]:
    """All figures there are, the numbered ones first."""
    found = [name for _, name, _ in iter_modules(__path__) if _draws(_source(name))]
    return sorted(found, key=lambda name: (not name.startswith("figure"), len(name), name))


def caption(name: str) -> str:
    """The figure's caption: its module's docstring, read without importing what draws.

    Raises:
        ConfigError: no figure has this name.
    """
    return ast.get_docstring(_source(known(name))) or ""


def draw(name: str, view: View) -> Figure:
    """Draw one figure in the common style.

    Raises:
        ConfigError: no figure has this name.
    """
    from .legends import mark_random_weights
    from .style import style

    module = cast(FigureModule, importlib.import_module(f"{__name__}.{known(name)}"))
    with style():
        figure = module.draw(view)
        if any(row.weights == "random" for row in view.rows) and not _constant(name, "WITHOUT_RANDOM"):
            mark_random_weights(figure)
    return figure


def save(figure: Figure, stem: Path) -> list[Path]:
    """Write a figure as ``<stem>.png``, ``.pdf`` and ``.svg``, each atomically; same figure, same bytes."""
    from .saving import lay_out, save_as

    lay_out(figure)
    return [save_as(figure, stem.with_name(f"{stem.name}.{kind}"), kind) for kind in FORMATS]


def known(name: str) -> str:
    """The name itself.

    Raises:
        ConfigError: no figure has this name.
    """
    if name not in names():
        raise ConfigError(f"unknown figure {name!r}{nearest(name, names())}; figures stand in {Path(__file__).parent}")
    return name


def is_of_every_run(name: str) -> bool:
    """Whether a figure needs no study."""
    return bool(_constant(name, "EVERY_RUN"))


def axis_of(name: str) -> str:
    """What a figure compares along, a key of :data:`quantbench.figures.selection.AXES`; empty where it names nothing."""
    return str(_constant(name, "AXIS") or "")


def _constant(name: str, constant: str) -> object:
    """The value of a constant at the top of a figure's module; None where it has none."""
    assigned = {
        target.id: node.value
        for node in _source(name).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return ast.literal_eval(assigned[constant]) if constant in assigned else None


@cache
def _source(name: str) -> ast.Module:
    """A module of this folder, read and not imported: drawing takes matplotlib."""
    spec = find_spec(f"{__name__}.{name}")
    return ast.parse(Path(str(spec and spec.origin)).read_text(encoding="utf-8"))


def _draws(module: ast.Module) -> bool:
    return any(isinstance(node, ast.FunctionDef) and node.name == "draw" for node in module.body)
