from __future__ import annotations

import pytest

from quantbench.datasets import read_split
from quantbench.errors import DataError


def test_chemprot_documents_are_pmids_and_a_pair_may_stand_twice(entries, small_data):
    samples = read_split(small_data / "chemprot/test.tsv", entries["chemprot"], 7)
    assert [sample.group for sample in samples] == ["93000001"] * 3 + ["93000002"] * 2 + ["93000003"] * 2
    assert samples[1].inputs == samples[2].inputs
    assert [samples[1].gold, samples[2].gold] == ["CPR:4", "CPR:6"]
    assert len({sample.sample_id for sample in samples}) == 7
    assert samples[3].inputs == {"sentence": 'The @CHEM-GENE$ complex was "stable" at 4 °C.'}


def test_crlf_does_not_enter_the_label(entries, small_data):
    assert b"\r\n" in (small_data / "chemprot/test.tsv").read_bytes()
    samples = read_split(small_data / "chemprot/test.tsv", entries["chemprot"], 7)
    assert samples[0].gold == "false"


def test_ddi_documents_leave_out_sentence_and_pair(entries, small_data):
    samples = read_split(small_data / "ddi2013/test.tsv", entries["ddi2013"], 7)
    assert {sample.group for sample in samples} == {"DDI-DrugBank.d900", "DDI-MedLine.d51", "DrugDDI.d7"}
    assert samples[2].inputs["sentence"].startswith("The @DRUG-DRUG$ mix")


@pytest.mark.parametrize(
    ("row", "parts"),
    [
        ("1.T1.T2\ta sentence\tCPR:10", ["line 3", "'label'", "'CPR:10'", "inventory"]),
        ("1.T1.T2\ta sentence\tFalse", ["line 3", "'False'", "did you mean 'false'"]),
        ("1.T1.T2\ta sentence\t", ["line 3", "'label'", "empty"]),
        ("1.T1.T2\t\tfalse", ["line 3", "'sentence'", "empty"]),
        ("1.T1\ta sentence\tfalse", ["line 3", "'index'", "'1.T1'"]),
        (".T1.T2\ta sentence\tfalse", ["line 3", "'index'", "'.T1.T2'"]),
        ("1.T1.T2 a sentence\tfalse", ["line 3", "2 fields"]),
    ],
)
def test_a_bad_row_is_named(entries, tmp_path, row, parts):
    path = tmp_path / "test.tsv"
    path.write_bytes(f"index\tsentence\tlabel\r\n1.T1.T2\tfine\tfalse\r\n{row}\r\n".encode())
    with pytest.raises(DataError) as caught:
        read_split(path, entries["chemprot"], None)
    for part in [str(path), *parts]:
        assert part in str(caught.value)
