from __future__ import annotations

import pytest

from quantbench.datasets import read_split
from quantbench.errors import DataError

FIVE = "[{'key': 'A', 'value': 'a'}, {'key': 'B', 'value': 'b'}, {'key': 'C', 'value': 'c'}]"


def test_questions_keep_line_breaks_tabs_and_quotes(entries, small_data):
    path = small_data / "medqa/test.tsv"
    samples = read_split(path, entries["medqa"], 3)
    assert len(path.read_text().splitlines()) == 8
    assert samples[1].inputs["question"].startswith("Laboratory values:\nSodium 140\n")
    assert samples[1].inputs["question"].endswith('What is the "next" step?')
    assert "\t" in samples[2].inputs["question"]


def test_options_are_texts_by_letter_and_the_gold_is_a_letter(entries, small_data):
    samples = read_split(small_data / "medqa/test.tsv", entries["medqa"], 3)
    assert list(samples[1].inputs["options"]) == ["A", "B", "C", "D", "E"]
    assert samples[1].inputs["options"]["B"] == "Ask the patient's wife"
    assert samples[1].inputs["options"]["C"] == 'Give "zintol"'
    assert [sample.gold for sample in samples] == ["D", "B", "E"]
    assert [sample.group for sample in samples] == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("letter", "answer", "options", "parts"),
    [
        ("D", "d", FIVE, ["line 4", "'answer_idx'", "'D'", "known: A, B, C"]),
        ("b", "b", FIVE, ["line 4", "'answer_idx'", "'b'"]),
        ("A", "b", FIVE, ["line 4", "'answer'", "'b' is not the text of option A", "'a'"]),
        ("A", "a", FIVE[:-3], ["line 4", "'options'", "Python list"]),
        ("A", "a", FIVE.replace("'", "`"), ["line 4", "'options'", "Python list"]),
        ("A", "a", "__import__('os').getcwd()", ["line 4", "'options'", "Python list"]),
        ("A", "a", "['a', 'b']", ["line 4", "key and value", "'a'"]),
        ("A", "a", "[{'key': 'A', 'value': 'a'}]", ["line 4", "two options"]),
        ("A", "a", "{'A': 'a', 'B': 'b'}", ["line 4", "list"]),
        ("A", "a", FIVE.replace("'B'", "'A'"), ["line 4", "A, B, C", "['A', 'A', 'C']"]),
        ("A", "a", FIVE.replace("'b'", "' '"), ["line 4", "option 'B'", "no text"]),
        ("A", "a", FIVE.replace("'b'", "2"), ["line 4", "option 'B'", "no text"]),
    ],
)
def test_a_bad_row_is_named_by_the_line_it_starts_on(entries, tmp_path, letter, answer, options, parts):
    path = tmp_path / "test.tsv"
    header = "\tmeta_info\tquestion\tanswer_idx\tanswer\toptions"
    path.write_text(f'{header}\n0\ts\t"two\nlines"\tA\ta\t{FIVE}\n1\ts\tq\t{letter}\t{answer}\t{options}\n')
    with pytest.raises(DataError) as caught:
        read_split(path, entries["medqa"], None)
    for part in [str(path), *parts]:
        assert part in str(caught.value)


def test_letters_the_entry_lists_must_be_offered(entries, small_data):
    four = entries["medqa"].model_copy(update={"labels": dict.fromkeys("ABCD", "")})
    with pytest.raises(DataError, match="expected the options A, B, C, D, found A, B, C, D, E"):
        read_split(small_data / "medqa/test.tsv", four, None)
