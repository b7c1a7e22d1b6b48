"""Outputs that repeat themselves lose the middle of the repetition and nothing else; what was not read is said."""

from __future__ import annotations

import inventories
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantbench import tasks
from quantbench.tasks.extent import LONGEST_END, both_ends
from quantbench.tasks.origin import Origin
from quantbench.tasks.repetition import without_repetition

LETTER = tasks.get(inventories.lettered())
ASKED = inventories.sample(question="Which of these drugs helps?", options=inventories.OPTIONS)


@given(
    before=st.text(max_size=60),
    piece=st.text(min_size=1, max_size=120),
    times=st.integers(1, 400),
    behind=st.text(max_size=60),
)
@settings(max_examples=150, deadline=None)
def test_whole_repetitions_are_left_out_of_the_middle(before: str, piece: str, times: int, behind: str) -> None:
    text = f"{before}{piece * times}{behind}"
    told = without_repetition(text)
    if len(told) == len(text):
        assert told == text
        assert times < 8 or len(piece) * times < 2_000
        return
    assert told.startswith(f"{before}{piece * 2}")
    assert told.endswith(f"{piece * 2}{behind}")
    assert len(told) >= 2 * 120
    assert without_repetition(told) == told
    # What is missing is the piece, again and again, wherever in it one begins to count.
    assert (len(text) - len(told)) % _period(piece) == 0


def _period(piece: str) -> int:
    return next(length for length in range(1, len(piece) + 1) if piece == (piece * 2)[length : length + len(piece)])


@pytest.mark.parametrize(
    "text",
    [
        "The answer is A. " * 7,
        "-" * 500,
        "".join(f"{number}. Aspirin is not option {number}.\n" for number in range(200)),
        "".join(
            f"paragraph {number % 3} of a long chain of thought, with {number * number} words. " for number in range(90)
        ),
        "",
    ],
)
def test_what_does_not_repeat_itself_over_and_over_stays(text: str) -> None:
    assert without_repetition(text) == text


def test_several_runs_lose_their_middles_each() -> None:
    text = f"So: {'ab' * 900}, then {'xyz ' * 500}done."
    told = without_repetition(text)
    assert told == f"So: {'ab' * 120}, then {'xyz ' * 60}done."


@pytest.mark.parametrize("piece", ["A", "answer is ", "The answer is B.\n", '{"a": ', "\u2028", "[a]( "])
@pytest.mark.parametrize("origin", [Origin(), Origin(cut=True), Origin(reasoned=True)])
def test_the_number_of_repetitions_does_not_matter(piece: str, origin: Origin) -> None:
    few, many = (LETTER.readings(f"Let us see. {piece * times}", ASKED, origin) for times in (700, 7_000))
    assert (few.careful, few.exact) == (many.careful, many.exact)


def test_what_was_not_read_is_said() -> None:
    def unread(output: str) -> str | None:
        return LETTER.readings(output, ASKED, Origin()).unread

    assert unread("A") is None
    assert unread("The answer is A because of the text. " * 7) is None
    assert unread("Well, A " * 1_000) == "not read: 7,760 characters that repeat what stands before them"
    numbered = "".join(f"{number}, " for number in range(4_000))
    assert unread(numbered) == f"not read: {len(numbered) - 2 * LONGEST_END:,} characters in its middle"
    assert "characters that repeat" in str(unread("Well, A " * 1_000 + numbered)) and "in its middle" in str(
        unread("Well, A " * 1_000 + numbered)
    )
    # Thoughts are no part of what is read, however long they are.
    assert unread(f"<think>{numbered}</think>A") is None


def test_both_ends_of_a_long_text_are_read() -> None:
    assert both_ends("abcdef", 3) == "abcdef"
    assert both_ends("abcdefg", 3) == "abc\n\nefg"
