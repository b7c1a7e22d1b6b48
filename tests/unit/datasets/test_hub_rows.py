"""Datasets of the Hugging Face hub through the real library: from Parquet files laid out as a repository, and over HTTP."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.hub_server import HubServer

from quantbench.config import DatasetEntry
from quantbench.contracts.checksums import sha256_of
from quantbench.contracts.records import Sample, read_records
from quantbench.datasets import prepare
from quantbench.datasets.hub_rows import retrieve_hub
from quantbench.errors import DataError

NER = {"task": "named_entity_recognition", "metric": "entity_f1", "entity_type": "drug"}
MULTI = {"task": "multi_label_classification", "metric": "macro_f1", "labels": {"fall": "", "pain": ""}}
EXAM = {"task": "question_answering", "metric": "accuracy"}


def publish(folder: Path, rows: dict[str, list[Any]], features: Any = None, split: str = "test") -> Path:
    import datasets

    (folder / "data").mkdir(parents=True, exist_ok=True)
    datasets.Dataset.from_dict(rows, features=features).to_parquet(folder / f"data/{split}-00000-of-00001.parquet")
    return folder


def entry(published: Path, kind: dict[str, Any], columns: dict[str, str], **hub: Any) -> DatasetEntry:
    value = {
        "title": "t",
        "reader": "records",
        "citation": "c",
        "licence": "l",
        "max_new_tokens": {"instruction": 50},
        "files": {"test": [{"name": "test.jsonl"}], "train": [{"name": "train.jsonl"}]},
        "hub": {"id": str(published), "revision": "main", "splits": {"test": "test"}, "columns": columns} | hub,
    }
    return DatasetEntry.model_validate(value | kind)


def test_class_numbers_become_labels_and_two_splits_are_ready_to_use(tmp_path: Path) -> None:
    import datasets

    names = datasets.Sequence(datasets.ClassLabel(names=["pain", "fall"]))
    features = datasets.Features({"pmid": datasets.Value("int64"), "abstract": datasets.Value("string"), "y": names})
    rows = {"pmid": [7, 9], "abstract": ["Fell, hip hurts.", "Slept."], "y": [[0, 1], []]}
    published = publish(tmp_path / "hub", rows, features)
    publish(published, {"pmid": [1, 2], "abstract": ["Slipped.", "Hurts."], "y": [[1], [0]]}, features, "train")
    columns = {"sample_id": "pmid", "group": "pmid", "text": "abstract", "gold": "y"}
    own = entry(published, MULTI, columns, splits={"test": "test", "train": "train"})
    folder = tmp_path / "files"
    assert retrieve_hub(own, "notes", folder) == [folder / "test.jsonl", folder / "train.jsonl"]
    assert sorted(path.name for path in folder.iterdir()) == ["test.jsonl", "train.jsonl"]
    prepare(own, "notes", folder, None, 1, tmp_path / "out")
    samples = read_records(tmp_path / "out/samples.jsonl", Sample)
    assert [sample.gold for sample in samples] == [["fall", "pain"], []]
    assert [sample.sample_id for sample in samples] == ["7", "9"]
    assert len(read_records(tmp_path / "out/shots.jsonl", Sample)) == 2


def test_tokens_and_tags_become_a_text_with_entities(tmp_path: Path) -> None:
    import datasets

    tags = datasets.Sequence(datasets.ClassLabel(names=["O", "B-Chemical", "I-Chemical"]))
    features = datasets.Features({"words": datasets.Sequence(datasets.Value("string")), "ner": tags})
    rows = {"words": [["Acetyl", "salicylate", "iron", "given"], ["None"]], "ner": [[1, 2, 1, 0], [0]]}
    own = entry(publish(tmp_path / "hub", rows, features), NER, {"tokens": "words", "tags": "ner"})
    retrieve_hub(own, "drugs", tmp_path / "files")
    prepare(own, "drugs", tmp_path / "files", None, 1, tmp_path / "out")
    samples = read_records(tmp_path / "out/samples.jsonl", Sample)
    assert samples[0].inputs["text"] == "Acetyl salicylate iron given"
    assert [(e["start"], e["end"], e["text"]) for e in samples[0].gold] == [
        (0, 16, "Acetyl salicylate"),
        (16, 20, "iron"),
    ]
    assert samples[1].gold == []


def test_a_list_of_options_gets_letters(tmp_path: Path) -> None:
    rows = {"q": ["Which?"], "choices": [["a", "b", "c"]], "right": [2]}
    own = entry(publish(tmp_path / "hub", rows), EXAM, {"question": "q", "options": "choices", "gold": "right"})
    retrieve_hub(own, "exam", tmp_path / "files")
    prepare(own, "exam", tmp_path / "files", None, 1, tmp_path / "out")
    sample = read_records(tmp_path / "out/samples.jsonl", Sample)[0]
    assert sample.inputs["options"] == {"A": "a", "B": "b", "C": "c"}
    assert (sample.sample_id, sample.gold) == ("0", "C")


def test_what_was_retrieved_may_be_pinned(tmp_path: Path) -> None:
    rows = {"q": ["Which?"], "choices": [["a", "b"]], "right": [1]}
    own = entry(publish(tmp_path / "hub", rows), EXAM, {"question": "q", "options": "choices", "gold": "right"})
    path = retrieve_hub(own, "exam", tmp_path / "files")[0]
    files = {"test": [own.files["test"][0].model_copy(update={"sha256": sha256_of(path)})]}
    retrieve_hub(own.model_copy(update={"files": files}), "exam", tmp_path / "files")
    publish(tmp_path / "hub", rows | {"right": [0]})
    with pytest.raises(DataError, match="not the pinned file"):
        retrieve_hub(own.model_copy(update={"files": files}), "exam", tmp_path / "files")


def test_a_wrong_column_or_split_is_named(tmp_path: Path) -> None:
    published = publish(tmp_path / "hub", {"q": ["Which?"], "right": ["A"]})
    with pytest.raises(DataError, match=r"'hub.columns.question' names the column 'question'.*it has q, right"):
        retrieve_hub(entry(published, EXAM, {"question": "question", "gold": "right"}), "exam", tmp_path / "files")
    own = entry(published, EXAM, {"question": "q", "gold": "right"}, splits={"test": "validation"})
    with pytest.raises(DataError, match=r"split 'validation' did not arrive .*check these in dataset\.yaml"):
        retrieve_hub(own, "exam", tmp_path / "files")
    assert not list((tmp_path / "files").iterdir())


@pytest.fixture
def hub() -> Iterator[HubServer]:
    server = HubServer()
    yield server
    server.close()


def retrieve_over_http(hub: HubServer, own: DatasetEntry, home: Path, folder: Path, token: str = "") -> str:
    """Retrieve in a process of its own: the library reads the hub's address when it is imported."""
    code = (
        "import sys; from pathlib import Path; from quantbench.config import DatasetEntry\n"
        "from quantbench.datasets.hub_rows import retrieve_hub; from quantbench.errors import DataError\n"
        "try: retrieve_hub(DatasetEntry.model_validate_json(sys.argv[1]), 'exam', Path(sys.argv[2]))\n"
        "except DataError as error: print('refused:', error)"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "TRANSFORMERS_"))}
    environment |= {"HF_ENDPOINT": hub.url, "HF_HOME": str(home), "HOME": str(home), "NO_PROXY": "127.0.0.1"}
    environment |= {"HF_HUB_ETAG_TIMEOUT": "60", "HF_HUB_DOWNLOAD_TIMEOUT": "60"}  # a busy machine is not an outage
    environment |= {"PYTHONPATH": os.pathsep.join(sys.path)} | ({"HF_TOKEN": token} if token else {})
    command = [sys.executable, "-c", code, own.model_dump_json(), str(folder)]
    result = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert result.returncode == 0, result.stdout
    return result.stdout


def test_a_gated_dataset_at_an_old_commit_arrives_over_http_and_the_token_leaves_no_trace(
    hub: HubServer, tmp_path: Path
) -> None:
    token = "hf_SecretOfThisTest"
    published = publish(tmp_path / "hub", {"q": ["Which?"], "choices": [["a", "b"]], "right": [1]})
    old = hub.add_folder("maker/exam", published, gated=True)
    hub.add_folder("maker/exam", publish(published, {"q": ["Which?"], "choices": [["a", "b"]], "right": [0]}))
    hub.tokens[token] = True
    columns = {"question": "q", "options": "choices", "gold": "right"}
    own = entry(Path("maker/exam"), EXAM, columns, revision=old)
    said = retrieve_over_http(hub, own, tmp_path / "home", tmp_path / "files")
    assert "refused: dataset 'exam': 'maker/exam'" in said
    assert "HF_TOKEN" in said
    said = retrieve_over_http(hub, own, tmp_path / "other home", tmp_path / "files", token)
    assert "1 records of split 'test' of maker/exam" in said, said
    assert '"gold": "B"' in (tmp_path / "files/test.jsonl").read_text(), "the pinned commit, not today's"
    assert hub.authorized
    assert token not in said
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or token.encode() not in path.read_bytes(), path
