"""Figures as files whose bytes depend on the figure alone: no dates, no random ids, text kept as text."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from ..contracts.files import write_bytes
from .style import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 200
_METADATA: dict[str, dict[str, str | None]] = {
    "png": {"Software": "quantbench"},
    "pdf": {"Creator": "quantbench", "Producer": None, "CreationDate": None},
    "svg": {"Creator": "quantbench", "Date": None},
}


def lay_out(figure: Figure) -> None:
    """Place everything once and for all: laying out again for each format is most of the time of saving."""
    with style():
        figure.draw_without_rendering()
    figure.set_layout_engine("none")


def save_as(figure: Figure, path: Path, kind: str) -> Path:
    """Write one format (``png``, ``pdf`` or ``svg``) atomically and return its path."""
    buffer = io.BytesIO()
    with style():
        figure.savefig(buffer, format=kind, dpi=DPI, metadata=_METADATA[kind])
    write_bytes(path, buffer.getvalue())
    return path
