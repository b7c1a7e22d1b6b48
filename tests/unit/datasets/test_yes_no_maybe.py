from __future__ import annotations

import json

import pytest

from quantbench.datasets import read_split
from quantbench.errors import DataError


def test_contexts_are_joined_and_the_long_answer_stays_out(entries, small_data):
    samples = read_split(small_data / "pubmedqa/test.tsv", entries["pubmedqa"], 6)
    assert samples[0].inputs == {
        "question": "Does zintol number 0 help?",
        "context": 'We gave zintol 0 to 20 rats\' pups. They slept "well".',
    }
    assert [sample.gold for sample in samples] == ["yes", "yes", "yes", "no", "no", "maybe"]
    assert not any("SECRET" in str(sample) for sample in samples)


def test_the_json_pool_reads_like_the_table(entries, small_data):
    samples = read_split(small_data / "pubmedqa/ori_pqal.non_test.json", entries["pubmedqa"], 7)
    test = read_split(small_data / "pubmedqa/test.tsv", entries["pubmedqa"], 6)
    assert samples[6].inputs == test[3].inputs
    assert [sample.sample_id for sample in samples] == ["0", "1", "2", "3", "4", "5", "6"]
    assert samples[0].inputs["question"] == "Does zintol number 100 help \N{EN DASH} really?"
    assert not any("SECRET" in str(sample) for sample in samples)


@pytest.mark.parametrize(
    ("contexts", "decision", "parts"),
    [
        ("['a']", "Yes", ["line 3", "'final_decision'", "'Yes'", "did you mean 'yes'"]),
        ("['a']", "", ["line 3", "'final_decision'", "empty"]),
        ("['a'", "yes", ["line 3", "'CONTEXTS'", "Python list"]),
        ("[]", "yes", ["line 3", "'CONTEXTS'", "list of strings"]),
        ("[1]", "yes", ["line 3", "'CONTEXTS'", "[1]"]),
        ("'a'", "yes", ["line 3", "'CONTEXTS'", "list of strings"]),
    ],
)
def test_a_bad_row_is_named(entries, tmp_path, contexts, decision, parts):
    path = tmp_path / "test.tsv"
    path.write_text(f"QUESTION\tCONTEXTS\tfinal_decision\nq\t['a']\tno\nq\t{contexts}\t{decision}\n")
    with pytest.raises(DataError) as caught:
        read_split(path, entries["pubmedqa"], None)
    for part in [str(path), *parts]:
        assert part in str(caught.value)


GOOD = {"QUESTION": "q", "CONTEXTS": ["a"], "final_decision": "no"}


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ({"11": GOOD, "12": GOOD | {"final_decision": "perhaps"}}, ["line 9", "'final_decision'", "'perhaps'"]),
        ({"11": GOOD, "12": GOOD | {"CONTEXTS": "a b"}}, ["line 9", "'CONTEXTS'"]),
        ({"11": GOOD, "12": {"QUESTION": "q"}}, ["line 9", "'12'", "'CONTEXTS'"]),
        ({"11": "text"}, ["fields for each pmid"]),
        ([GOOD], ["fields for each pmid"]),
        ({}, ["no records"]),
    ],
)
def test_a_bad_json_record_is_named_by_its_line(entries, tmp_path, value, parts):
    path = tmp_path / "ori_pqal.json"
    path.write_text(json.dumps(value, indent=1))
    with pytest.raises(DataError) as caught:
        read_split(path, entries["pubmedqa"], None)
    for part in [str(path), *parts]:
        assert part in str(caught.value)


def test_a_cut_json_file_is_named_by_the_line_of_the_cut(entries, small_data, tmp_path):
    path = tmp_path / "ori_pqal.json"
    path.write_text((small_data / "pubmedqa/ori_pqal.non_test.json").read_text()[:400])
    with pytest.raises(DataError, match=r"line 20: malformed JSON"):
        read_split(path, entries["pubmedqa"], None)
