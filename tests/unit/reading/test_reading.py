"""Whatever bytes stand in a file, a reader gives a value or one error of ours, with the file's name and soon."""

from __future__ import annotations

import csv
import errno
import gzip
import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from quantbench.errors import ConfigError, DataError, ModelError, QuantbenchError
from quantbench.reading import csv_tables, json_text, text_files, yaml_text
from quantbench.reading.os_errors import reason, unwritable

EXAMPLES = settings(max_examples=60, deadline=None)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
READERS: tuple[Callable[[bytes, str], object], ...] = (
    lambda content, where: json_text.parse(content, where),
    lambda content, where: json_text.parse(content, where, foreign=True),
    lambda content, where: yaml_text.parse(text_files.decoded(content, where), where),
    lambda content, where: csv_tables.parse(text_files.decoded(content, where), where),
)


@EXAMPLES
@given(VALUE)
def test_what_json_writes_is_read_back(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False)
    for content in (text, text.encode(), b"\xef\xbb\xbf" + text.encode()):
        assert json_text.parse(content, "f") == value


@EXAMPLES
@given(VALUE)
def test_what_yaml_writes_is_read_back(value: object) -> None:
    assert yaml_text.parse(yaml.safe_dump(value), "f") == value


@EXAMPLES
@given(st.lists(st.lists(TEXT.filter(lambda text: "\r" not in text), min_size=2, max_size=2), max_size=5))
def test_what_csv_writes_is_read_back(rows: list[list[str]]) -> None:
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\n").writerows([["a", "b"], *rows])
    table = csv_tables.parse(written.getvalue(), "f")
    assert [record for _, record in table.records] == rows


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60) | st.text(alphabet='{}[]",:\\u19dDeE.-&*!#<>%@`|?\n\t abn', max_size=40).map(str.encode))
def test_any_bytes_are_a_value_or_an_error_with_the_place(content: bytes) -> None:
    for read in READERS:
        try:
            read(content, "some/file")
        except QuantbenchError as error:
            assert str(error).startswith("some/file") and len(str(error)) < 2000


@EXAMPLES
@given(VALUE, st.data())
def test_a_document_that_is_damaged_anywhere_is_a_value_or_an_error(value: object, data: st.DataObject) -> None:
    content = bytearray(json.dumps(value).encode())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] = data.draw(st.integers(0, 255))
    for read in READERS:
        try:
            read(bytes(content), "f")
        except QuantbenchError as error:
            assert str(error).startswith("f")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[" * 100_000, "nested more than 200 deep"),
        (b"[" * 201 + b"]" * 201, "nested more than 200 deep"),
        (b'{"a":' * 100_000, "nested more than 200 deep"),
        (b"9" * 5000, "a number of 5000 digits"),
        (b'{"a": -' + b"1" * 301 + b"}", "a number of 302 digits"),
        (b"1e999", "beyond what 64 bits hold"),
        (b'{\n"a": NaN}', "f, line 2: NaN is no JSON"),
        (b'{"a": 1,\n "a": 2}', "f, line 2: key 'a' stands twice"),
        (rb'{"a": "\ud83d"}', "half of a character"),
        (rb'{"\udc00": 1}', "half of a character"),
        (b"{}\0", "zero byte"),
        (b"", "malformed JSON"),
        (b'{"a": 1,\n"b" 2}', "f, line 2: malformed JSON (Expecting ':' delimiter): "),
        ("{}".encode("utf-16"), "text in UTF-16; save it as UTF-8"),
        ("{}\n  ".encode("utf-16-le"), "text in UTF-16"),
        ("{}".encode("utf-32"), "text in UTF-32"),
        (gzip.compress(b"{}"), "packed with gzip; unpack it"),
        (b"PK\x03\x04rest", "a zip archive"),
        (b"\x28\xb5\x2f\xfdrest", "packed with Zstandard"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        ('{\n"a": "naïve"}'.encode("latin-1"), "f, line 2: not UTF-8: bytes b'\\xefve\"}', which Windows-1252"),
    ],
)
def test_what_no_program_reads_alike_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(ModelError) as error:
        json_text.parse(content, "f", ModelError)
    assert said in str(error.value)


def test_json_of_other_programs_may_hold_nan_halves_and_the_same_twice() -> None:
    read = json_text.parse(rb'{"a": [NaN, -Infinity], "b": "x\ud83d", "c": 1, "c": 1}', "f", foreign=True)
    assert str(read) == "{'a': [nan, -inf], 'b': 'x?', 'c': 1}"
    with pytest.raises(DataError, match="'c' stands twice"):
        json_text.parse('{"c": 1, "c": 2}', "f", foreign=True)
    assert json_text.parse(r'"\ud83d\ude00 \\ud83d"', "f") == "😀 \\ud83d"


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(9)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BOMB, "f, line 6: stands for more than 200000 values, by aliases"),
        ("a: &a [*a]", "an alias stands for what it stands in"),
        ("a: 1\nb: 2\na: 3\n", "f, line 3: key 'a' stands twice"),
        ("a:\n  b: 1\n  b: 1\n", "f, line 3: key 'b' stands twice"),
        ("yes: 1", "the key 'yes' is not text; put it in quotes"),
        ("1: 1", "the key '1' is not text"),
        ("[1]: 1", "a list or mapping"),
        ("a: !!python/object/apply:os.system [id]", "stands for no plain value"),
        ("a: !!binary aGk=", "stands for no plain value"),
        ("a: !!bool x", "'x' is no bool"),
        ("a: !!int ''", "'' is no int"),
        ("[" * 100_000, "nested more than 50 deep"),
        ("- " * 100_000, "nested more than 50 deep"),
        ("{a: " * 60, "nested more than 50 deep"),
        ("a: " + "9" * 5000, "a number of 5000 digits"),
        (r'a: "\0"', "a zero byte or half of a character"),
        (r'a: "\ud83d"', "a zero byte or half of a character"),
        ("a: \x01", "the character '\\x01' may not stand in it"),
        ("a: 1\nb: c: d\n", "f, line 2: not valid YAML: mapping values are not allowed here"),
        ("a: 1\n---\nb: 2\n", "expected a single document"),
    ],
)
def test_yaml_that_is_more_than_values_is_refused(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        yaml_text.parse(text, "f")
    assert said in str(error.value)


def test_yaml_keeps_aliases_merges_and_dates_as_text() -> None:
    text = "x: &x {a: 1, b: 2}\ny:\n  <<: *x\n  a: 3\nz: [*x, *x]\nd: 2026-01-31\n"
    assert yaml_text.parse(text, "f") == {
        "x": {"a": 1, "b": 2},
        "y": {"a": 3, "b": 2},
        "z": [{"a": 1, "b": 2}] * 2,
        "d": "2026-01-31",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no header"),
        ("a,a\n", "column 'a' is there more than once"),
        ("a,b\n1\n", "f, line 2: 1 fields where the header has 2"),
        ('a,b\n"x\ny",2\n3\n', "f, line 4: 1 fields"),
        ('a,b\n"1,2\n', "malformed record"),
        ("a\n" + "x" * 200_000, "malformed record that ends at line 2 (field larger"),
    ],
)
def test_a_malformed_table_is_refused_by_line(text: str, said: str) -> None:
    with pytest.raises(DataError) as error:
        csv_tables.parse(text, "f")
    assert said in str(error.value)


def test_by_what_a_table_is_separated_instead_is_told() -> None:
    assert csv_tables.other_delimiter(csv_tables.parse("a;b\n1;2\n", "f").columns) == "semicolons"
    assert csv_tables.other_delimiter(["a", "b"]) == ""


@pytest.fixture
def odd_files(tmp_path: Path) -> dict[str, tuple[Path, str]]:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").write_text("{}")
    return {
        "folder": (tmp_path, "a folder, and a file is expected"),
        "pipe": (tmp_path / "pipe", "a pipe, and a file is expected"),
        "device": (Path("/dev/zero"), "a device or socket, and a file is expected"),
        "loop": (tmp_path / "loop", "symbolic links that lead in a circle"),
        "absent": (tmp_path / "absent", "no such file"),
        "below a file": (tmp_path / "file/x", "a part of its path is a file"),
        "too long": (tmp_path / ("x" * 300), "the name is longer than the file system takes"),
        "zero byte": (tmp_path / "a\0b", "no file can have this name"),
        "half a character": (tmp_path / "\ud83d", "no file can have this name"),
    }


@pytest.mark.parametrize(
    "kind",
    ["folder", "pipe", "device", "loop", "absent", "below a file", "too long", "zero byte", "half a character"],
)
def test_what_is_no_file_is_named_for_what_it_is(odd_files: dict[str, tuple[Path, str]], kind: str) -> None:
    path, said = odd_files[kind]
    for read in (
        text_files.read_text,
        text_files.read_bytes,
        json_text.read,
        yaml_text.read,
        csv_tables.read,
        lambda path, error: list(text_files.iterate_lines(path, error)),
        lambda path, error: list(json_text.iterate_objects(path, error)),
    ):
        with pytest.raises(ModelError) as error:
            read(path, error=ModelError)
        assert said in str(error.value)


def test_a_file_or_line_beyond_its_limit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(b"\xef\xbb\xbfone\ntwo and more\n")
    assert list(text_files.iterate_lines(path)) == [(1, b"one\n"), (2, b"two and more\n")]
    with pytest.raises(DataError, match="larger than 10 bytes; take another"):
        text_files.read_text(path, limit=10, remedy="take another")
    with pytest.raises(DataError, match="line 2: longer than 10 bytes"):
        list(text_files.iterate_lines(path, limit=10))


def test_a_file_of_the_system_without_a_size_is_read_to_its_end() -> None:
    assert "Name:" in text_files.read_text(Path("/proc/self/status"))


def test_what_the_system_refuses_has_a_reason_and_a_next_step() -> None:
    full = unwritable("f", OSError(errno.ENOSPC, "No space left on device"))
    assert str(full) == "f: not written (no space left on the disk); make room and run again"
    assert reason(OSError(errno.ENOTTY, "Inappropriate ioctl for device")) == "inappropriate ioctl for device"
