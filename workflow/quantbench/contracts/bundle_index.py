"""``bundle.json``, the first file of a bundle: what is inside, with checksums, and what was left out."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, JsonValue

from ..config.entries import Sha256
from .checksums import Expected
from .contract import Contract, Part


class Member(Part):
    """One file of a bundle."""

    bytes: int = Field(ge=0, strict=True)
    sha256: Sha256

    @property
    def expected(self) -> Expected:
        """What its content must be."""
        return Expected(self.bytes, self.sha256)


class Index(Contract):
    """What a bundle holds. Of an opened bundle it stands in the run's folder."""

    path: ClassVar[str] = "bundle.json"
    remedy: ClassVar[str] = "get the file again"

    format: int = Field(strict=True, description="version of the layout; a program reads only its own")
    quantbench: Annotated[str, Field(pattern=r"^[A-Za-z0-9.+!_-]{1,64}$")] = Field(
        description="version of the package that packed it"
    )
    configuration: dict[str, JsonValue] = Field(description="the run's settings")
    cells: list[str] = Field(min_length=1, description="folders of the run's finished cells, relative to `cells/`")
    without_texts: list[str] = Field(
        description="datasets whose inputs are left out; their scored answers are inside instead"
    )
    without_outputs: list[str] = Field(description="those of them whose raw outputs are left out too")
    files: dict[str, Member] = Field(description="path in the bundle -> its size and hash")
    figures: dict[str, Sha256] = Field(description="figure of the run -> SHA-256 of it, to compare redrawn ones with")
