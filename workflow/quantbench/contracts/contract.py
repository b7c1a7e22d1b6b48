"""What every contract has in common: a JSON file is one :class:`Contract`, a line of a JSON-lines file one record.

Every field is typed and checked when a file is read; an error names file, field, value and the next step.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from ..config.settings import explain
from ..errors import DataError
from .files import read_json, write_json

MOST_TOLD = 10  # wrong fields of a file: who reads more of them reads none


def unknown(value: object) -> bool:
    """Whether a field is left out of a file, as in files of before it existed (``exclude_if``)."""
    return value is None


class Part(BaseModel):
    """An object inside a contract: nothing undeclared, nothing changed after it was made."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class Contract(Part):
    """The content of one JSON file, whose docstring says what it is and which stage writes it.

    Attributes:
        path: where the file stands, relative to ``results/<run>``; of files that no run owns, relative to the repository,
            beginning with ``resources/``.
        whole: the one field that is the whole file, where that is a mapping of names and not of fields.
        remedy: what to do about a malformed file.
    """

    path: ClassVar[str] = ""
    whole: ClassVar[str] = ""
    remedy: ClassVar[str] = "delete the file to have it made again"

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read and check the file at ``path``.

        Raises:
            DataError: no such file, not JSON, or a field that is missing, unknown or of the wrong kind.
        """
        return cls.checked(read_json(path, cls.remedy), str(path))

    @classmethod
    def checked(cls, value: dict[str, JsonValue], source: str) -> Self:
        """Check what was read from ``source``, which errors name.

        Raises:
            DataError: as :meth:`read`.
        """
        try:
            return cls.model_validate({cls.whole: value} if cls.whole else value)
        except ValidationError as error:
            found = error.errors(include_url=False)
            wrong = [explain(cls, item) for item in found[:MOST_TOLD]]
            wrong += [f"and {len(found) - MOST_TOLD:,} more"] if found[MOST_TOLD:] else []
            raise DataError(f"{source}: {'; '.join(wrong)}; {cls.remedy}") from None

    def as_json(self) -> dict[str, JsonValue]:
        """The content as JSON holds it."""
        fields = self.model_dump(mode="json")
        value: dict[str, JsonValue] = fields[self.whole] if self.whole else fields
        return value

    def write(self, path: Path) -> None:
        """Write the file at ``path``, atomically."""
        write_json(path, self.as_json())
