"""Ratios to full precision: over the same samples, at equal length, and none where devices or neighbours differ."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from scipy import stats
from tests.simulated_run import Run

from quantbench.contracts.cell_name import Cell
from quantbench.contracts.files import read_json
from quantbench.contracts.machine import DeviceFacts
from quantbench.contracts.measurements import (
    Energy,
    FixedLengthReadings,
    GpuCondition,
    GpuConditions,
    Measurements,
    Process,
    TimedAnswer,
)
from quantbench.contracts.run_tables import CellRow, EfficiencyRow
from quantbench.tables import cells_table, efficiency_table

FULL, QUANTIZED = (Cell("phi-4", precision, "hoc", "instruction", 0) for precision in ("full", "w4a16"))
A100, H100 = ("NVIDIA A100-SXM4-80GB", "NVIDIA H100 80GB HBM3")
OTHER = Process(pid=7, name="other", used_bytes=None)


def table(run: Run, rows: list[CellRow] | None = None) -> dict[Cell, EfficiencyRow]:
    vocabulary, results = run.catalogue.vocabulary, run.results
    cells = cells_table(vocabulary, results, run.cells) if rows is None else rows
    return {row.cell: row for row in efficiency_table(vocabulary, results, cells, 0.95)}


def change(run: Run, cell: Cell, update: Callable[[Measurements], dict[str, object]]) -> None:
    path = run.results / "cells" / cell.folder / "measurements.json"
    measured = Measurements.read(path)
    measured.model_copy(update=update(measured)).write(path)


def timed(seconds: Sequence[float], tokens: Sequence[int], first: float = 0.1) -> list[TimedAnswer]:
    """Samples 0, 1, ... whose answers are written in equal steps."""
    return [
        TimedAnswer(
            sample_id=str(place),
            latency_s=whole,
            first_token_s=first,
            prompt_tokens=100,
            new_tokens=count,
            token_times_s=[first + step * (whole - first) / (count - 1) for step in range(count)],
        )
        for place, (whole, count) in enumerate(zip(seconds, tokens, strict=True))
    ]


def latency(run: Run, cell: Cell, **changed: object) -> None:
    change(run, cell, lambda measured: {"latency": measured.latency.model_copy(update=changed)})


def test_ratios_are_to_full_precision_of_the_same_cell(run: Run) -> None:
    rows = table(run)
    assert len(rows) == len(run.cells)
    one, full = rows[QUANTIZED], rows[FULL]
    assert one.memory_ratio == pytest.approx(one.memory_gib / full.memory_gib)
    assert one.load_ratio == pytest.approx(one.load_s / full.load_s)
    assert {row.latency_ratio for row in rows.values() if row.precision == "full"} == {1.0}
    assert {row.energy_ratio for row in rows.values()} == {None}
    assert {row.ratio_note for row in rows.values()} == {None}


def test_longer_answers_leave_the_ratio_of_a_token_as_it_is(run: Run) -> None:
    """Each step takes as long as at full precision, but answers have six times as many tokens."""
    steps = [0.01, 0.02, 0.04, 0.03]
    for cell, count in ((FULL, 11), (QUANTIZED, 61)):
        latency(run, cell, samples=timed([0.1 + step * (count - 1) for step in steps], [count] * 4))
        fixed = timed([0.1 + step * 63 for step in steps], [64] * 4)
        latency(run, cell, fixed=FixedLengthReadings(new_tokens=64, samples=fixed))
    row = table(run)[QUANTIZED]
    assert row.latency_ratio is not None and row.latency_ratio > 3
    assert (row.timed_new_tokens_mean, row.full_timed_new_tokens_mean) == (61, 11)
    assert (row.fixed_new_tokens, row.fixed_n) == (64, 4)
    assert row.further_token_mean_s == pytest.approx(np.mean(steps))
    for ratio in ("further_token_ratio", "first_token_ratio"):
        ends = [getattr(row, f"{ratio}{end}") for end in ("", "_low", "_high")]
        assert ends == pytest.approx([1, 1, 1])


def test_intervals_are_those_of_scipys_paired_log_ratios(run: Run) -> None:
    chance = np.random.default_rng(3)
    base = chance.lognormal(0, 1, 16)  # samples differ by far more than the two precisions do
    ours = base * 1.3 * chance.lognormal(0, 0.02, 16)
    for cell, seconds in ((FULL, base), (QUANTIZED, ours)):
        # In another order here: pairs are made by sample, not by place.
        samples = timed(seconds.tolist(), [9] * 16, first=0.001)[:: 1 if cell == FULL else -1]
        latency(run, cell, samples=samples, fixed=FixedLengthReadings(new_tokens=9, samples=samples))
    row = table(run)[QUANTIZED]
    logs = np.log(ours / base)
    expected = np.exp([logs.mean(), *stats.ttest_1samp(logs, 0).confidence_interval(0.95)])
    assert [row.latency_ratio, row.latency_ratio_low, row.latency_ratio_high] == pytest.approx(expected, rel=1e-9)
    steps = [math.log((one - 0.001) / (other - 0.001)) for one, other in zip(ours, base, strict=True)]
    expected = np.exp([np.mean(steps), *stats.ttest_1samp(steps, 0).confidence_interval(0.95)])
    found = [row.further_token_ratio, row.further_token_ratio_low, row.further_token_ratio_high]
    assert found == pytest.approx(expected, rel=1e-9)


TIMES = ("latency_ratio", "tokens_per_s_ratio", "load_ratio", "further_token_ratio", "first_token_ratio")
RATES = ("energy_ratio", "energy_per_1000_tokens_ratio")


def with_energy(run: Run) -> None:
    joules = {FULL: (200.0, 100, 1000), QUANTIZED: (90.0, 60, 1200)}
    for cell, (energy_j, samples, tokens) in joules.items():
        energy = Energy(energy_j=energy_j, samples=samples, new_tokens=tokens, contended_by=[])
        change(run, cell, lambda _, energy=energy: {"energy": energy})


def test_energy_is_compared_by_what_it_paid_for(run: Run) -> None:
    """The quantized cell states the joules of 60 answers alone, which were longer."""
    with_energy(run)
    row = table(run)[QUANTIZED]
    assert (row.energy_samples, row.energy_per_answer_j, row.energy_per_1000_tokens_j) == (60, 1.5, 75.0)
    assert row.energy_ratio == pytest.approx(1.5 / 2.0)
    assert row.energy_per_1000_tokens_ratio == pytest.approx(75 / 200)


def test_energy_of_before_answers_were_counted_is_that_of_the_last_start(run: Run) -> None:
    for cell, energy_j, samples in ((FULL, 200.0, 100), (QUANTIZED, 8.0, 4)):
        change(
            run,
            cell,
            lambda measured, energy_j=energy_j, samples=samples: {
                "energy": Energy(energy_j=energy_j),
                "quality_pass": measured.quality_pass.model_copy(update={"samples": samples}),
            },
        )
    row = table(run)[QUANTIZED]
    assert row.energy_ratio == pytest.approx(1.0), "the joules alone would make it 0.04"
    assert row.energy_per_1000_tokens_ratio is None


@pytest.mark.parametrize("words", ["timed elsewhere", "other driver"])
def test_times_have_no_ratio_across_kinds_of_devices(run: Run, words: str) -> None:
    with_energy(run)
    there = DeviceFacts(kind="cuda", names=[H100, H100], driver="580.1")
    if words == "timed elsewhere":  # a resumed cell, answered where full precision was
        latency(run, QUANTIZED, device=there)
    else:
        for cell, driver in ((FULL, "570.1"), (QUANTIZED, "580.1")):
            device = DeviceFacts(kind="cuda", names=[A100], driver=driver)
            change(run, cell, lambda _, device=device: {"device": device})
    row = table(run)[QUANTIZED]
    assert {getattr(row, name) for name in TIMES} == {None}
    assert row.memory_ratio is not None and row.weight_ratio is not None
    assert row.ratio_note is not None and row.ratio_note.startswith("no ratios of time: timed on ")
    assert (row.energy_ratio is None) == (words == "other driver")
    assert table(run)[FULL].latency_ratio == 1.0


@pytest.mark.parametrize("cell", [FULL, QUANTIZED])
def test_times_have_no_ratio_where_others_computed(run: Run, cell: Cell) -> None:
    with_energy(run)
    latency(run, cell, contended_by=[OTHER])
    row = table(run)[QUANTIZED]
    place = "here" if cell == QUANTIZED else "at full precision"
    assert {getattr(row, name) for name in TIMES} == {None}
    assert row.ratio_note == f"no ratios of time: others computed on the GPUs {place}"
    assert row.energy_ratio == pytest.approx(0.75), "they had gone before the answers"
    change(run, cell, lambda measured: {"energy": measured.energy.model_copy(update={"contended_by": [OTHER]})})
    assert {getattr(table(run)[QUANTIZED], name) for name in RATES} == {None}


def test_fewer_gpus_of_the_same_kind_are_compared_and_said(run: Run) -> None:
    change(run, QUANTIZED, lambda _: {"device": DeviceFacts(kind="cuda", names=[A100])})
    row = table(run)[QUANTIZED]
    assert row.latency_ratio is not None
    assert row.ratio_note == "on 1 of the GPUs, full precision on 2"


def test_two_fixed_lengths_are_not_compared(run: Run) -> None:
    for cell, tokens in ((FULL, 32), (QUANTIZED, 64)):
        latency(run, cell, fixed=FixedLengthReadings(new_tokens=tokens, samples=timed([1, 2], [tokens] * 2)))
    row = table(run)[QUANTIZED]
    assert (row.further_token_ratio, row.first_token_ratio) == (None, None)
    assert row.latency_ratio is not None
    assert row.ratio_note == "no ratios at a fixed length: timed at 64 tokens, full precision timed at 32 tokens"


def test_gpus_that_were_clocked_down_are_named(run: Run) -> None:
    def condition(*reasons: str) -> list[GpuCondition]:
        facts = {"uuid": "GPU-1", "sm_clock_mhz": 900, "memory_clock_mhz": 1593, "power_limit_w": 400.0}
        return [GpuCondition(**facts, temperature_c=90, clock_reasons=list(reasons))]

    hot = GpuConditions(before=condition("power cap"), after=condition("hardware thermal slowdown"))
    latency(run, FULL, gpus=hot)
    rows = table(run)
    assert rows[FULL].clock_note == "clocked down: hardware thermal slowdown (timing)"
    assert (rows[QUANTIZED].clock_note, rows[QUANTIZED].ratio_note) == (
        None,
        "full precision clocked down: hardware thermal slowdown (timing)",
    )


def test_a_missing_reference_leaves_ratios_empty(run: Run) -> None:
    cells = cells_table(run.catalogue.vocabulary, run.results, run.cells)
    rows = table(run, [row for row in cells if row.precision != "full"])
    assert {row.memory_ratio for row in rows.values()} == {row.latency_ratio for row in rows.values()} == {None}
    assert len(rows) == 12


def test_an_energy_of_nothing_makes_no_ratio(run: Run) -> None:
    """A counter may stand still for a quick pass; a saving over 0 joules would be a division by it."""
    joules = {"full": 0.0, "w8a16": 3.0, "w4a16": 2.0}
    cells = cells_table(run.catalogue.vocabulary, run.results, run.cells)
    rows = [row.model_copy(update={"energy_per_answer_j": joules[row.precision]}) for row in cells]
    assert {row.energy_ratio for row in table(run, rows).values()} == {None}


def test_a_noise_floor_is_no_row_of_its_own(run: Run) -> None:
    cells = cells_table(run.catalogue.vocabulary, run.results, run.cells)
    again = [row.model_copy(update={"precision": "full-replanned"}) for row in cells if row.precision == "full"]
    assert table(run, [*cells, *again]) == table(run, cells)


def test_files_of_before_the_fixed_length_are_read(run: Run) -> None:
    path = run.results / "cells" / FULL.folder / "measurements.json"
    latency(run, FULL, fixed=None)
    assert not {"fixed", "gpus", "device"} & read_json(path)["latency"].keys()
    row = table(run)[QUANTIZED]
    assert (row.further_token_ratio, row.latency_ratio is None) == (None, False)
    assert (
        row.ratio_note == "no ratios at a fixed length: timed at 64 tokens, full precision not timed at a fixed length"
    )
