"""One module a figure, found by its name: ``draw(view)`` returns it, and the module's docstring is its caption.

Figures read tables only. A new figure is a new module here; it is drawn once a study of the run names it as its ``figure``,
and shows that study's cells. With ``EVERY_RUN = True`` it needs no study: it is drawn for each run and shows the run's
zero-shot cells. Both reports, Snakemake's and ``report.html``, show the docstring as the caption.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Protocol, cast

from ..errors import ConfigError, nearest

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..config import RunConfig, Vocabulary
    from ..contracts.run_tables import CellRow, EffectRow
    from ..study.grid import WantedCells
    from .view import View

FORMATS = ("png", "pdf", "svg")


class FigureModule(Protocol):
    """What a module of a figure offers."""

    def draw(self, view: View) -> Figure: ...  # noqa: D102


def names() -> list[str]:
    """All figures there are, the numbered ones first."""
    found = [name for _, name, _ in iter_modules(__path__) if _draws(_source(name))]
    return sorted(found, key=lambda name: (not name.startswith("figure"), len(name), name))


def of_run(fed: Iterable[str]) -> list[str]:
    """The figures of a run: those that its studies feed, in the order of the studies, and those of every run.

    Raises:
        ConfigError: a study names a figure that does not exist.
    """
    return list(dict.fromkeys([*map(_known, fed), *filter(_is_of_every_run, names())]))


def caption(name: str) -> str:
    """The figure's caption: its module's docstring, read without importing what draws.

    Raises:
        ConfigError: no figure has this name.
    """
    return ast.get_docstring(_source(_known(name))) or ""


def view_of(
    name: str,
    wanted: WantedCells,
    vocabulary: Vocabulary,
    run: RunConfig,
    cells: Iterable[CellRow],
    effects: Iterable[EffectRow],
) -> View:
    """What one figure is drawn from.

    Args:
        name: of the figure.
        wanted: the run's cells.
        vocabulary: titles, and which precisions stand out.
        run: margin, confidence and name of the run.
        cells: ``cells.csv``.
        effects: ``precision_effects.csv``.

    Raises:
        ConfigError: no figure has this name, or no study of the run feeds it.
    """
    from ..config import is_zero_shot
    from .view import View

    if _is_of_every_run(_known(name)):
        shown = [cell for cell in wanted.every if is_zero_shot(cell) and cell.precision not in vocabulary.noise_floors]
    elif name in wanted.figures:
        shown = list(wanted.figures[name])
    else:
        raise ConfigError(
            f"{run.studies_file}: none of the run's studies ({', '.join(run.studies)}, and their subsets) has "
            f"'figure: {name}'; exactly one must"
        )
    return View(vocabulary, run, tuple(shown), tuple(cells), tuple(effects))


def draw(name: str, view: View) -> Figure:
    """Draw one figure in the common style.

    Raises:
        ConfigError: no figure has this name.
    """
    from .panels import mark_random_weights
    from .style import style

    module = cast(FigureModule, importlib.import_module(f"{__name__}.{_known(name)}"))
    with style():
        figure = module.draw(view)
        if any(row.weights == "random" for row in view.rows):
            mark_random_weights(figure)
    return figure


def save(figure: Figure, stem: Path) -> list[Path]:
    """Write a figure as ``<stem>.png``, ``.pdf`` and ``.svg``, each atomically; same figure, same bytes."""
    from .saving import lay_out, save_as

    lay_out(figure)
    return [save_as(figure, stem.with_name(f"{stem.name}.{kind}"), kind) for kind in FORMATS]


def _known(name: str) -> str:
    if name not in names():
        raise ConfigError(f"unknown figure {name!r}{nearest(name, names())}; figures stand in {Path(__file__).parent}")
    return name


@cache
def _source(name: str) -> ast.Module:
    """A module of this folder, read and not imported: drawing takes matplotlib."""
    spec = find_spec(f"{__name__}.{name}")
    return ast.parse(Path(str(spec and spec.origin)).read_text(encoding="utf-8"))


def _draws(module: ast.Module) -> bool:
    return any(isinstance(node, ast.FunctionDef) and node.name == "draw" for node in module.body)


def _is_of_every_run(name: str) -> bool:
    assigned = [ast.unparse(node) for node in _source(name).body if isinstance(node, ast.Assign)]
    return "EVERY_RUN = True" in assigned
