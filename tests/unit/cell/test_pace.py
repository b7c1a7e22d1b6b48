"""Progress is said at the start, at the end, and in between no oftener than asked."""

import sys
from collections.abc import Iterator

import pytest

from quantbench.cell import pace
from quantbench.cell.pace import Pace, duration


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


def test_rate_time_left_and_batch(capsys: pytest.CaptureFixture[str]) -> None:
    moments: Iterator[float] = iter([0.0, 1.0, 2.0, 12.0, 13.0, 20.0])
    said = Pace("m full on d", total=100, done=20, every_s=10, clock=lambda: next(moments))
    for number in range(1, 6):
        said.finished(16, f"batch {number}/5")
    assert lines(capsys) == [
        "m full on d: 100 samples, 20 of them finished by an earlier start",
        "m full on d: batch 3/5, 68/100 samples, 4.0 samples/s, 8 s left",
        "m full on d: batch 5/5, 100/100 samples, 4.0 samples/s, done",
    ]


def test_a_fast_cell_says_two_lines_however_many_batches(capsys: pytest.CaptureFixture[str]) -> None:
    said = Pace("c", total=1000, done=0)
    for number in range(1000):
        said.finished(1, f"batch {number + 1}/1000")
    first, last = lines(capsys)
    assert first == "c: 1000 samples"
    assert last.startswith("c: batch 1000/1000, 1000/1000 samples, ")


def test_a_terminal_hears_more_often_than_a_log(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "__stderr__", Terminal())
    assert Pace("c", 1, 0)._every_s == pace.TERMINAL_EVERY_S
    monkeypatch.setattr(sys, "__stderr__", None)  # as in a process without a terminal at all
    assert Pace("c", 1, 0)._every_s == pace.LOG_EVERY_S


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (99, "99 s"), (120, "2 min"), (5900, "98 min"), (12000, "3 h 20 min")]
)
def test_durations_are_written_as_a_person_would(seconds: float, text: str) -> None:
    assert duration(seconds) == text
