"""What comes from elsewhere stays text in Markdown."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantbench.contracts import markdown_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Phi-4", "Phi-4"),
        ("0.796 [0.7, 0.8] (0.9)", "0.796 [0.7, 0.8] (0.9)"),
        ("w4a16_dq & more, p > 0.05", "w4a16_dq & more, p > 0.05"),
        ("<script>x</script>", "&lt;script>x&lt;/script>"),
        ("&lt;b>", "&amp;lt;b>"),
        ("a|b\nc\r\nd\u2028e", r"a\|b c d e"),
        ("`x` *y* _z_ ~~q~~", r"\`x\` \*y\* \_z\_ \~~q\~~"),
        ("![a](http://b) [c]: d", r"\![a\](http://b) [c\]: d"),
        ("\u202egnp\u2066", "gnp"),
        (r"a\|b", r"a\\\|b"),
    ],
)
def test_a_text_is_shown_as_it_is(text: str, shown: str) -> None:
    assert markdown_text.inline(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("# a", r"\# a"),
        ("    > a", r"\> a"),
        ("- a", r"\- a"),
        ("+a", r"\+a"),
        ("12. a", r"12\. a"),
        ("3.5 GiB", "3.5 GiB"),
        ("a # b", "a # b"),
    ],
)
def test_a_line_begins_no_block(text: str, shown: str) -> None:
    assert markdown_text.line(text) == shown


def test_code_is_closed_where_it_ends() -> None:
    assert markdown_text.code("a`b\nc") == "`a'b c`"


@given(st.lists(st.lists(st.text(max_size=20), min_size=2, max_size=2), max_size=4))
@settings(max_examples=100, deadline=None)
def test_a_table_has_its_rows_and_columns_whatever_they_hold(rows: list[list[str]]) -> None:
    lines = markdown_text.table(["one", "two"], rows).splitlines()
    assert len(lines) == 2 + len(rows)
    for line in lines:
        assert line.replace("\\\\", "").replace(r"\|", "").count("|") == 3
        assert "<" not in line
