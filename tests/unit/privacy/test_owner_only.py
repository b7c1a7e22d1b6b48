"""What jobs write of private data can be read by its owner alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.bundled_run import make_run

from quantbench import jobs
from quantbench.cell.progress import Progress
from quantbench.config import load_datasets
from quantbench.contracts.files import write_text
from quantbench.contracts.records import Prediction
from quantbench.privacy import close_to_others


@pytest.fixture(autouse=True)
def _usual_mask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize(("private", "wanted"), [(1, (0o700, 0o600)), (0, (0o755, 0o644))])
def test_prepared_samples(repository: Path, tmp_path: Path, private: int, wanted: tuple[int, int]) -> None:
    data, out, log = repository / "tests/data/datasets", tmp_path / "datasets/hoc", tmp_path / "prepare.log"
    entry = load_datasets(repository, data)["hoc"].model_dump_json(exclude={"private"})
    out.mkdir(parents=True)
    out.chmod(0o755)
    log.write_text("")
    log.chmod(0o644)
    jobs.prepare_dataset(
        "hoc", entry, None, 1, [data / "hoc/test.tsv"], out / "samples.jsonl", private=private, log=log
    )
    assert mode(out) == wanted[0]
    assert {mode(path) for path in [*out.iterdir(), log]} == {wanted[1]}


def test_scored_answers(repository: Path, tmp_path: Path) -> None:
    run = make_run(repository, tmp_path, data={"texts_in_bundles": "none"})
    config = run.catalogue.run.model_dump(mode="json") | {"results_folder": str(run.results.parent)}
    cells = [cell.folder for cell in run.cells if cell.dataset == "medqa"]
    jobs.score(config, "medqa", run.samples["medqa"], cells)
    for cell in cells:
        folder = run.results / "cells" / cell
        assert mode(folder) == 0o700 and {mode(path) for path in folder.iterdir()} == {0o600}


def test_progress(tmp_path: Path) -> None:
    close_to_others([tmp_path / "cell"])
    progress = Progress(tmp_path / "cell", "0123456789abcdef")
    with progress.alone():
        progress.append([Prediction("1", ["what the patient said"], 1, [1], ["stop"])])
    answers = list((tmp_path / "cell").glob("*.predictions.jsonl"))
    assert answers and {mode(path) for path in answers} == {0o600}


def test_folders_that_others_may_enter_hold_files_as_ever(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    write_text(tmp_path / "open", "x")
    write_text(tmp_path / "closed", "x", private=True)
    assert (mode(tmp_path / "open"), mode(tmp_path / "closed")) == (0o644, 0o600)
