"""Tables as CSV: what each kind of value becomes."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from quantbench.contracts.csv_rows import Row


class Counted(Row):
    """A line with a count that may be unknown."""

    path: ClassVar[str] = ""

    name: str
    count: int | None
    share: float | None


ROWS = [Counted(name="NA", count=4, share=0.1 + 0.2), Counted(name="b", count=None, share=None)]


def test_whole_numbers_stay_whole_beside_empty_fields(tmp_path: Path) -> None:
    Counted.write(tmp_path / "t.csv", ROWS)
    assert (tmp_path / "t.csv").read_text() == "name,count,share\nNA,4,0.3\nb,,\n"
    assert Counted.read(tmp_path / "t.csv") == [ROWS[0].model_copy(update={"share": 0.3}), ROWS[1]]
