"""The name of a cell, the unit of inference work, and of its folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

from pydantic import ConfigDict

from ..config.entries import Prompting


@dataclass(frozen=True, order=True, slots=True)
class Cell:
    """One model x precision x dataset x prompting x shots: one inference job."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    model: str
    precision: str
    dataset: str
    prompting: Prompting
    shots: int

    @property
    def folder(self) -> str:
        """Where the cell's files stand, relative to ``results/<run>/cells``."""
        return f"{self.model}/{self.precision}/{self.dataset}/{self.prompting}-{self.shots}shot"

    @property
    def label(self) -> str:
        """The cell in words, for messages."""
        return f"{self.model} {self.precision} on {self.dataset} ({self.prompting}, {self.shots} shots)"


def parse_folder(folder: str) -> Cell:
    """The cell whose :attr:`Cell.folder` this is."""
    model, precision, dataset, rest = folder.split("/")
    prompting, shots = rest.removesuffix("shot").split("-")
    return Cell(model, precision, dataset, cast(Prompting, prompting), int(shots))
