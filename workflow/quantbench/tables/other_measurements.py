"""What others measured: public figures on quantized models, each with its source, to hold a run's own values against."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from ..config import located
from ..contracts.csv_rows import Row
from ..contracts.shared_columns import MaybeText

OTHER_MEASUREMENTS = "resources/published/other_measurements.csv"
Bits = Literal[16, 8, 4]
# "taken over": from a reference list, without sight of the source.
Checked = Literal["read in the source", "read in the abstract", "taken over"]


class OtherMeasurement(Row):
    """One public figure. Another setting than a run's: it says what is usual, not what the run should have found."""

    source: Annotated[str, Field(description="where it was published")]
    year: Annotated[int, Field(description="in which it was measured, as far as the source says")]
    address: Annotated[str, Field(description="of the text that holds it, with its commit where it has one")]
    licence: Annotated[str, Field(description="of the source; of one without licence figures alone are cited")]
    checked: Annotated[Checked, Field(description="how the figure came here")]
    measured: Annotated[str, Field(description="what was measured, with the batch size where it matters")]
    model: Annotated[str, Field(description="as the source names it")]
    family: Annotated[MaybeText, Field(description="its architecture, as entries in config/models/ name it")] = None
    precision_in_source: Annotated[str, Field(description="as the source names it")]
    precision: Annotated[MaybeText, Field(description="the same method in config/precisions/; empty for another")] = (
        None
    )
    bits: Annotated[int, Field(description="of a weight: 16, 8 or 4")]
    hardware: MaybeText = None
    value: Annotated[float, Field(description="in `unit`")]
    unit: Annotated[str, Field(description="tokens/s, GB, points of 100, or percent")]
    note: MaybeText = None


def others_measured(
    root: Path,
    precisions: Iterable[str] | None = None,
    bits: Iterable[Bits] | None = None,
    families: Iterable[str] | None = None,
) -> list[OtherMeasurement]:
    """The public figures about precisions or models of these kinds, in the order of the table.

    Args:
        root: where ``resources/published/`` is looked for before the shipped catalogue.
        precisions: names in ``config/precisions/``, for figures of exactly these methods; None for any.
        bits: of a weight, for figures of any method with so many; None for any.
        families: architectures as models' entries name them; None for any.

    Raises:
        DataError: the table is missing or malformed.
    """
    wanted = [
        (field, set(values))
        for field, values in (("precision", precisions), ("bits", bits), ("family", families))
        if values is not None
    ]
    rows = OtherMeasurement.read(located(root, OTHER_MEASUREMENTS))
    return [row for row in rows if all(getattr(row, field) in values for field, values in wanted)]
