"""Which samples a page takes, and in which order."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.bundled_run import make_run
from tests.simulated_run import Run

from quantbench.bundle import open_bundle, pack
from quantbench.config import Catalogue, load
from quantbench.config.settings import read_yaml
from quantbench.contracts.cell_name import Cell
from quantbench.contracts.records import Prediction, Sample, ScoredAnswer, read_records
from quantbench.errors import DataError
from quantbench.report import PromptSource
from quantbench.report import explorer as module
from quantbench.report.explorer import Block, Explorer, explorer, flips_first


@pytest.fixture(scope="module")
def run(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return make_run(repository, tmp_path_factory.mktemp("run"))


def explored(catalogue: Catalogue, results: Path, cells: list[Cell]) -> Explorer:
    return explorer(
        catalogue.vocabulary, PromptSource(catalogue.root, results, catalogue.datasets, catalogue.run.protocol), cells
    )


def inflated(blocks: list[Block]) -> dict[str, Any]:
    return {block.name: json.loads(gzip.decompress(base64.b64decode(block.encoded))) for block in blocks}


def line(answer: str, gold: str, ok: bool = True) -> bytes:
    return json.dumps({"parsed": answer, "parsed_ok": ok, "gold": gold, "correct": ok and answer == gold}).encode()


def test_what_quantization_changed_comes_first() -> None:
    full = [line("a", "a"), line("b", "a", ok=False), line("b", "a"), line("b", "a"), line("a", "a")]
    other = [line("a", "a"), line("b", "a", ok=False), line("c", "a"), line("a", "a"), line("b", "a")]
    # lost, gained, changed, unreadable, the rest
    assert flips_first([full, other], 0) == [4, 3, 2, 1, 0]
    assert flips_first([other, full], 1) == [4, 3, 2, 1, 0]
    assert flips_first([full, other], None) == [1, 0, 2, 3, 4]  # without full precision nothing has changed


def test_a_note_is_no_change_of_the_answer() -> None:
    full = [line("b", "a"), line("a", "a")]
    noted = json.dumps({**json.loads(full[0]), "note": "not read: 700 characters"}).encode()
    assert flips_first([full, [noted, line("b", "a")]], 0) == [1, 0]
    assert flips_first([[line("b", "a"), *full], [line("c", "a"), noted, full[1]]], 0) == [0, 1, 2]


def test_a_small_run_is_shown_whole(run: Run) -> None:
    made = explored(run.catalogue, run.results, run.cells)
    assert {name: (entry.shown, entry.total) for name, entry in made.index.datasets.items()} == {
        "pubmedqa": (12, 12),
        "medqa": (12, 12),
        "ncbi_disease": (12, 12),
    }
    found = inflated(made.blocks)
    cell = next(cell for cell in run.cells if (cell.dataset, cell.precision) == ("medqa", "w4a16"))
    shown = found["answers/medqa/instruction-0/phi-4"]["w4a16"]
    folder = run.results / "cells" / cell.folder
    assert shown["outputs"] == [one.outputs for one in read_records(folder / "predictions.jsonl", Prediction)]
    assert shown["parsed"] == [one.parsed for one in read_records(folder / "scored.jsonl", ScoredAnswer)]


def test_the_prompt_is_the_one_the_model_read(run: Run) -> None:
    prompts = inflated(explored(run.catalogue, run.results, run.cells).blocks)["samples/medqa"]["prompts"]
    parts = prompts["instruction-0"]
    question = read_records(run.samples["medqa"], Sample)[3].inputs["question"]
    whole = parts["before"] + parts["own"][3] + parts["after"]
    assert question in whole and question.split()[1] in parts["own"][3]
    assert len(parts["before"]) > 50 and parts["after"].endswith(":")


def test_a_large_run_is_sampled_by_flips(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_SAMPLES", 3)
    made = explored(run.catalogue, run.results, run.cells)
    assert {entry.shown for entry in made.index.datasets.values()} == {3}
    ids = {name: set(found["ids"]) for name, found in inflated(made.blocks).items() if name.startswith("samples/")}
    own = [cell for cell in run.cells if cell.dataset == "medqa"]
    lines = [(run.results / "cells" / cell.folder / "scored.jsonl").read_bytes().splitlines() for cell in own]
    assert ids["samples/medqa"] == {str(place) for place in flips_first(lines, 0)[:3]}


def test_fewer_are_taken_until_the_page_is_small_enough(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = sum(len(block.encoded) for block in explored(run.catalogue, run.results, run.cells).blocks)
    monkeypatch.setattr(module, "MOST_BYTES", whole // 2)
    made = explored(run.catalogue, run.results, run.cells)
    assert sum(len(block.encoded) for block in made.blocks) <= whole // 2
    assert all(entry.shown < entry.total for entry in made.index.datasets.values())


def test_what_a_bundle_left_out_is_said(run: Run, tmp_path: Path, repository: Path) -> None:
    pack(run.catalogue, run.results, run.cells, tmp_path / "b")
    settings = open_bundle(tmp_path / "b", tmp_path / "results", repository)
    cells = [cell for cell in run.cells if cell.dataset != "pubmedqa"]
    found = inflated(explored(load(repository, read_yaml(settings), "run"), settings.parent, cells).blocks)
    assert found["samples/medqa"]["prompts"]["instruction-0"] is None
    assert found["answers/medqa/instruction-0/phi-4"]["full"]["outputs"]
    assert found["answers/ncbi_disease/instruction-0/phi-4"]["full"]["outputs"] is None


def test_the_same_run_gives_the_same_blocks(run: Run) -> None:
    assert explored(run.catalogue, run.results, run.cells) == explored(run.catalogue, run.results, run.cells)


@pytest.mark.parametrize("name", ["scored.jsonl", "predictions.jsonl"])
@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda text: text[: text.rindex(b"\n", 0, -1) + 1], "lines for"),
        (lambda text: b"{" + text[1:].replace(b"sample_id", b"sample", 1), "fields missing or unknown"),
        (lambda text: b"\xff" + text[1:], "line 1: not UTF-8"),
        (lambda text: b"", "lines for"),
    ],
)
def test_a_damaged_file_is_named(
    repository: Path, tmp_path: Path, name: str, damage: Callable[[bytes], bytes], said: str
) -> None:
    made = make_run(repository, tmp_path)
    path = made.results / "cells" / made.cells[0].folder / name
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match=said) as error:
        explored(made.catalogue, made.results, made.cells)
    assert str(path) in str(error.value)
