from __future__ import annotations

import pytest

from quantbench.datasets import read_split
from quantbench.errors import DataError


def test_hoc_rows_become_samples_with_labels_in_inventory_order(entries, small_data):
    samples = read_split(small_data / "hoc/test.tsv", entries["hoc"], 6)
    assert [sample.sample_id for sample in samples] == ["0", "1", "2", "3", "4", "5"]
    assert samples[1].inputs == {"text": 'The so-called "quiet" clones did not die , and they spread .'}
    assert samples[1].gold == ["resisting cell death", "activating invasion and metastasis"]
    assert samples[1].group == "90000002"
    assert len(samples[3].gold) == 4


def test_text_keeps_its_escapes_and_its_mojibake(entries, small_data):
    samples = read_split(small_data / "hoc/test.tsv", entries["hoc"], None)
    assert "&lt;" in samples[0].inputs["text"]
    assert "naÃ¯ve" in samples[2].inputs["text"]


def test_a_row_without_pmid_is_a_document_of_its_own(entries, small_data):
    samples = read_split(small_data / "litcovid/train.tsv", entries["litcovid"], 5)
    assert samples[3].group == "row 3"
    assert len({sample.group for sample in samples}) == 5


@pytest.mark.parametrize(
    ("row", "parts"),
    [
        ("1\tsome text\tTretment", ["line 3", "'labels'", "'Tretment'", "did you mean 'Treatment'"]),
        ("1\tsome text\tTreatment; Prevention", ["line 3", "' Prevention'", "inventory"]),
        ("1\tsome text\tTreatment;", ["line 3", "''", "inventory"]),
        ("1\tsome text\tTreatment;Treatment", ["line 3", "repeated"]),
        ("1\tsome text\t", ["line 3", "'labels'", "empty"]),
        ("1\t \tTreatment", ["line 3", "'text'", "empty"]),
    ],
)
def test_a_bad_row_is_named(entries, tmp_path, row, parts):
    path = tmp_path / "test.tsv"
    path.write_text(f"pmid\ttext\tlabels\n0\tfine\tTreatment\n{row}\n")
    with pytest.raises(DataError) as caught:
        read_split(path, entries["litcovid"], None)
    for part in [str(path), *parts]:
        assert part in str(caught.value)


def test_another_number_of_rows_than_stated_is_refused(entries, small_data):
    path = small_data / "hoc/test.tsv"
    with pytest.raises(DataError, match=r"expected 315 records, found 6") as caught:
        read_split(path, entries["hoc"], 315)
    assert str(path) in str(caught.value)
