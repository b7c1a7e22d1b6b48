"""Which figures a run has, and why it lacks others."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from .contract import Contract


class FigureList(Contract):
    """The figures of the run as its report shows them."""

    path: ClassVar[str] = "figures/figures.json"

    drawn: list[str] = Field(description="figures that were drawn, as PNG, PDF and SVG under their names")
    left_out: dict[str, str] = Field(description="figures that this run cannot fill, and why")
