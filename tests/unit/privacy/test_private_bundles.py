"""Bundles of private data hold nothing of their texts, and are refused where a text has got into any file of the run."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import io
import json
import re
import shutil
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
import zstandard
from tests.bundled_run import make_run
from tests.reported_run import make_report, make_reported
from tests.simulated_run import Run

from quantbench import jobs
from quantbench.bundle import open_bundle, pack, restore_texts
from quantbench.cli.main import main
from quantbench.cli.privacy import _Part, _print
from quantbench.config import DatasetEntry, StudyEntry, load_datasets
from quantbench.contracts.files import read_json, write_json
from quantbench.contracts.records import Prediction, Sample, ScoredAnswer, read_records, write_records
from quantbench.datasets import prepare
from quantbench.errors import DataError
from quantbench.privacy import Phrases, Search, Text, withheld


def members(path: Path) -> dict[str, bytes]:
    raw = zstandard.ZstdDecompressor().stream_reader(path.read_bytes()).read()
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
        return {entry.name: archive.extractfile(entry).read() for entry in archive}  # type: ignore[union-attr]


def texts_of(run: Run, *names: str) -> list[Text]:
    samples = [sample for name in names for sample in read_records(run.samples[name], Sample)]
    return [Text(sample.sample_id, str(next(iter(sample.inputs.values())))) for sample in samples]


@pytest.fixture(scope="module")
def run(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return make_run(repository, tmp_path_factory.mktemp("run"))


@pytest.fixture
def private(repository: Path, tmp_path: Path) -> Run:
    return make_run(repository, tmp_path, data={"texts_in_bundles": "none"})


def packed(run: Run, target: Path) -> dict[str, bytes]:
    pack(run.catalogue, run.results, run.cells, target)
    return members(target)


def entry(**changes: object) -> DatasetEntry:
    stated = {
        "title": "Notes", "task": "multi_label_classification", "reader": "records", "metric": "macro_f1", "labels": {"a": "", "b": ""},
        "citation": "internal", "licence": "not for distribution", "max_new_tokens": {"instruction": 9}, "files": {},
    }  # fmt: skip
    return DatasetEntry.model_validate({**stated, **changes})


def test_whose_texts_are_private() -> None:
    assert entry().is_private
    assert not entry(redistributable=True).is_private and not entry(upstream_folder="x").is_private
    assert not entry(private=False).is_private and entry(private=True, redistributable=True).is_private


@pytest.mark.parametrize("choice", ["by_licence", "all", "none"])
def test_ones_own_data_are_private_whatever_the_run_says(choice: str) -> None:
    found = withheld(choice, {"own": entry(), "published": entry(upstream_folder="x", redistributable=True)})
    assert all("own" in names for names in (found.texts, found.outputs, found.names))
    assert ("published" in found.texts) is (choice == "none")


def test_files_of_ones_own_under_a_published_name_are_private(repository: Path, tmp_path: Path) -> None:
    assert not load_datasets(repository)["pubmedqa"].is_private
    (tmp_path / "pubmedqa").mkdir()
    stated = tmp_path / "pubmedqa/files.yaml"
    stated.write_text("test: [{name: mine.json}]\n")
    assert load_datasets(repository, tmp_path)["pubmedqa"].is_private
    stated.write_text("private: false\ntest: [{name: mine.json}]\n")
    assert not load_datasets(repository, tmp_path)["pubmedqa"].is_private


def test_nothing_of_private_texts_is_packed(private: Run, tmp_path: Path) -> None:
    found = packed(private, tmp_path / "b")
    search = Search(Phrases(texts_of(private, "pubmedqa", "medqa", "ncbi_disease")))
    assert [name for name, content in found.items() if search.content(content, name)] == []
    numbers = {f"{number:02}" for number in range(1, 13)}
    left = [
        json.loads(line) for name, content in found.items() if name.endswith(".jsonl") for line in content.splitlines()
    ]
    assert {record["sample_id"] for record in left} == numbers
    assert all(record["group"].isdigit() for record in left if "group" in record)
    timed = json.loads(found[f"cells/{private.cells[0].folder}/measurements.json"])["latency"]["samples"]
    assert len({one["sample_id"] for one in timed}) == len(timed) and numbers < {one["sample_id"] for one in timed}


def test_bundles_of_private_data_give_the_same_tables(private: Run, repository: Path, tmp_path: Path) -> None:
    pack(private.catalogue, private.results, private.cells, tmp_path / "b")
    opened = open_bundle(tmp_path / "b", tmp_path / "opened", repository).parent
    config, tables = private.catalogue.run.model_dump(mode="json"), {}
    for folder in (private.results, opened):
        jobs.compare({**config, "results_folder": str(folder.parent)}, [cell.folder for cell in private.cells])
        tables[folder] = {path.name: path.read_bytes() for path in folder.glob("tables/*.csv")}
    assert len(tables[opened]) > 8
    different = {name for name, content in tables[opened].items() if content != tables[private.results][name]}
    assert different <= {"length_effects.csv"}  # lengths of outputs are those of predictions, which stay behind


def planted(run: Run, name: str, text: str) -> None:
    """A text in one of a run's files, as it may get there."""
    path, cell = run.results / name, run.results / "cells" / run.cells[0].folder
    path.parent.mkdir(parents=True, exist_ok=True)
    if name == "manifest.json":
        write_json(cell / name, {**read_json(cell / name), "git_commit": text})
    elif name == "measurements.json":
        write_json(cell / name, {**read_json(cell / name), "note": {"deep": [text]}})
    elif name == "dataset.json":
        path = run.samples["medqa"].with_name(name)
        write_json(path, {**read_json(path), "note": text})
    elif name == "report.html":
        block = base64.b64encode(gzip.compress(json.dumps([text]).encode())).decode()
        path.write_text(f"<script type='text/plain'>{block}</script>")
    elif name.endswith(".gz"):
        path.write_bytes(gzip.compress(text.encode()))
    elif name.endswith(".svg"):
        path.write_text(f"<svg><text>{text}</text></svg>")
    else:
        with path.open("a") as handle:
            handle.write(f"a,b,{text.upper()},4\n")


@pytest.mark.parametrize(
    "name",
    [
        "manifest.json",
        "measurements.json",
        "dataset.json",
        "logs/infer/phi-4/full/medqa.log",
        "logs/old.log.gz",
        "tables/cells.csv",
        "tables/table1.md",
        "recommendations.md",
        "figures/figure2.svg",
        "report.html",
        "notes/by_hand.txt",
    ],
)
def test_a_bundle_is_refused_where_a_text_has_got_into_a_file(private: Run, name: str, tmp_path: Path) -> None:
    planted(private, name, texts_of(private, "medqa")[3].content)
    with pytest.raises(DataError, match="nothing was packed") as refused:
        pack(private.catalogue, private.results, private.cells, tmp_path / "b")
    said = str(refused.value)
    assert f"{name}: line " in said and "stand in 1 file," in said and "record 4" in said
    assert texts_of(private, "medqa")[3].content.split()[0] not in said
    assert not (tmp_path / "b").exists()


def test_texts_too_short_to_be_searched_for_are_counted(
    private: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack(private.catalogue, private.results, private.cells, tmp_path / "b")
    assert "not searched for" not in capsys.readouterr().err
    path = private.samples["pubmedqa"]
    first, *others = read_records(path, Sample)
    write_records(path, [replace(first, inputs={"question": "Fell?", "context": "Twice."}), *others])
    pack(private.catalogue, private.results, private.cells, tmp_path / "b")
    assert "not searched for, since they have too few words: 2 texts" in capsys.readouterr().err


def test_an_example_pasted_into_a_prompt_is_found(private: Run, repository: Path, tmp_path: Path) -> None:
    text = texts_of(private, "medqa")[0].content
    template = tmp_path / "config/datasets/medqa/instruction.txt"
    template.parent.mkdir(parents=True)
    shipped = (repository / "config/datasets/medqa/instruction.txt").read_text()
    template.write_text(f"Question: {text}\nAnswer: A\n\n{shipped}")
    catalogue = dataclasses.replace(private.catalogue, root=tmp_path)
    private_entry = catalogue.datasets["medqa"].model_copy(update={"private": True})
    catalogue.datasets["medqa"] = private_entry
    with pytest.raises(DataError, match=r"config/datasets/medqa/instruction.txt: line 1: 6 words"):
        pack(catalogue, private.results, private.cells, tmp_path / "b")
    (tmp_path / "known.txt").write_text(text)
    pack(catalogue, private.results, private.cells, tmp_path / "b", [tmp_path / "known.txt"])


def test_labels_are_no_secret(private: Run, tmp_path: Path) -> None:
    text = texts_of(private, "pubmedqa")[0].content
    label = " ".join(text.split()[:7])
    planted(private, "tables/label_effects.csv", label)
    medqa = private.catalogue.datasets["medqa"].model_copy(update={"labels": {label: ""}})
    catalogue = dataclasses.replace(private.catalogue, datasets={**private.catalogue.datasets, "medqa": medqa})
    pack(catalogue, private.results, private.cells, tmp_path / "b")


def test_outputs_that_quote_published_texts_are_refused_or_left_out(run: Run, tmp_path: Path) -> None:
    cell = next(cell for cell in run.cells if cell.dataset == "medqa")
    path = run.results / "cells" / cell.folder / "predictions.jsonl"
    before, question = path.read_bytes(), texts_of(run, "medqa")[5].content.split()
    found = read_records(path, Prediction)
    try:
        for count, holds in ((12, False), (13, True)):
            said = f"The question says: {' '.join(question[:count])}. So B"
            write_records(path, [dataclasses.replace(found[0], outputs=[said]), *found[1:]])
            if not holds:  # a few words may be quoted
                pack(run.catalogue, run.results, run.cells, tmp_path / "b")
                continue
            with pytest.raises(DataError, match=rf"cells/{cell.folder}/predictions.jsonl: line 1: 13 words in a row"):
                pack(run.catalogue, run.results, run.cells, tmp_path / "b")
        index = pack(run.catalogue, run.results, run.cells, tmp_path / "b", without_outputs=frozenset({"medqa"}))
        assert "medqa" in index.without_outputs
    finally:
        path.write_bytes(before)


def test_only_entries_and_templates_of_a_dataset_are_packed(repository: Path, tmp_path: Path) -> None:
    run = make_run(repository, tmp_path)
    root = tmp_path / "own"
    folder = root / "config/datasets/medqa"
    shutil.copytree(repository / "config/datasets/medqa", folder)
    for name in ("test.jsonl", ".DS_Store", "instruction.txt.bak", "notes.txt", "export.csv"):
        (folder / name).write_text("what somebody left here")
    (folder / "old").mkdir()
    found = packed(dataclasses.replace(run, catalogue=dataclasses.replace(run.catalogue, root=root)), tmp_path / "b")
    names = {Path(name).name for name in found if name.startswith("config/datasets/medqa/")}
    forms = {f"{form}{name}.txt" for form in ("", "as_published_") for name in ("instruction", "cot")}
    assert names == {"dataset.yaml", *forms}


def test_a_private_dataset_that_only_a_study_names_is_not_packed(repository: Path, tmp_path: Path) -> None:
    run, root = make_run(repository, tmp_path), tmp_path / "own"
    stated = {"grid": {"title": "All"}, "ward": {"title": "Ward", "datasets": ["hoc", "litcovid"]}}
    (root / "config").mkdir(parents=True)
    (root / "config/studies.yaml").write_text(json.dumps(stated))
    datasets = {**run.catalogue.datasets, "hoc": run.catalogue.datasets["hoc"].model_copy(update={"private": True})}
    studies = {name: StudyEntry.model_validate(study) for name, study in stated.items()}
    catalogue = dataclasses.replace(run.catalogue, root=root, datasets=datasets, studies=studies)
    found = packed(dataclasses.replace(run, catalogue=catalogue), tmp_path / "b")
    assert not [name for name in found if "/hoc/" in name] and "config/datasets/litcovid/dataset.yaml" in found
    assert b"hoc" not in found["config/studies.yaml"] and b"litcovid" in found["config/studies.yaml"]


def test_texts_put_back_keep_the_names_the_bundle_gave_them(repository: Path, tmp_path: Path) -> None:
    data = repository / "tests/data/datasets"
    run = make_run(repository, tmp_path, datasets=["hoc"], data={"texts_in_bundles": "none"})
    entry = load_datasets(repository, data)["hoc"]
    prepare(entry, "hoc", data / "hoc", None, 1, run.samples["hoc"].parent)
    samples = read_records(run.samples["hoc"], Sample)
    for cell in run.cells:
        scored = run.results / "cells" / cell.folder / "scored.jsonl"
        answers = read_records(scored, ScoredAnswer)[: len(samples)]
        write_records(
            scored, [dataclasses.replace(one, sample_id=of.sample_id) for one, of in zip(answers, samples, strict=True)]
        )
        measured = scored.with_name("measurements.json")
        write_json(measured, {**read_json(measured), "latency": {"warmup": 0, "samples": []}})
    pack(run.catalogue, run.results, run.cells, tmp_path / "b")
    opened = open_bundle(tmp_path / "b", tmp_path / "opened", repository).parent
    before = read_records(opened / "datasets/hoc/samples.jsonl", Sample)
    assert restore_texts(opened, data, {"hoc": entry}, None, 1) == ["hoc"]
    after = read_records(opened / "datasets/hoc/samples.jsonl", Sample)
    assert [one.sample_id for one in after] == [one.sample_id for one in before] and after[0].inputs["text"]


def test_the_report_shows_labels_of_private_data_alone(repository: Path, tmp_path: Path) -> None:
    catalogue = make_reported(repository, tmp_path, n=12, data={"texts_in_bundles": "none"}, studies=["grid"])
    results = Path(catalogue.run_folder)
    texts = [
        Text(sample.sample_id, str(value))
        for path in results.glob("datasets/*/samples.jsonl")
        for sample in read_records(path, Sample)
        for value in sample.inputs.values()
    ]
    search, page = Search(Phrases(texts)), make_report(catalogue)
    assert search.file(page) == [] and page.stat().st_mode & 0o077
    shown = catalogue.run.data.model_copy(update={"private_texts_in_report": True})
    page = make_report(dataclasses.replace(catalogue, run=catalogue.run.model_copy(update={"data": shown})))
    assert search.file(page) and page.stat().st_mode & 0o777 == 0o600


def test_the_command_says_that_a_page_with_private_texts_was_not_searched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "report.html"
    page.touch()
    search = Search(Phrases([Text("1", "the patient was found beside the bed")]))
    _print(tmp_path, [_Part(search, [])], [])
    assert f"not searched: {page}" in capsys.readouterr().out
    _print(tmp_path, [_Part(search, [page])], [])
    assert capsys.readouterr().out == f"{tmp_path}: 1 file searched for 1 text; none found\n"


def test_the_command_says_where_texts_stand(
    private: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = str(private.results)
    assert main(["privacy", folder]) == 0
    assert re.search(r"files? searched for \d+ texts?; none found", capsys.readouterr().out)
    planted(private, "tables/cells.csv", texts_of(private, "pubmedqa")[0].content)
    assert main(["privacy", folder]) == 1
    assert re.search(r"tables/cells.csv: line \d+: 6 words in a row of .*pubmedqa", capsys.readouterr().out)
    given = tmp_path / "given.jsonl"
    given.write_bytes(private.samples["pubmedqa"].read_bytes())
    assert main(["privacy", folder, "--texts", str(given), "--format", "json"]) == 1
    (row,) = json.loads(capsys.readouterr().out)
    assert row["file"].endswith("tables/cells.csv") and row["text"] == f"{given}, line 1"
    given.write_text("a paragraph of seven words and more\n\nand another one that is nowhere to be found\n")
    assert main(["privacy", folder, "--texts", str(given)]) == 0
    planted(private, "tables/cells.csv", "")
    (private.results / "tables/cells.csv").unlink()
    pack(private.catalogue, private.results, private.cells, tmp_path / "b.tar.zst")
    given.write_bytes(private.samples["medqa"].read_bytes())
    assert main(["privacy", str(tmp_path / "b.tar.zst"), "--texts", str(given)]) == 0
    assert main(["privacy", str(tmp_path / "b.tar.zst")]) == 2
    assert main(["privacy", str(tmp_path / "nowhere"), "--texts", str(given)]) == 2
    assert main(["privacy", folder, "--texts", str(tmp_path / "nowhere")]) == 2
    for nothing in ("", "No fever.\n"):
        given.write_text(nothing)
        capsys.readouterr()
        assert main(["privacy", folder, "--texts", str(given)]) == 2, (
            "a search for nothing finds nothing, and may not end well"
        )
        assert "nothing was searched for" in capsys.readouterr().err
