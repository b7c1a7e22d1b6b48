from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantbench.config import DatasetEntry
from quantbench.datasets import read_split, read_split_samples
from quantbench.datasets.readers import read_token_tags as token_tags
from quantbench.errors import DataError


def squeezed(text: str) -> str:
    return "".join(text.split())


def test_sentences_and_entities_of_the_small_file(entries, small_data):
    samples = read_split(small_data / "bc5cdr_chemical/test.tsv", entries["bc5cdr_chemical"], 5)
    assert samples[0].inputs == {"text": "Velumab reduced Parkinson ' s tremor ."}
    assert samples[0].gold == [{"start": 0, "end": 7, "text": "Velumab"}]
    assert [sample.group for sample in samples] == ["0", "1", "2", "3", "4"]
    assert samples[2].gold == []
    assert samples[2].inputs == samples[3].inputs


def test_an_entity_right_after_another_is_one_of_its_own(entries, small_data):
    sample = read_split(small_data / "bc5cdr_chemical/test.tsv", entries["bc5cdr_chemical"], 5)[1]
    assert [entity["text"] for entity in sample.gold] == ["L - dopa", "zintol"]
    assert sample.gold[0]["end"] == sample.gold[1]["start"]
    sample = read_split(small_data / "ncbi_disease/test.tsv", entries["ncbi_disease"], 3)[2]
    assert [entity["text"] for entity in sample.gold] == ["lymph blight", "stone fever"]


def test_an_entity_may_end_the_sentence_and_characters_are_counted_not_bytes(entries, small_data):
    sample = read_split(small_data / "bc5cdr_chemical/test.tsv", entries["bc5cdr_chemical"], 5)[4]
    text = squeezed(sample.inputs["text"])
    assert sample.gold[0] == {"start": 0, "end": 8, "text": "\N{GREEK SMALL LETTER ALPHA} - zintol"}
    assert text[sample.gold[1]["start"] : sample.gold[1]["end"]] == "zintol"
    assert sample.gold[1]["end"] == len(text)


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\n\n\n\n"])
def test_blank_lines_at_the_end_make_no_sentence(entries, tmp_path, end):
    path = tmp_path / "test.tsv"
    path.write_text(f"a\tO\n\n\nb\tB\n{end}")
    assert len(read_split(path, entries["ncbi_disease"], 2)) == 2


def test_a_file_with_crlf_ends_reads_the_same(entries, small_data, tmp_path):
    original = small_data / "ncbi_disease/test.tsv"
    path = tmp_path / "test.tsv"
    path.write_bytes(original.read_bytes().replace(b"\n", b"\r\n"))
    entry = entries["ncbi_disease"]
    assert read_split(path, entry, 3) == read_split(original, entry, 3)


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("a\tO\nb\tI\n", ["line 2", "'I'", "'b'", "begins with 'B'"]),
        ("a\tB\n\nb\tI\n", ["line 3", "'I'", "'b'"]),
        ("a\tO\nb\tB-Chemical\n", ["line 2", "'B-Chemical'", "'b'"]),
        ("a\tO\nb\n", ["line 2", "1 fields"]),
        ("a\tO\nb\tc\tO\n", ["line 2", "3 fields"]),
        ("a\tO\n\tO\n", ["line 2", "blank"]),
        ("a\tO\n \nb\tO\n", ["line 2", "1 fields"]),
        ("a\tO\nb\tO", ["line 2", "cut off"]),
        ("", ["empty"]),
        ("\n\n", ["empty"]),
    ],
)
def test_a_bad_line_is_named(entries, tmp_path, content, parts):
    path = tmp_path / "test.tsv"
    path.write_text(content)
    with pytest.raises(DataError) as caught:
        read_split(path, entries["ncbi_disease"], None)
    for part in [str(path), *parts]:
        assert part in str(caught.value)


IN_COLUMNS = "a\tO\tx\nb\tB\tx\n\nc\tO\tx\n\nd\tB\ty\n"
WITH_LINES = "-DOCSTART-\tx\n\na\tO\nb\tB\n\nc\tO\n\n-DOCSTART- y\nd\tB\n"


@pytest.mark.parametrize("content", [IN_COLUMNS, WITH_LINES, WITH_LINES.replace("\n", "\r\n")])
def test_a_file_may_name_its_documents(entries, tmp_path, content):
    path = tmp_path / "test.tsv"
    path.write_bytes(content.encode())
    split = read_split_samples(path, entries["ncbi_disease"], 3)
    assert split.unit(entries["ncbi_disease"]) == "document"
    assert [sample.group for sample in split.samples] == ["x", "x", "y"]
    assert [sample.inputs["text"] for sample in split.samples] == ["a b", "c", "d"]
    assert [sample.sample_id for sample in split.samples] == ["0", "1", "2"]


def test_documents_without_names_are_of_their_split_alone(entries, tmp_path):
    """As CoNLL-2003 writes them; a line right behind a sentence ends it."""
    groups = {}
    for split in ("test", "train"):
        path = tmp_path / f"{split}.tsv"
        path.write_text("-DOCSTART- -X- O O\n\na\tO\n\nb\tO\n-DOCSTART- -X- O O\n\nc\tO\n")
        read = read_split_samples(path, entries["ncbi_disease"], 3)
        assert read.documents_known
        groups[split] = [sample.group for sample in read.samples]
    assert groups["test"] == ["test document 1", "test document 1", "test document 2"]
    assert not set(groups["test"]) & set(groups["train"])


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("a\tO\tx\nb\tO\ty\n", ["line 2", "document 'y' in a sentence of document 'x'"]),
        ("a\tO\tx\n\nb\tO\n", ["line 3", "expected token<TAB>tag<TAB>document", "2 fields"]),
        ("a\tO\t \n", ["line 1", "document of token 'a' is blank"]),
        ("a\tO\n\n-DOCSTART- y\nb\tO\n", ["line 3", "-DOCSTART- comes after sentences"]),
        ("-DOCSTART- y\na\tO\tx\n", ["line 2", "name documents in one way"]),
        ("-DOCSTART- y\n", ["holds no sentences"]),
    ],
)
def test_documents_that_cannot_be_told_are_refused(entries, tmp_path, content, parts):
    path = tmp_path / "test.tsv"
    path.write_text(content)
    with pytest.raises(DataError) as caught:
        read_split_samples(path, entries["ncbi_disease"], None)
    for part in [str(path), *parts]:
        assert part in str(caught.value)


TOKEN = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=6)


@given(st.lists(st.lists(st.tuples(TOKEN, st.sampled_from(["B", "I", "O"])), min_size=1, max_size=8), min_size=1))
def test_offsets_point_at_the_entity_in_any_tagged_sentences(entries, tmp_path_factory, sentences):
    entry: DatasetEntry = entries["ncbi_disease"]
    lines: list[str] = []
    begun = 0
    for sentence in sentences:
        before = "O"
        for token, wanted in sentence:
            tag = "B" if wanted == "I" and before == "O" else wanted
            begun += tag == "B"
            before = tag
            lines.append(f"{token}\t{tag}\n")
        lines.append("\n")
    path = tmp_path_factory.mktemp("any") / "test.tsv"
    path.write_bytes("".join(lines).encode())
    samples = token_tags.read(path, entry).samples
    assert [sample.inputs["text"] for sample in samples] == [" ".join(t for t, _ in s) for s in sentences]
    assert sum(len(sample.gold) for sample in samples) == begun
    for sample in samples:
        text = squeezed(sample.inputs["text"])
        assert all(text[e["start"] : e["end"]] == squeezed(e["text"]) for e in sample.gold)
        assert all(one["end"] <= other["start"] for one, other in zip(sample.gold, sample.gold[1:], strict=False))
