"""The reckonings behind docs/reproduction.md, held against what computes the same in another way."""

from __future__ import annotations

from pathlib import Path

import make_tables
import numpy as np
import pytest
from answer_lengths import answer_lengths
from hidden_losses import ERRORS, Classes, character_score, label_score
from sampling_noise import Items, NoiseRow, _noise, difference_rows
from sklearn.metrics import f1_score
from test_sets import DATASETS
from trivial_predictors import _other_case_inside_tags, _three_more_tagged

from quantbench.config import load_datasets
from quantbench.tables import PublishedRow
from quantbench.tables.paper_rows import published_path
from quantbench.tasks import published_convention
from quantbench.tasks.metrics import METRICS

NAMES = ("DDI-effect", "DDI-mechanism", "DDI-advise", "DDI-int", "DDI-false")


@pytest.fixture
def classes() -> Classes:
    return Classes(NAMES, np.array([36, 30, 22, 10, 478]), negative=4)


def test_scores_of_confusions_are_those_of_the_answers(repository: Path, classes: Classes) -> None:
    confusion = np.random.default_rng(1).integers(1, 9, size=(5, 5))
    pairs = [(NAMES[g], NAMES[t]) for g in range(5) for t in range(5) for _ in range(confusion[g, t])]
    golds, answers = map(list, zip(*pairs, strict=True))
    convention = published_convention(load_datasets(repository)["ddi2013"])
    assert convention is not None
    assert character_score(confusion.astype(float), classes) == pytest.approx(convention.value(answers, golds))
    assert label_score(confusion.astype(float)) == pytest.approx(f1_score(golds, answers, average="macro"))


@pytest.mark.parametrize("error", ERRORS)
def test_oracles_err_as_often_as_they_are_told(classes: Classes, error: str) -> None:
    told = ERRORS[error](classes, 0.25)
    assert told.min() >= 0
    assert told.sum(axis=1) == pytest.approx(np.ones(5))
    assert np.diag(told).min() == pytest.approx(0.8 if "chance" in error else 0.75)
    assert ERRORS[error](classes, 0) == pytest.approx(np.eye(5))


def test_the_noise_of_a_proportion_is_the_binomial_one() -> None:
    n = 2000
    right, wrong = (np.tile(np.array(one), (n, 1, 1)) for one in ([1, 0, 0], [0, 0, 1]))
    row = _noise("any", Items(right, wrong, METRICS["accuracy"]), share=0.2, level=0.7)
    assert row.sd_reckoned == pytest.approx(0.5 * (0.2 / n) ** 0.5)
    assert row.sd == pytest.approx(row.sd_reckoned, rel=0.1)
    assert row.score == pytest.approx(0.7, abs=0.001)
    assert row.low < 0.7 < row.high


def test_noise_grows_with_the_root_of_the_undecided_share_and_agrees_with_its_reckoning() -> None:
    rows = NoiseRow.read(make_tables.file_of(NoiseRow))
    for dataset in {row.dataset for row in rows}:
        # Where all are undecided half are right, which is another score.
        ratios = [row.sd / row.undecided**0.5 for row in rows if row.dataset == dataset and row.undecided < 1]
        assert max(ratios) < 1.2 * min(ratios), dataset
    for row in rows:
        assert row.sd == pytest.approx(row.sd_reckoned, rel=0.1), (row.dataset, row.undecided)


def test_the_share_that_a_difference_needs_is_that_of_its_range(repository: Path) -> None:
    table = PublishedRow.read(published_path(repository))
    noise = NoiseRow.read(make_tables.file_of(NoiseRow))
    rows = list(difference_rows(table, noise))
    assert len(rows) == 64
    llama = next(one for one in rows if (one.dataset, one.model, one.precision) == ("medqa", "llama-3.3-70b", "w8a16"))
    assert llama.difference == pytest.approx(0.555 - 0.732)
    # Exact for a proportion: the variance of a difference of two draws is u / 2n.
    assert llama.undecided_needed == pytest.approx(2 * 1273 * (llama.difference / 1.96) ** 2, rel=0.15)
    mean = (0.555 + 0.732) / 2
    assert llama.undecided_at_most == pytest.approx(4 * mean * (1 - mean))
    assert llama.is_beyond_noise
    assert {row.undecided_at_most for row in rows if row.dataset not in ("medqa", "pubmedqa")} == {1}


def test_answers_of_the_implied_length_take_the_published_time(repository: Path) -> None:
    rows = list(answer_lengths(PublishedRow.read(published_path(repository))))
    assert len(rows) == 96
    for row in rows:
        assert row.implied >= 1
        if row.implied > 1:
            assert row.prompt_s + (row.implied - 1) * row.token_s == pytest.approx(row.latency_s)
        assert (row.at_most is None) == (row.precision != "full")
        assert row.at_most is None or row.at_most > row.implied
    llama = next(row for row in rows if (row.dataset, row.model, row.precision) == ("medqa", "llama-3.3-70b", "full"))
    # 70.55e9 weights of two bytes at 1,555e9 bytes a second.
    assert llama.at_most == pytest.approx(0.5 / (2 * 70.55e9 / 1555e9), rel=0.001)


def test_predictors_touch_what_they_should() -> None:
    assert _three_more_tagged("a <span>b c</span> d e f g") == (
        "<span>a</span> <span>b c</span> <span>d</span> <span>e</span> f g"
    )
    assert _other_case_inside_tags("The <span>aspirin</span> and <span>NaCl</span> .") == (
        "The <span>Aspirin</span> and <span>nacl</span> ."
    )


def test_the_figure_shows_every_score_and_what_knows_nothing(repository: Path) -> None:
    figure = make_tables.image()
    assert len(figure.axes) == 8
    table = PublishedRow.read(published_path(repository))
    for panel, dataset in zip(figure.axes, DATASETS, strict=True):
        shown = sorted(line.get_xdata()[0] for line in panel.lines if len(line.get_xdata()) == 1)
        assert shown == sorted(row.score for row in table if row.dataset == dataset)
        assert len(panel.patches) == 3, "models that were probably sampled"
    ddi = figure.axes[DATASETS.index("ddi2013")]
    ours, as_published = (line.get_xdata()[0] for line in ddi.lines if len(line.get_xdata()) == 2)
    assert (ours, as_published) == (pytest.approx(0.1814, abs=5e-5), pytest.approx(0.4850, abs=5e-5))
