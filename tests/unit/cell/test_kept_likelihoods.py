"""likelihoods.npz of real cells: what stands in it, and that a kill leaves no other bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.small_run import Project, make_project

from quantbench.cell import questions
from quantbench.cell import running as runner
from quantbench.cell.prepared_cell import CellFolders
from quantbench.cell.progress import Progress
from quantbench.cell.questions import OptionTokens
from quantbench.cell.running import run_cell
from quantbench.contracts.cell_name import Cell
from quantbench.contracts.checksums import sha256_of
from quantbench.contracts.likelihoods import TOP, Likelihoods
from quantbench.contracts.manifest import Manifest
from quantbench.contracts.records import Prediction, read_records
from quantbench.contracts.sample_scores import ReferenceScores, SampleScores, TokenScores
from quantbench.engine.batches import Request
from quantbench.models.tokenizing import load_tokenizer
from quantbench.study.full_answers import reads_answers_of
from quantbench.study.spec import cell_spec

FULL = Cell("random", "full", "ddi2013", "instruction", 0)
QUANTIZED, REPLANNED = replace(FULL, precision="w4a16"), replace(FULL, precision="full-replanned")
Run = Callable[..., Path]


@pytest.fixture(scope="module")
def project(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return make_project(repository, tmp_path_factory.mktemp("project"))


@pytest.fixture
def run(project: Project, tmp_path: Path) -> Run:
    """Run a cell of the project again, into a folder of its own."""

    def start(name: str, cell: Cell = FULL, full: Path | None = None, **inference: Any) -> Path:
        spec = cell_spec(project.catalogue, cell)
        spec = replace(spec, inference=spec.inference.model_copy(update=inference))
        data, folder = project.results / "datasets" / cell.dataset, tmp_path / name
        run_cell(spec, CellFolders(data, folder / "out", folder / "progress", tmp_path / "leases", full=full), gpus=0)
        return folder / "out"

    return start


def of(project: Project, cell: Cell) -> Likelihoods:
    return Likelihoods.read(project.results / "cells" / cell.folder / Likelihoods.file)


def test_every_answer_has_its_tokens(project: Project) -> None:
    for cell in (FULL, QUANTIZED, REPLANNED):
        folder, kept = project.results / "cells" / cell.folder, of(project, cell)
        answers = read_records(folder / "predictions.jsonl", Prediction)
        assert list(kept.sample_ids) == [one.sample_id for one in answers]
        assert np.diff(kept.written.starts).tolist() == [sum(one.new_tokens) for one in answers]
        greedy = kept.written.top_tokens[:, 0] == kept.written.tokens
        assert greedy.all()
        np.testing.assert_array_equal(kept.written.log_probabilities, kept.written.top_log_probabilities[:, 0])
        whole = np.exp(kept.written.top_log_probabilities.astype(float)).sum(-1)
        np.testing.assert_allclose(whole + np.exp(kept.written.other_log_probabilities.astype(float)), 1, atol=2e-3)
        manifest = Manifest.read(folder / "manifest.json")
        assert manifest.outputs[Likelihoods.file] == sha256_of(folder / Likelihoods.file)


def test_a_class_task_has_its_options_and_label_lists_have_none(project: Project) -> None:
    options, labels = of(project, FULL).options, project.catalogue.datasets["ddi2013"].labels
    assert options is not None
    assert options.names == tuple(labels)
    assert options.options.reshape(-1, len(labels)).tolist() == [list(range(len(labels)))] * 6
    assert (options.log_probabilities < 0).all()
    assert len(set(options.log_probabilities.tolist())) > len(labels)
    assert of(project, replace(FULL, dataset="hoc")).options is None


def test_other_precisions_read_what_full_precision_wrote(project: Project) -> None:
    full = of(project, FULL)
    assert full.reference is None
    quantized, again = of(project, QUANTIZED).reference, of(project, REPLANNED).reference
    assert quantized is not None
    assert again is not None
    path = project.results / "cells" / FULL.folder / "predictions.jsonl"
    assert quantized.predictions_sha256 == again.predictions_sha256 == sha256_of(path)
    np.testing.assert_array_equal(quantized.starts, full.written.starts)
    assert quantized.divergences.max() > 1e-4
    # Float32 answers alike under any plan.
    assert again.divergences.max() < 1e-6
    assert again.agrees.all()
    np.testing.assert_allclose(again.log_probabilities, full.written.log_probabilities, atol=1e-3, rtol=1e-3)


def test_of_a_large_cell_the_same_few_answers_are_read_at_every_precision(
    project: Project, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "MOST_READ", 2)
    full = project.results / "cells" / FULL.folder
    read = []
    for cell in (QUANTIZED, REPLANNED):
        kept = Likelihoods.read(run(cell.precision, cell, full) / Likelihoods.file)
        assert kept.reference is not None and len(kept.written.tokens)
        read.append(
            [name for name, count in zip(kept.sample_ids, np.diff(kept.reference.starts), strict=True) if count]
        )
    assert len(read[0]) == 2
    assert read[0] == read[1]


def test_the_choice_depends_on_ids_and_seed_alone() -> None:
    ids = [f"s{number}" for number in range(2000)]
    chosen = questions.chosen_to_read(ids, 2509)
    assert len(chosen) == questions.MOST_READ
    assert chosen == questions.chosen_to_read(ids[::-1], 2509) != questions.chosen_to_read(ids, 1)
    assert questions.chosen_to_read(ids[:512], 1) == set(ids[:512])


def test_a_restart_after_a_crash_leaves_the_same_bytes(
    project: Project, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kill falls between a batch's likelihoods and its predictions, and tears the last line."""
    full = project.results / "cells" / FULL.folder
    whole = run("whole", QUANTIZED, full)
    append, batches = runner.Progress.append, []

    def crash_at_the_second(self: Progress, answers: list[Prediction]) -> None:
        batches.append(len(answers))
        if len(batches) == 2:
            raise KeyboardInterrupt
        append(self, answers)

    monkeypatch.setattr(runner.Progress, "append", crash_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        run("broken", QUANTIZED, full)
    (kept,) = (whole.parents[1] / "broken/progress").glob("*.likelihoods.jsonl")
    content = kept.read_bytes()
    assert content.count(b"\n") == 4
    kept.write_bytes(content[:-30])
    broken = run("broken", QUANTIZED, full)
    assert sum(batches) == 2 + 2 + 4  # the batch that lost its predictions ran again, and no other
    for name in ("predictions.jsonl", Likelihoods.file):
        assert (broken / name).read_bytes() == (whole / name).read_bytes()
    assert not list((broken.parent / "progress").glob("*.jsonl"))


def test_the_switch_changes_no_answer_and_leaves_no_file(project: Project, run: Run) -> None:
    full = project.results / "cells" / FULL.folder
    kept = run("cell", QUANTIZED, full)
    before = (kept / "predictions.jsonl").read_bytes()
    assert (kept / Likelihoods.file).exists()
    (kept / "manifest.json").unlink()
    assert (run("cell", QUANTIZED, full, likelihoods=False) / "predictions.jsonl").read_bytes() == before
    assert not (kept / Likelihoods.file).exists()
    assert Likelihoods.file not in Manifest.read(kept / "manifest.json").outputs


def test_samples_answered_before_likelihoods_were_kept_have_no_tokens(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, batches = runner.Progress.append, []

    def crash_after_the_first(self: Progress, answers: list[Prediction]) -> None:
        append(self, answers)
        batches.append([one.sample_id for one in answers])
        if len(batches) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(runner.Progress, "append", crash_after_the_first)
    with pytest.raises(KeyboardInterrupt):
        run("cell", likelihoods=False)
    kept = Likelihoods.read(run("cell") / Likelihoods.file)
    lengths = dict(zip(kept.sample_ids, np.diff(kept.written.starts), strict=True))
    assert [name for name in kept.sample_ids if not lengths[name]] == sorted(batches[0], key=kept.sample_ids.index)
    assert kept.options is not None
    assert [bool(count) for count in np.diff(kept.options.starts)] == [bool(lengths[name]) for name in kept.sample_ids]


def test_what_cannot_be_compared_says_why(project: Project, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    alone = run("alone", QUANTIZED)
    assert "no divergence from random full on ddi2013" in capsys.readouterr().err
    assert Likelihoods.read(alone / Likelihoods.file).reference is None
    other = run("other", QUANTIZED, project.results / "cells" / replace(FULL, dataset="hoc").folder)
    assert "it answered other prompts" in capsys.readouterr().err
    assert Likelihoods.read(other / Likelihoods.file).reference is None
    assert Manifest.read(other / "manifest.json").full_predictions_sha256 is not None
    assert (alone / "predictions.jsonl").read_bytes() == (other / "predictions.jsonl").read_bytes()


def test_a_finished_cell_keeps_the_inputs_it_had(project: Project, run: Run, tmp_path: Path) -> None:
    spec = cell_spec(project.catalogue, QUANTIZED)
    off = replace(spec, inference=spec.inference.model_copy(update={"likelihoods": False}))
    assert reads_answers_of(spec, tmp_path) == FULL
    assert reads_answers_of(off, tmp_path) is None
    assert reads_answers_of(cell_spec(project.catalogue, FULL), tmp_path) is None
    beside, alone = project.results / "cells" / QUANTIZED.folder, run("alone", QUANTIZED)
    for now in (spec, off):
        assert reads_answers_of(now, beside) == FULL
        assert reads_answers_of(now, alone) is None
    assert reads_answers_of(replace(spec, seed=1), alone) == FULL  # it runs again


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({"engine": "continuous"}, False),
        ({"likelihoods": False}, False),
        ({"engine": "single"}, True),
    ],
)
def test_what_keeps_likelihoods(project: Project, change: dict[str, Any], kept: bool) -> None:
    spec = cell_spec(project.catalogue, FULL)
    assert spec.keeps_likelihoods
    assert replace(spec, inference=spec.inference.model_copy(update=change)).keeps_likelihoods == kept


def test_options_are_cut_as_behind_the_prompt(random_model) -> None:
    tokenizer = load_tokenizer(Path(str(random_model.folder)))
    cut = OptionTokens(tokenizer)

    def tokens(text: str) -> list[int]:
        return list(tokenizer(text, add_special_tokens=False)["input_ids"])

    for text, blank in (("Text: aspirin\nAnswer:", " "), ("aspirin\n", ""), ("Answer: ", ""), ("Answer</s>", "")):
        found = cut.of(Request("0", text, tokens(text)), ["C", "maybe"])
        assert [tokenizer.decode(option) for option in found] == [f"{blank}C", f"{blank}maybe"]
        if not text.endswith((" ", "</s>")):  # else a tokenizer that does not stop there would cut them otherwise
            assert [tokens(text) + option for option in found] == [
                tokens(f"{text}{blank}{one}") for one in ("C", "maybe")
            ]


def test_scores_come_back_from_their_line() -> None:
    written = TokenScores(
        np.array([5], np.int32),
        np.array([-0.1], np.float32),
        np.arange(TOP, dtype=np.int32)[None],
        np.full((1, TOP), -np.inf, np.float32),
        np.array([-3.5], np.float32),
    )
    whole = SampleScores(
        "ß",
        written,
        np.array([-1, -2], np.float32),
        ReferenceScores(np.zeros(0, np.float32), np.zeros(0, np.float32), np.zeros(0, np.bool_)),
    )
    for one in (whole, replace(whole, options=None, reference=None)):
        line = one.json_line().encode()
        again = SampleScores.read(line)
        assert again is not None
        assert again.json_line() == one.json_line()
        assert SampleScores.read(line[:-1]) is None
        assert SampleScores.read(line[: len(line) // 2] + b"\n") is None
