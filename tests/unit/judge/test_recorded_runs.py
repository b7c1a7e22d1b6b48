"""``quantbench judge`` on what lm-evaluation-harness and inspect_ai really wrote, against their own scores and exact tests."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest
from statsmodels.stats.contingency_tables import mcnemar
from tests.outside_runs import FULL, QUANTIZED, RECORDED, recorded

from quantbench.judge import JudgedRow, Wanted, flips, judge, pair_runs, read_run
from quantbench.statistics import Bootstrap

LOG, ARCHIVE = RECORDED / "inspect/float32.json", RECORDED / "inspect/bfloat16.eval"
BOOTSTRAP = Bootstrap(resamples=400)


def judged(reference: Path, other: Path, *tasks: str, **wanted: str) -> list[JudgedRow]:
    asked = Wanted(**wanted)
    pairs = pair_runs(read_run(reference, asked, tasks), read_run(other, asked, tasks), (reference, other))
    return judge(pairs, 0.01, BOOTSTRAP)


@pytest.mark.parametrize(
    ("task", "metric", "name"),
    [
        ("facts", "acc", "none"),
        ("facts", "acc_norm", "none"),
        ("sums", "exact_match", "strict"),
        ("sums", "exact_match", "flexible"),
    ],
)
def test_the_test_is_exact_mcnemars(task: str, metric: str, name: str) -> None:
    [row] = judged(FULL, QUANTIZED, task, metric=metric, filter=name)
    before, after = (
        np.array([line[metric] == 1 for line in recorded(run, task) if line["filter"] == name])
        for run in (FULL, QUANTIZED)
    )
    lost, gained = int((before & ~after).sum()), int((~before & after).sum())
    assert lost and gained and (row.lost, row.gained) == (lost, gained)
    table = [[int((before & after).sum()), lost], [gained, int((~before & ~after).sum())]]
    expected = mcnemar(table, exact=True).pvalue
    assert expected == pytest.approx(binomtest(lost, lost + gained).pvalue, abs=1e-12)
    assert row.mcnemar_p == pytest.approx(expected, abs=1e-9)
    assert row.permutation_p == pytest.approx(expected, abs=1e-9)
    assert (row.reference_score, row.score) == pytest.approx((before.mean(), after.mean()), abs=1e-12)


def test_a_folder_is_one_row_a_task_and_one_family() -> None:
    facts, sums = judged(FULL, QUANTIZED)
    assert [(row.task, row.metric, row.filter, row.n, row.family_size) for row in (facts, sums)] == [
        ("facts", "acc", "none", 48, 2),
        ("sums", "exact_match", "strict", 30, 2),
    ]
    assert min(facts.holm_p, sums.holm_p) == pytest.approx(2 * min(facts.permutation_p, sums.permutation_p))


def test_the_answer_of_a_choice_is_the_option_that_was_scored() -> None:
    """Judged by its own answers, each run scores what the harness wrote."""
    for metric in ("acc", "acc_norm"):
        for run in (FULL, QUANTIZED):
            [task] = read_run(run, Wanted(metric=metric), ["facts"])
            assert [sample.answer == sample.gold for sample in task.samples] == [
                sample.score == 1 for sample in task.samples
            ]


def test_flips_say_what_was_answered() -> None:
    pairs = pair_runs(read_run(FULL, Wanted(), ["facts"]), read_run(QUANTIZED, Wanted(), ["facts"]), (FULL, QUANTIZED))
    first = next(iter(flips(pairs)))
    assert (first.id, first.reference_answer, first.answer, first.gold, first.change) == (
        *("4", "3: fever", "1: vision", "3: fever", "lost"),
    )


def test_documents_are_taken_together() -> None:
    alone, grouped = (judged(FULL, QUANTIZED, "sums", **by)[0] for by in ({}, {"group": "document"}))
    assert (alone.unit, alone.units, grouped.unit, grouped.units) == ("sample", 30, "document", 15)
    assert alone.mcnemar_p is not None and grouped.mcnemar_p is None
    assert alone.difference == grouped.difference and grouped.verdict == "too few"


def test_inspects_document_and_archive_pair() -> None:
    [row] = judged(LOG, ARCHIVE)
    stated = json.loads(LOG.read_text())["results"]["scores"][0]["metrics"]["accuracy"]["value"]
    assert (row.task, row.metric, row.n) == ("sums", "match", 24)
    assert row.reference_score == pytest.approx(stated) == pytest.approx(1 / 24)
    assert (row.flips, row.verdict) == (12, "at chance")
