"""What is in a bundle, what is left out, and that the same run gives the same bytes."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest
import zstandard
from tests.bundled_run import make_run
from tests.simulated_likelihoods import add_likelihoods
from tests.simulated_run import Run

from quantbench.bundle import open_bundle, pack
from quantbench.contracts.records import Sample, ScoredAnswer, read_records
from quantbench.errors import DataError
from quantbench.statistics import Bootstrap
from quantbench.tables import LIKELIHOOD_TABLES, write_likelihood_tables


def members(path: Path) -> dict[str, bytes]:
    raw = zstandard.ZstdDecompressor().stream_reader(path.read_bytes()).read()
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
        return {entry.name: archive.extractfile(entry).read() for entry in archive}  # type: ignore[union-attr]


def names(found: dict[str, bytes], dataset: str) -> set[str]:
    parts = [name.split("/") for name in found]
    return {part[-1] for part in parts if part[0] == "cells" and part[3] == dataset}


@pytest.fixture(scope="module")
def found(run: Run, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    path = tmp_path_factory.mktemp("packed") / "paper.tar.zst"
    pack(run.catalogue, run.results, run.cells, path)
    return members(path)


def test_every_cell_has_what_it_needs(found: dict[str, bytes]) -> None:
    always = {"measurements.json", "manifest.json"}
    assert names(found, "pubmedqa") == always | {"predictions.jsonl"}  # scores follow from these
    assert names(found, "medqa") == always | {"predictions.jsonl", "scores.json", "scored.jsonl"}
    assert names(found, "ncbi_disease") == always | {"scores.json", "scored.jsonl"}  # outputs repeat the text
    assert len([name for name in found if name.endswith("manifest.json")]) == 9


def test_texts_stay_where_their_licence_keeps_them(run: Run, found: dict[str, bytes]) -> None:
    everything = b"".join(content for name, content in found.items() if not name.startswith("config/"))
    for dataset, kept in (("pubmedqa", True), ("medqa", False), ("ncbi_disease", False)):
        for sample in read_records(run.samples[dataset], Sample)[:5]:
            text = str(sample.inputs.get("question") or sample.inputs.get("text"))
            assert (text.encode() in everything) is kept
    answers = [json.loads(line) for name, content in found.items() if "ncbi" in name and "scored" in name
               for line in content.splitlines()]  # fmt: skip
    words = {entity["text"] for answer in answers for entity in answer["gold"] + answer["parsed"]}
    assert words == {""}


def test_scored_answers_are_kept_as_they_were(run: Run, found: dict[str, bytes]) -> None:
    cell = next(cell for cell in run.cells if cell.dataset == "medqa")
    packed = [json.loads(line) for line in found[f"cells/{cell.folder}/scored.jsonl"].splitlines()]
    own = read_records(run.results / "cells" / cell.folder / "scored.jsonl", ScoredAnswer)
    assert [(one["parsed"], one["correct"]) for one in packed] == [(one.parsed, one.correct) for one in own]


def test_private_data_leave_neither_texts_nor_outputs(repository: Path, tmp_path: Path) -> None:
    run = make_run(repository, tmp_path, data={"texts_in_bundles": "none"})
    pack(run.catalogue, run.results, run.cells, tmp_path / "b")
    found = members(tmp_path / "b")
    assert not [name for name in found if name.endswith(("predictions.jsonl", "shots.jsonl"))]
    assert all(json.loads(line)["inputs"] == {} for line in found["datasets/pubmedqa/samples.jsonl"].splitlines())


def test_the_configuration_is_what_the_run_names(found: dict[str, bytes]) -> None:
    models = {Path(name).stem for name in found if name.startswith("config/models/")}
    assert "phi-4" in models and "qwen2.5-72b" in models and "tiny-s" not in models  # studies.yaml names the second
    assert {"config/studies.yaml", "config/datasets/medqa/cot.txt", "resources/paper/table1.csv"} <= found.keys()


def test_same_run_same_bytes(run: Run, tmp_path: Path) -> None:
    for name in ("one", "two"):
        pack(run.catalogue, run.results, run.cells, tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_missing_file_is_named_and_nothing_is_written(repository: Path, tmp_path: Path) -> None:
    run = make_run(repository, tmp_path)
    (run.results / "cells" / run.cells[0].folder / "measurements.json").unlink()
    with pytest.raises(DataError, match=r"measurements.json: no such file; a bundle needs it"):
        pack(run.catalogue, run.results, run.cells, tmp_path / "out/b.tar.zst")
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())
    with pytest.raises(DataError, match="no finished cell to pack"):
        pack(run.catalogue, run.results, [], tmp_path / "b")


def test_tables_of_log_probabilities_come_along_and_these_stay(repository: Path, tmp_path: Path) -> None:
    run = make_run(repository, tmp_path)
    add_likelihoods(run, run.cells)
    vocabulary, bootstrap = run.catalogue.vocabulary, Bootstrap(20)
    write_likelihood_tables(vocabulary, run.results, run.cells, bootstrap)
    pack(run.catalogue, run.results, run.cells, tmp_path / "paper.tar.zst")
    assert not [name for name in members(tmp_path / "paper.tar.zst") if name.endswith(".npz")]
    opened = open_bundle(tmp_path / "paper.tar.zst", tmp_path / "opened", repository).parent
    # As the workflow makes every table anew.
    write_likelihood_tables(vocabulary, opened, run.cells, bootstrap)
    for path in LIKELIHOOD_TABLES:
        content = (opened / path).read_bytes()
        assert content == (run.results / path).read_bytes() and content.count(b"\n") > 1


def test_what_could_not_be_opened_is_not_packed(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(repository, tmp_path)
    target = tmp_path / "paper.tar.zst"
    target.write_bytes(b"an earlier one")
    (run.results / "figures/figure 2 (copy).png").write_bytes(b"drawn")
    with pytest.raises(
        DataError, match=r"'figure 2 \(copy\).png', which no run draws; rename it or move it away, and pack again"
    ):
        pack(run.catalogue, run.results, run.cells, target)
    (run.results / "figures/figure 2 (copy).png").unlink()
    monkeypatch.setattr("quantbench.bundle.archive.LARGEST_WINDOW", 1 << 10)
    with pytest.raises(DataError, match=r"paper.tar.zst: .*too much memory"):
        pack(run.catalogue, run.results, run.cells, target)
    assert target.read_bytes() == b"an earlier one"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["paper.tar.zst", "results"]
