from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.simulated_run import Run, effects_of, paper_catalogue, simulate

from quantbench import tasks
from quantbench.contracts.cell_name import Cell
from quantbench.contracts.effect_parts import LabelEffectRow
from quantbench.contracts.files import read_json, write_json
from quantbench.contracts.records import ScoredAnswer, read_records, write_records
from quantbench.statistics import Bootstrap
from quantbench.tables.judged_cells import JudgedCells
from quantbench.tables.label_effects import MEANS, label_effects_table

HOC = Cell("phi-4", "w4a16", "hoc", "instruction", 0)
QUESTIONS = replace(HOC, dataset="pubmedqa")
BOOTSTRAP = Bootstrap(2000, 7)


def table(run: Run) -> list[LabelEffectRow]:
    effects = effects_of(run, run.cells)
    return label_effects_table(JudgedCells(run.catalogue.vocabulary, run.results), effects, BOOTSTRAP)


def answered(run: Run, cell: Cell, answers: list[str], golds: list[str]) -> None:
    """Give a cell these answers to yes/no/maybe questions, and the score that follows."""
    folder = run.results / "cells" / cell.folder
    pairs = list(enumerate(zip(answers, golds, strict=True)))
    write_records(
        folder / "scored.jsonl", [ScoredAnswer(str(k), told, True, gold, told == gold) for k, (told, gold) in pairs]
    )
    right = sum(told == gold for _, (told, gold) in pairs) / len(pairs)
    write_json(folder / "scores.json", read_json(folder / "scores.json") | {"value": right})


def of_label(rows: list[LabelEffectRow], cell: Cell, label: str) -> LabelEffectRow:
    key = (cell.model, cell.precision, cell.dataset, label)
    return next(row for row in rows if (row.model, row.precision, row.dataset, row.label) == key)


def test_one_row_a_cell_and_label_and_one_a_mean_over_models(run: Run) -> None:
    rows = table(run)
    labels = len(run.catalogue.datasets["hoc"].labels) + 3  # and yes, no, maybe; entities have one type
    assert len(rows) == (2 * 2 + 2) * labels
    means = [row for row in rows if row.model is None]
    assert rows[-len(means) :] == means
    assert {row.models for row in means} == {2}
    assert {(row.family, row.family_size) for row in means} == {(MEANS, 2 * labels)}
    for mean in means:
        own = [row for row in rows if row.model and (row.precision, row.label) == (mean.precision, mean.label)]
        assert mean.difference == pytest.approx(sum(row.difference for row in own) / 2)
    assert {row.family_size for row in rows if row.dataset == "pubmedqa" and row.model} == {3}


def test_entries_tell_of_every_dataset_whether_it_has_labels(repository: Path) -> None:
    """Figures are chosen by the entry alone, so that the code of readers is none of theirs."""
    datasets = paper_catalogue(repository).datasets
    found = {name for name, entry in datasets.items() if entry.has_classes}
    assert found == {name for name, entry in datasets.items() if tasks.get(entry).classes}
    assert {"hoc", "ddi2013", "pubmedqa"} <= found < set(datasets)


def test_values_are_those_of_the_labels_own_counts(run: Run) -> None:
    answers = {
        name: read_records(run.results / "cells" / replace(HOC, precision=name).folder / "scored.jsonl", ScoredAnswer)
        for name in ("full", "w4a16")
    }
    task = tasks.get(run.catalogue.datasets["hoc"])
    f1 = {}
    for name, own in answers.items():
        counts = task.label_counts([answer.parsed for answer in own], [answer.gold for answer in own])
        f1[name] = {label: 2 * tp / max(1, 2 * tp + fp + fn) for label, (tp, fp, fn) in counts.items()}
    rows = [row for row in table(run) if (row.model, row.precision, row.dataset) == ("phi-4", "w4a16", "hoc")]
    for row in rows:
        assert (row.full_f1, row.f1) == pytest.approx((f1["full"][row.label], f1["w4a16"][row.label]))
        assert row.support == sum(row.label in answer.gold for answer in answers["full"])
        assert row.difference_low is None or row.difference_low <= row.difference <= row.difference_high
        assert row.permutation_p <= row.holm_p <= 1


def test_the_rare_class_that_is_lost_is_found_and_the_others_are_not(run: Run) -> None:
    """30 questions, of which 8 in 8 documents are maybe; quantized, these become no, always no."""
    golds = ["maybe" if k % 4 == 0 else "yes" if k % 2 else "no" for k in range(30)]
    lossy = ["no" if gold == "maybe" else gold for gold in golds]
    full = replace(QUESTIONS, precision="full")
    answered(run, full, golds, golds)
    answered(run, QUESTIONS, lossy, golds)
    answered(run, replace(QUESTIONS, precision="w8a16"), golds, golds)
    rows = table(replace(run, cells=[cell for cell in run.cells if cell.model == "phi-4"]))
    maybe, yes = (of_label(rows, QUESTIONS, label) for label in ("maybe", "yes"))
    assert (maybe.full_f1, maybe.f1, maybe.support, maybe.documents) == (1, 0, 8, 8)
    assert maybe.difference_high < 0
    # Every swap of fewer documents differs less: 2 of 2**8 ways.
    assert maybe.permutation_p == pytest.approx(2 / 2**8, abs=0.006)
    assert maybe.holm_p == pytest.approx(3 * maybe.permutation_p)
    assert maybe.note == "fewer than 10 samples have it: a hint at most"
    assert (yes.difference, yes.permutation_p, yes.note) == (0, 1, None)
    assert yes.difference_low < 0 < yes.difference_high
    same = of_label(rows, replace(QUESTIONS, precision="w8a16"), "maybe")
    # Without a change a label of few samples is less sure than one of many.
    often = of_label(rows, replace(QUESTIONS, precision="w8a16"), "yes")
    assert same.difference == often.difference == 0
    assert same.difference_low < often.difference_low < 0


def test_a_label_of_one_document_has_no_interval(run: Run) -> None:
    golds = ["maybe"] * 4 + ["yes"] * 26
    for precision in ("full", "w8a16", "w4a16"):
        answered(run, replace(QUESTIONS, precision=precision), golds, golds)
    alone = replace(run, cells=[cell for cell in run.cells if cell.model == "phi-4"])
    row = of_label(table(alone), QUESTIONS, "maybe")
    assert (row.support, row.documents, row.difference_low, row.difference_high) == (4, 1, None, None)
    assert row.note == "fewer than two documents have it: nothing can be said"


def test_one_model_has_no_means_and_random_weights_have_no_rows(run: Run) -> None:
    alone = replace(run, cells=[cell for cell in run.cells if cell.model == "phi-4"])
    assert all(row.model == "phi-4" for row in table(alone))
    effects = [row.model_copy(update={"weights": "random"}) for row in effects_of(alone, alone.cells)]
    assert label_effects_table(JudgedCells(run.catalogue.vocabulary, run.results), effects, BOOTSTRAP) == []


def test_with_no_loss_intervals_of_rare_labels_exclude_0_no_more_often_than_they_say(run: Run) -> None:
    """Ten simulated studies in which both precisions are drawn alike: of 10 labels, 2 precisions and 2 models each."""
    outside = false_alarms = count = 0
    for seed in range(10):
        golds_of = simulate(run.catalogue, run.results, n=40 + seed, cells=[c for c in run.cells if c.dataset == "hoc"])
        assert golds_of
        rows = [row for row in table(replace(run, cells=[c for c in run.cells if c.dataset == "hoc"])) if row.model]
        judged = [row for row in rows if row.difference_low is not None]
        outside += sum(not row.difference_low <= 0 <= row.difference_high for row in judged)
        false_alarms += sum(row.holm_p < 0.05 for row in rows)
        count += len(judged)
    assert count > 300
    assert outside / count < 0.06
    assert false_alarms / count < 0.01
