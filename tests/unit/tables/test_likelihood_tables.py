"""The tables of log-probabilities: against numbers worked out by hand, and what is left out of them."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.simulated_likelihoods import LENGTH, add_likelihoods
from tests.simulated_run import Run

from quantbench.config import Vocabulary
from quantbench.contracts.cell_name import Cell
from quantbench.contracts.likelihood_tables import FlipRow, LikelihoodRow, ReliabilityRow
from quantbench.contracts.likelihoods import Likelihoods, OptionScores
from quantbench.contracts.measurements import Measurements
from quantbench.contracts.records import Prediction, ScoredAnswer, read_records, write_records
from quantbench.errors import DataError
from quantbench.statistics import Bootstrap
from quantbench.tables import write_likelihood_tables

BOOTSTRAP = Bootstrap(200)


def cell_of(dataset: str, precision: str, model: str = "phi-4") -> Cell:
    return Cell(model, precision, dataset, "instruction", 0)


def written(run: Run, cells: list[Cell] | None = None) -> dict[Cell, LikelihoodRow]:
    write_likelihood_tables(run.catalogue.vocabulary, run.results, run.cells if cells is None else cells, BOOTSTRAP)
    return {row.cell: row for row in LikelihoodRow.read(run.results / LikelihoodRow.path)}


def kept(run: Run, cell: Cell) -> Likelihoods:
    return Likelihoods.read(path_of(run, cell))


def path_of(run: Run, cell: Cell) -> Path:
    return run.results / "cells" / cell.folder / "likelihoods.npz"


def answers(run: Run, cell: Cell) -> list[ScoredAnswer]:
    return read_records(run.results / "cells" / cell.folder / "scored.jsonl", ScoredAnswer)


def test_cells_without_the_file_are_left_out(run: Run) -> None:
    assert written(run) == {}
    assert ReliabilityRow.read(run.results / ReliabilityRow.path) == []
    assert FlipRow.read(run.results / FlipRow.path) == []
    some = [cell_of("pubmedqa", name) for name in ("full", "w4a16")]
    add_likelihoods(run, some)
    assert list(written(run)) == some


def test_a_quantized_cell_without_its_reference_has_what_it_has_alone(run: Run) -> None:
    add_likelihoods(run, [cell_of("pubmedqa", "w4a16")])
    (row,) = written(run).values()
    assert row.kl is not None and row.gold_nll is not None
    assert row.gold_nll_difference is None and row.flips is None
    assert FlipRow.read(run.results / FlipRow.path) == []


def test_columns_against_full_precision_are_empty_there(run: Run) -> None:
    add_likelihoods(run, run.cells)
    row = written(run)[cell_of("pubmedqa", "full")]
    relative = {
        "kl",
        "same_first_choice",
        "gold_nll_difference",
        "gold_nll_p",
        "brier_difference",
        "flips",
        "margin_of",
    }
    assert {name for name in relative if getattr(row, name) is not None} == set()
    assert row.gold_nll is not None and row.ece_equal_mass is not None


def test_divergence_and_first_choices_are_means_of_tokens(run: Run) -> None:
    add_likelihoods(run, run.cells)
    cell = cell_of("hoc", "w4a16")
    row, reference = written(run)[cell], kept(run, cell).reference
    assert reference is not None
    assert row.kl == pytest.approx(reference.divergences.mean(), rel=1e-6)
    assert row.same_first_choice == pytest.approx(reference.agrees.mean())
    assert row.kl_low is not None and row.kl_high is not None and 0 < row.kl_low < row.kl < row.kl_high
    assert (row.n, row.documents, row.tokens, row.reference_tokens) == (30, 8, 30 * LENGTH, 30 * LENGTH)
    # No options: nothing about them.
    assert (row.options_n, row.gold_nll, row.ece_equal_width) == (0, None, None)
    assert row.margin_of == "weakest token"


def test_losses_of_gold_are_those_of_its_share_among_the_options(run: Run) -> None:
    add_likelihoods(run, run.cells)
    rows = written(run)
    losses = {}
    for precision in ("full", "w4a16"):
        cell = cell_of("pubmedqa", precision)
        options = kept(run, cell).options
        assert options is not None
        shares = np.exp(options.log_probabilities.reshape(30, 3).astype(float))
        shares /= shares.sum(axis=1, keepdims=True)
        gold = [options.names.index(str(answer.gold)) for answer in answers(run, cell)]
        losses[precision] = -np.log(shares[range(30), gold]).mean()
        favourites = shares.argmax(axis=1)
        assert rows[cell].gold_nll == pytest.approx(losses[precision], abs=1e-6)
        assert rows[cell].option_accuracy == pytest.approx(np.mean(favourites == gold))
        read = [
            options.names[place] == answer.parsed for place, answer in zip(favourites, answers(run, cell), strict=True)
        ]
        assert rows[cell].option_is_answer == pytest.approx(np.mean(read))
    row = rows[cell_of("pubmedqa", "w4a16")]
    assert row.gold_nll_difference == pytest.approx(losses["w4a16"] - losses["full"], abs=1e-6)
    assert row.gold_nll_p is not None and 0 < row.gold_nll_p <= 1


def test_a_flip_between_equal_options_is_a_coin_toss(run: Run) -> None:
    """Full precision is torn on exactly the answers that change, and sure of all others."""
    full, other = cell_of("pubmedqa", "full"), cell_of("pubmedqa", "w4a16")
    add_likelihoods(run, [full, other])
    pairs = list(zip(answers(run, full), answers(run, other), strict=True))
    flipped = np.array([(one.parsed_ok, one.parsed) != (two.parsed_ok, two.parsed) for one, two in pairs])
    assert 0 < flipped.sum() < 30
    logs = np.log(np.where(flipped[:, None], [[0.4, 0.35, 0.25]], [[0.88, 0.08, 0.04]]))
    before = kept(run, full)
    assert before.options is not None
    options = replace(before.options, log_probabilities=logs.ravel().astype(np.float32))
    replace(before, options=options).write(path_of(run, full))
    row = written(run)[other]
    assert row.flips == flipped.sum() and row.margin_of == "options"
    assert row.margin_flipped == pytest.approx(math.log(0.4 / 0.35), abs=1e-6)
    assert row.margin_unflipped == pytest.approx(math.log(0.88 / 0.08), abs=1e-6)
    assert row.coin_toss_share == 1
    bins = [
        one for one in FlipRow.read(run.results / FlipRow.path) if one.model == "phi-4" and one.precision == "w4a16"
    ]
    assert {(one.bin_low, one.n, one.flip_rate) for one in bins} == {
        (0.3, flipped.sum(), 1.0),
        (0.8, 30 - flipped.sum(), 0.0),
    }


def test_diagrams_pool_the_models_of_a_run(run: Run) -> None:
    add_likelihoods(run, run.cells)
    written(run)
    rows = [row for row in ReliabilityRow.read(run.results / ReliabilityRow.path) if row.precision == "full"]
    by_model = {name: [row for row in rows if row.model == name] for name in (None, "phi-4", "qwen2.5-3b")}
    assert sum(len(found) for found in by_model.values()) == len(rows)
    assert [sum(row.n for row in found) for found in by_model.values()] == [60, 30, 30]
    right = [sum(row.n * row.right for row in found) for found in by_model.values()]
    assert right[0] == pytest.approx(right[1] + right[2])
    assert {row.dataset for row in rows} == {"pubmedqa"}


def test_random_weights_have_no_diagram(run: Run) -> None:
    add_likelihoods(run, run.cells)
    for cell in run.cells:
        path = run.results / "cells" / cell.folder / "measurements.json"
        if cell.model == "phi-4":
            Measurements.read(path).model_copy(update={"weights": "random"}).write(path)
    written(run)
    rows = [
        row for row in FlipRow.read(run.results / FlipRow.path) if row.precision == "w8a16" and row.dataset == "hoc"
    ]
    assert [sum(row.n for row in rows if row.model == name) for name in (None, "phi-4", "qwen2.5-3b")] == [30, 0, 30]


def test_a_sample_that_kept_no_tokens_is_left_out_of_means(run: Run) -> None:
    cell = cell_of("hoc", "w8a16")
    add_likelihoods(run, [cell])
    whole = kept(run, cell)
    assert whole.reference is not None
    shorter = replace(
        whole.reference,
        starts=np.concatenate([[0], whole.reference.starts[:-1]]),
        log_probabilities=whole.reference.log_probabilities[:-LENGTH],
        divergences=whole.reference.divergences[:-LENGTH],
        agrees=whole.reference.agrees[:-LENGTH],
    )
    replace(whole, reference=shorter).write(path_of(run, cell))
    row = written(run)[cell]
    assert row.reference_tokens == 29 * LENGTH
    assert row.kl == pytest.approx(whole.reference.divergences[:-LENGTH].mean(), rel=1e-6)


def options_without_gold(found: OptionScores, answer: ScoredAnswer) -> OptionScores:
    names = tuple("other" if name == answer.gold else name for name in found.names)
    return replace(found, names=names)


def test_what_does_not_fit_together_is_refused(run: Run) -> None:
    full, other = cell_of("pubmedqa", "full"), cell_of("pubmedqa", "w4a16")
    add_likelihoods(run, [full, other])
    whole = kept(run, other)
    replace(whole, sample_ids=tuple(reversed(whole.sample_ids))).write(path_of(run, other))
    with pytest.raises(DataError, match=r"w4a16.*likelihoods.npz: of other samples.*delete it to leave it out"):
        written(run)
    assert whole.options is not None
    replace(whole, options=options_without_gold(whole.options, answers(run, other)[0])).write(path_of(run, other))
    with pytest.raises(DataError, match="sample '0' has no log-probability of its gold answer"):
        written(run)
    whole.write(path_of(run, other))
    predictions = run.results / "cells" / full.folder / "predictions.jsonl"
    write_records(predictions, [Prediction("0", ["yes"], 1, [1], ["stop"])])
    with pytest.raises(DataError, match=r"no longer those that this cell read.*; delete the former"):
        written(run)


def test_noise_floors_have_a_row_and_no_diagram(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    add_likelihoods(run, run.cells)
    monkeypatch.setattr(Vocabulary, "noise_floors", {"w8a16": "full"}, raising=False)
    assert written(run)[cell_of("hoc", "w8a16")].kl is not None
    assert {row.precision for row in FlipRow.read(run.results / FlipRow.path)} == {"w4a16"}


def test_letters_of_a_model_that_answers_in_words_stand_for_nothing(run: Run) -> None:
    full, other = cell_of("pubmedqa", "full"), cell_of("pubmedqa", "w4a16")
    add_likelihoods(run, [full, other])
    assert written(run)[other].margin_of == "options"
    for cell in (full, other):
        found = kept(run, cell)
        assert found.options is not None
        options = replace(found.options, log_probabilities=found.options.log_probabilities - np.float32(10))
        replace(found, options=options).write(path_of(run, cell))
    row = written(run)[other]
    assert row.option_mass == pytest.approx(math.exp(-10.05), rel=1e-3) and row.margin_of == "weakest token"
    assert ReliabilityRow.read(run.results / ReliabilityRow.path) == []
    assert {one.confidence_of for one in FlipRow.read(run.results / FlipRow.path)} == {"weakest token"}
