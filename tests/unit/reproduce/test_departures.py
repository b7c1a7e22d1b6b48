"""What in a run differs from the paper's: settings, samples, texts, models and hardware."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.reproduced_run import make_run
from tests.simulated_run import paper_catalogue

from quantbench.config.settings import merged, read_yaml
from quantbench.contracts.prepared_dataset import SourceFile
from quantbench.contracts.run_tables import CellRow
from quantbench.reproduce.departures import Departure, departures, other_texts
from quantbench.reproduce.reproduction import PaperFacts, paper_facts


@pytest.fixture(scope="module")
def paper() -> PaperFacts:
    return paper_facts()


@pytest.fixture(scope="module")
def rows(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> list[CellRow]:
    catalogue = make_run(repository, tmp_path_factory.mktemp("results"), datasets=["medqa", "hoc"])
    return CellRow.read(Path(catalogue.run_folder) / CellRow.path)


def found(
    repository: Path, paper: PaperFacts, rows: list[CellRow], others: tuple[str, ...] = (), **settings: Any
) -> dict[str, Departure]:
    run = paper_catalogue(repository, **settings).run
    listed = departures(repository, run, rows, paper.table1, paper.test_items, others)
    assert len({one.point for one in listed}) == len(listed)
    return {one.point: one for one in listed}


def test_a_run_as_the_authors_ran_it_departs_in_no_setting(repository: Path, paper: PaperFacts) -> None:
    settings = merged(read_yaml(repository / "config/config.yaml"), read_yaml(repository / "config/published.yaml"))
    assert found(repository, paper, [], **settings) == {}


def test_the_sound_protocol_departs_in_every_switch_that_the_authors_file_states(
    repository: Path, paper: PaperFacts
) -> None:
    listed = found(repository, paper, [])
    assert listed["protocol.decoding"] == Departure("protocol.decoding", "of_model", "greedy", "probable")
    assert listed["inference.engine"].run == "static"
    assert {one.sureness for one in listed.values()} == {"probable"}
    assert "protocol.repeats" not in listed and "run" not in listed


def test_samples_and_hardware_are_named(repository: Path, paper: PaperFacts, rows: list[CellRow]) -> None:
    listed = found(repository, paper, rows)
    assert sorted(listed["samples"].run.split("; ")) == ["40 of 1,273 of MedQA (5 options)", "40 of 315 of HoC"]
    assert listed["hardware"].paper == "4 x NVIDIA A100 40GB"
    assert listed["hardware"].run == "2 x NVIDIA A100-SXM4-80GB"
    whole = [
        row.model_copy(update={"n": paper.test_items[row.dataset], "device": "4 x NVIDIA A100 40GB"}) for row in rows
    ]
    assert not {"samples", "hardware"} & found(repository, paper, whole).keys()


def test_what_makes_scores_mean_nothing_is_named(repository: Path, paper: PaperFacts, rows: list[CellRow]) -> None:
    odd = [
        row.model_copy(
            update={
                "demonstration": True,
                "weights": "random",
                "memory_kind": "model bytes",
                "contended_by": "x (pid 1)",
            }
        )
        for row in rows
    ]
    listed = found(repository, paper, odd)
    assert "tiny demonstration models" in listed["models"].run
    assert "scores mean nothing" in listed["weights"].run
    assert "CPU" in listed["memory"].run
    assert listed["other processes"].run == f"beside {len(rows)} of {len(rows)} cells"


def test_other_texts_are_known_by_hash_or_by_size(paper: PaperFacts) -> None:
    entries = paper.catalogue.datasets
    pinned = entries["chemprot"].files["test"]
    by_blob, by_hash = pinned[0], pinned[1]
    assert by_blob.sha256 is None and by_hash.sha256 is not None
    same = {
        "chemprot": SourceFile(name="test.tsv", sha256="f" * 64, rows=by_blob.rows or 0),
        "ddi2013": SourceFile(name="test.tsv", sha256="e" * 64, rows=200),
    }
    assert other_texts(same, entries) == ["ddi2013"]
    again = {"chemprot": SourceFile(name="test.reconstructed.tsv", sha256=by_hash.sha256, rows=by_hash.rows or 0)}
    assert other_texts(again, entries) == []
    assert other_texts({"own": again["chemprot"]}, entries) == ["own"]


def test_other_texts_are_named_instead_of_their_number(
    repository: Path, paper: PaperFacts, rows: list[CellRow]
) -> None:
    listed = found(repository, paper, rows, others=("hoc",))
    assert listed["texts"].run == "other files (HoC)"
    assert "HoC" not in listed["samples"].run
