"""One module a figure: ``draw(catalogue, tables)`` returns it, and the module's docstring is its caption.

Figures read tables only. A new figure is a new module here and its name in :data:`NAMES`. Both reports, Snakemake's and
``report.html``, show its docstring as the caption.
"""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from ..config import Catalogue
from ..errors import ConfigError, nearest

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .view import Tables

NAMES = ("figure2", "figure3", "figure4", "figure5", "figure6", "figure7", "effects")
FORMATS = ("png", "pdf", "svg")


def module(name: str) -> ModuleType:
    """The module of one figure.

    Raises:
        ConfigError: no figure has this name.
    """
    return importlib.import_module(f"{__name__}.{_known(name)}")


def _known(name: str) -> str:
    if name not in NAMES:
        raise ConfigError(f"unknown figure {name!r}{nearest(name, NAMES)}")
    return name


def caption(name: str) -> str:
    """The figure's caption: its module's docstring, read without importing what draws."""
    source = Path(__file__).with_name(f"{_known(name)}.py").read_text(encoding="utf-8")
    return ast.get_docstring(ast.parse(source)) or ""


def draw(name: str, catalogue: Catalogue, tables: Tables) -> Figure:
    """Draw one figure in the common style.

    Args:
        name: one of :data:`NAMES`.
        catalogue: the configuration: which cells the figure expects, titles, order.
        tables: what was measured, from :func:`read_tables`.
    """
    from .style import style
    from .watermark import mark_random_weights

    with style():
        figure: Figure = module(name).draw(catalogue, tables)
        mark_random_weights(figure, name, catalogue, tables)
    return figure


def read_tables(folder: Path) -> Tables:
    """Read ``cells.csv`` and ``precision_effects.csv`` of ``results/<run>/tables``."""
    from ..tables import read_csv
    from .view import Tables

    return Tables(cells=read_csv(folder / "cells.csv"), effects=read_csv(folder / "precision_effects.csv"))


def save(figure: Figure, stem: Path) -> list[Path]:
    """Write a figure as ``<stem>.png``, ``.pdf`` and ``.svg``, each atomically; same figure, same bytes."""
    from .saving import lay_out, save_as

    lay_out(figure)
    return [save_as(figure, stem.with_name(f"{stem.name}.{kind}"), kind) for kind in FORMATS]
