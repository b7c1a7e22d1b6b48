"""Opening: what was packed comes back; whatever is wrong is refused by name and leaves nothing behind."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from tests.simulated_run import Run, paper_catalogue, write_cell

from quantbench.bundle import figures_unchanged, open_bundle, pack, restore_texts, unscored
from quantbench.cli.main import main
from quantbench.config import RunConfig, load, load_datasets
from quantbench.config.settings import read_yaml
from quantbench.contracts.files import read_json, write_json
from quantbench.contracts.manifest import Manifest
from quantbench.contracts.records import Prediction, Sample, read_records, write_records
from quantbench.datasets import prepare
from quantbench.errors import DataError
from quantbench.scoring import score_cell
from quantbench.statistics import Bootstrap
from quantbench.study.grid import run_cells
from quantbench.tables import cells_table

Members = list[tuple[tarfile.TarInfo, bytes]]


@pytest.fixture(scope="module")
def packed(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("packed") / "paper.tar.zst"
    pack(run.catalogue, run.results, run.cells, path)
    return path


def read(path: Path) -> Members:
    raw = zstandard.ZstdDecompressor().stream_reader(path.read_bytes()).read()
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
        return [(entry, archive.extractfile(entry).read()) for entry in archive]  # type: ignore[union-attr]


def write(path: Path, members: Members) -> Path:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for entry, content in members:
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    path.write_bytes(zstandard.compress(buffer.getvalue()))
    return path


def with_index(members: Members, change: Callable[[dict[str, Any]], Any]) -> Members:
    index = json.loads(members[0][1])
    change(index)
    return [(members[0][0], json.dumps(index).encode()), *members[1:]]


def added(members: Members, name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> Members:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return [*members, (entry, b"" if kind != tarfile.REGTYPE else b"evil")]


def flipped(members: Members, end: str) -> Members:
    """One byte of the first member whose name ends so, changed."""
    place = next(place for place, (entry, _) in enumerate(members) if entry.name.endswith(end))
    entry, content = members[place]
    changed = bytes([content[0] ^ 1]) + content[1:]
    return [*members[:place], (entry, changed), *members[place + 1 :]]


def without(members: Members, end: str) -> Members:
    place = next(place for place, (entry, _) in enumerate(members) if entry.name.endswith(end))
    return members[:place] + members[place + 1 :]


def drop_cell_file(index: dict[str, Any]) -> None:
    del index["files"][f"cells/{index['cells'][0]}/measurements.json"]


CELL = "cells/phi-4/full/medqa/instruction-0shot"
ATTACKS: dict[str, tuple[Callable[[Members], Members], str]] = {
    "checksum": (
        lambda m: flipped(m, "predictions.jsonl"),
        r"predictions.jsonl is not what the index states: expected SHA-256",
    ),
    "missing file": (lambda m: without(m, "scored.jsonl"), r"scored.jsonl is missing from the archive"),
    "missing cell": (lambda m: with_index(m, drop_cell_file), r"is not complete, cells/.*measurements.json is missing"),
    "no cells": (
        lambda m: with_index(m, lambda i: i.update(cells=[])),
        r"bundle.json: key 'cells' has the value \[\].*get the file again",
    ),
    "other version": (
        lambda m: with_index(m, lambda i: i.update(format=99, quantbench="9.9")),
        r"bundle format 99, made by quantbench '9.9'; this version reads format 1 only",
    ),
    "no index": (lambda m: m[1:], r"does not begin with bundle.json"),
    "broken index": (lambda m: [(m[0][0], b"{"), *m[1:]], "bundle.json: malformed JSON .*get the file again"),
    "odd list": (lambda m: with_index(m, lambda i: i.update(cells="phi-4")), "key 'cells' has the value 'phi-4'"),
    "no figures": (
        lambda m: with_index(m, lambda i: i.pop("figures")),
        "bundle.json: key 'figures' is missing; get the file again",
    ),
    "odd field": (lambda m: with_index(m, lambda i: i.update(more=1)), "unknown key 'more'"),
    "no object": (lambda m: [(m[0][0], b"[]"), *m[1:]], "bundle.json: expected a JSON object"),
    "odd hash": (
        lambda m: with_index(m, lambda i: next(iter(i["files"].values())).update(sha256="abc")),
        r"key 'files\..*sha256' has the value 'abc'",
    ),
    "negative size": (
        lambda m: with_index(m, lambda i: next(iter(i["files"].values())).update(bytes=-1)),
        r"key 'files\..*bytes' has the value -1",
    ),
    "absolute": (lambda m: added(m, "/etc/evil"), "holds '/etc/evil' of 4 bytes, which its index does not"),
    "traversal": (lambda m: added(m, "cells/../../evil"), r"holds 'cells/\.\./\.\./evil' of"),
    "traversal in the index": (
        lambda m: with_index(m, lambda i: i["files"].update({"../evil": {"bytes": 4, "sha256": "0" * 64}})),
        r"names '\.\./evil', which no bundle has",
    ),
    "traversal by the run's name": (
        lambda m: with_index(m, lambda i: i["configuration"].update(run="../../evil")),
        r"key 'run' has the value '\.\./\.\./evil'",
    ),
    "odd configuration": (
        lambda m: with_index(m, lambda i: i["configuration"].update(data="x")),
        "key 'data' has the value 'x'",
    ),
    "symbolic link": (lambda m: added(m, f"{CELL}/link", tarfile.SYMTYPE, "/etc/passwd"), "is a link or no plain file"),
    "hard link": (lambda m: added(m, f"{CELL}/link", tarfile.LNKTYPE, "bundle.json"), "is a link or no plain file"),
    "device": (lambda m: added(m, f"{CELL}/dev", tarfile.CHRTYPE), "is a link or no plain file"),
    "stowaway": (lambda m: added(m, f"{CELL}/more.json"), "holds '.*more.json' of 4 bytes, which its index does not"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_a_bad_bundle_is_refused_and_nothing_is_written(
    name: str, packed: Path, tmp_path: Path, repository: Path
) -> None:
    change, message = ATTACKS[name]
    path = write(tmp_path / "bad.tar.zst", change(read(packed)))
    with pytest.raises(DataError, match=message):
        open_bundle(path, tmp_path / "a/b/results", repository)
    assert [entry.name for entry in tmp_path.iterdir()] == ["bad.tar.zst"]


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_truncated_file_is_refused(share: float, packed: Path, tmp_path: Path, repository: Path) -> None:
    content = packed.read_bytes()
    (tmp_path / "cut.tar.zst").write_bytes(content[: int(share * len(content))])
    with pytest.raises(DataError, match=r"cut.tar.zst: "):
        open_bundle(tmp_path / "cut.tar.zst", tmp_path / "results", repository)
    assert [entry.name for entry in tmp_path.iterdir()] == ["cut.tar.zst"]


def test_what_is_no_bundle_is_refused(tmp_path: Path, repository: Path) -> None:
    (tmp_path / "text").write_text("hello")
    for name, message in (("text", "not a bundle"), ("none", "no such file")):
        with pytest.raises(DataError, match=message):
            open_bundle(tmp_path / name, tmp_path / "results", repository)


def test_what_was_packed_comes_back(run: Run, packed: Path, tmp_path: Path, repository: Path) -> None:
    settings = open_bundle(packed, tmp_path / "results", repository)
    folder = tmp_path / "results/paper"
    assert settings == folder / "run.yaml"
    for cell in run.cells:
        for name in ("predictions.jsonl", "measurements.json", "manifest.json"):
            opened = folder / "cells" / cell.folder / name
            if cell.dataset != "ncbi_disease" or name != "predictions.jsonl":
                assert opened.read_bytes() == (run.results / "cells" / cell.folder / name).read_bytes()
    catalogue = load(repository, read_yaml(settings), "run.yaml")
    assert catalogue.root == folder
    assert catalogue.models["phi-4"].title == "Phi-4" and "tiny-s" not in catalogue.models
    assert run_cells(catalogue) == run.cells
    assert catalogue.run.allow_missing
    assert unscored(folder) == {"medqa", "ncbi_disease"}


def test_opening_again_keeps_what_was_drawn(
    packed: Path, tmp_path: Path, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    open_bundle(packed, tmp_path / "results", repository)
    (tmp_path / "results/paper/figures").mkdir()
    (tmp_path / "results/paper/figures/figure2.png").write_bytes(b"drawn")
    assert figures_unchanged(tmp_path / "results/paper") == {"figure2.png": True}
    assert main(["outputs", str(tmp_path / "results/paper")]) == 0
    assert "1 of the 1 figures are, byte for byte, those of the run" in capsys.readouterr().out
    open_bundle(packed, tmp_path / "results", repository)
    (tmp_path / "results/paper/figures/figure2.png").write_bytes(b"otherwise")
    assert figures_unchanged(tmp_path / "results/paper") == {"figure2.png": False}


def test_a_run_in_the_way_is_never_touched(packed: Path, tmp_path: Path, repository: Path) -> None:
    (tmp_path / "results/paper").mkdir(parents=True)
    with pytest.raises(DataError, match="exists and is no opened bundle"):
        open_bundle(packed, tmp_path / "results", repository)
    assert not list((tmp_path / "results/paper").iterdir())


def test_another_bundle_in_the_way_is_refused(run: Run, packed: Path, tmp_path: Path, repository: Path) -> None:
    open_bundle(packed, tmp_path / "results", repository)
    pack(run.catalogue, run.results, run.cells[:3], tmp_path / "other")
    with pytest.raises(DataError, match="holds another bundle"):
        open_bundle(tmp_path / "other", tmp_path / "results", repository)


@pytest.fixture
def without_texts(repository: Path, tmp_path: Path) -> Path:
    """The configuration of an opened bundle of one HoC cell whose samples came from the miniature files of the tests."""
    data = repository / "tests/data/datasets"
    catalogue = paper_catalogue(
        repository, models=["phi-4"], datasets=["hoc"], studies=["grid"], data={"folder": str(data)}
    )
    results, cell = tmp_path / "results/paper", run_cells(catalogue)[0]
    prepare(catalogue.datasets["hoc"], "hoc", data / "hoc", None, catalogue.run.seed, results / "datasets/hoc")
    samples = read_records(results / "datasets/hoc/samples.jsonl", Sample)
    write_cell(catalogue, results, cell, [sample.gold for sample in samples])
    folder = results / "cells" / cell.folder
    write_records(folder / "predictions.jsonl", [Prediction(one.sample_id, [""], 1, [1], ["stop"]) for one in samples])
    write_json(folder / "manifest.json", {})
    pack(catalogue, results, [cell], tmp_path / "b")
    return open_bundle(tmp_path / "b", tmp_path / "opened", repository)


def test_texts_are_put_back_from_the_same_files(repository: Path, without_texts: Path) -> None:
    folder, data = without_texts.parent, repository / "tests/data/datasets"
    assert unscored(folder) == {"hoc"}
    assert read_records(folder / "datasets/hoc/samples.jsonl", Sample)[0].inputs == {}
    assert main(["open", str(folder.parents[1] / "b"), "--into", str(folder.parent), "--data", str(data)]) == 0
    assert unscored(folder) == set()
    assert read_records(folder / "datasets/hoc/samples.jsonl", Sample)[0].inputs["text"]


def test_texts_of_before_documents_were_mapped_are_put_back(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same sentences, each a group of its own: their documents were not known then."""
    data = tmp_path / "data/ncbi_disease"
    shutil.copytree(repository / "tests/data/datasets/ncbi_disease", data)
    entry = load_datasets(repository, data.parent)["ncbi_disease"]
    catalogue = paper_catalogue(repository, models=["phi-4"], datasets=["ncbi_disease"], studies=["grid"])
    results, cell = tmp_path / "results/paper", run_cells(catalogue)[0]
    catalogue.datasets["ncbi_disease"] = entry.model_copy(update={"redistributable": False})
    prepare(entry, "ncbi_disease", data, None, catalogue.run.seed, results / "datasets/ncbi_disease")
    samples = read_records(results / "datasets/ncbi_disease/samples.jsonl", Sample)
    write_cell(catalogue, results, cell, [sample.gold for sample in samples])
    write_json(results / "cells" / cell.folder / "manifest.json", {})
    pack(catalogue, results, [cell], tmp_path / "b")
    folder = open_bundle(tmp_path / "b", tmp_path / "opened", repository).parent
    (tmp_path / "documents.csv").write_text("first_sentence,pmid\n0,17\n")
    monkeypatch.chdir(tmp_path)
    (file,) = entry.files["test"]
    mapped = file.model_copy(update={"documents": "documents.csv"})
    now = entry.model_copy(update={"files": {**entry.files, "test": [mapped]}})
    assert restore_texts(folder, data.parent, {"ncbi_disease": now}, None, catalogue.run.seed) == ["ncbi_disease"]
    restored = read_records(folder / "datasets/ncbi_disease/samples.jsonl", Sample)
    assert restored == samples
    assert len({sample.group for sample in restored}) == 3


def test_other_files_are_refused(repository: Path, without_texts: Path, tmp_path: Path) -> None:
    shutil.copytree(repository / "tests/data/datasets/hoc", tmp_path / "data/hoc")
    settings = read_yaml(without_texts) | {"data": {"folder": str(tmp_path / "data")}, "limit": 2}
    catalogue = load(repository, settings, "run.yaml")
    with pytest.raises(DataError, match="gives other samples than the run had"):
        restore_texts(
            without_texts.parent, tmp_path / "data", catalogue.datasets, catalogue.run.limit, catalogue.run.seed
        )
    assert unscored(without_texts.parent) == {"hoc"}


def test_the_command_prints_the_configuration(packed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["open", str(packed), "--into", str(tmp_path / "r")]) == 0
    output = capsys.readouterr()
    assert output.out.strip() == str(tmp_path / "r/paper/run.yaml")
    assert "not scored again, since texts or outputs are left out: medqa, ncbi_disease" in output.err
    assert main(["open", str(tmp_path / "none")]) == 2


def test_a_bundle_may_name_settings_that_are_retired(
    packed: Path, tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RunConfig, "retired", {"of_old": "something else"})
    path = write(tmp_path / "old", with_index(read(packed), lambda index: index["configuration"].update(of_old=3)))
    assert load(repository, read_yaml(open_bundle(path, tmp_path / "r", repository)), "run.yaml").run.run == "paper"


def test_a_bundle_of_version_0_1_0_opens_and_scores_as_it_did(repository: Path, tmp_path: Path) -> None:
    settings = open_bundle(repository / "tests/data/bundles/demo_0.1.0.tar.zst", tmp_path, repository)
    run, catalogue = settings.parent, load(repository, read_yaml(settings), str(settings))
    cells = run_cells(catalogue)
    assert len(cells) == 12 and not unscored(run)
    for cell in cells:
        folder = run / "cells" / cell.folder
        Manifest.read(folder / "manifest.json")
        samples = run / "datasets" / cell.dataset / "samples.jsonl"
        score_cell(folder, samples, catalogue.datasets[cell.dataset], Bootstrap(100, 1, 0.95))
    assert all((row.mean_new_tokens or 0) > 1 for row in cells_table(catalogue.vocabulary, run, cells))
    scores = {cell.folder: round(read_json(run / "cells" / cell.folder / "scores.json")["value"], 10) for cell in cells}
    assert scores["tiny-xs/full/ddi2013/instruction-0shot"] == 0.6280501155
    assert scores["tiny-xs/w4a16/ddi2013/instruction-0shot"] == 0.6425662534
    assert scores["tiny-s/w8a16/medqa/instruction-0shot"] == 0.855
