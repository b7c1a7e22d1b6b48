"""Times: what must hold of them, and how they stand to the paper's latencies."""

from __future__ import annotations

import csv
from pathlib import Path
from statistics import median

import pytest

from quantbench.contracts.cell_name import Cell
from quantbench.planner import GPUS, cell_time, nearest_gpu, run_hours
from quantbench.planner.speed import prompt_seconds, step_seconds
from quantbench.study.spec import cell_spec

A100 = GPUS["a100-40gb"]


def test_a_token_takes_no_less_than_reading_the_weights(make) -> None:
    catalogue = make()
    model = catalogue.models["llama-3.3-70b"]
    seconds = step_seconds(model, catalogue.precisions["full"], A100, rows=1, context=500)
    assert 141e9 / A100.bandwidth < seconds < 3 * 141e9 / A100.bandwidth


def test_a_batch_costs_less_than_its_samples_one_by_one_but_never_less_than_one(make) -> None:
    catalogue = make()
    for precision in ("full", "w8a16", "w4a16"):
        setting = catalogue.models["phi-4"], catalogue.precisions[precision], A100
        one, many = (step_seconds(*setting, rows=rows, context=500) for rows in (1, 32))
        assert one < many < 32 * one


def test_nf4_reads_less_but_pays_for_a_batch(make) -> None:
    catalogue = make()
    model, full, nf4 = catalogue.models["phi-4"], catalogue.precisions["full"], catalogue.precisions["w4a16"]
    alone = step_seconds(model, nf4, A100, 1, 500) / step_seconds(model, full, A100, 1, 500)
    batched = step_seconds(model, nf4, A100, 32, 500) / step_seconds(model, full, A100, 32, 500)
    assert alone < batched > 1


def test_long_prompts_are_bound_by_operations(make) -> None:
    catalogue = make()
    setting = catalogue.models["phi-4"], catalogue.precisions["full"], A100
    assert prompt_seconds(*setting, tokens=8000) == pytest.approx(2 * prompt_seconds(*setting, tokens=4000), rel=0.05)
    assert prompt_seconds(*setting, tokens=1) > 29e9 / A100.bandwidth


def test_stages_grow_with_what_they_do(make) -> None:
    cell = Cell("phi-4", "full", "hoc", "instruction", 0)
    gold, limit = (cell_time(cell_spec(make(), cell), A100, answers) for answers in ("gold", "limit"))
    assert gold.load_s == limit.load_s > 30 + 28
    assert gold.answer_s < limit.answer_s
    single = cell_time(cell_spec(make(inference={"engine": "single"}), cell), A100, "limit")
    assert single.measure_s == limit.measure_s
    assert single.answer_s > 5 * limit.answer_s


def test_the_timing_at_a_fixed_length_is_counted(make) -> None:
    cell = Cell("phi-4", "full", "hoc", "instruction", 0)

    def seconds(**measurement: object) -> float:
        return cell_time(cell_spec(make(measurement=measurement), cell), A100, "gold").measure_s

    none = seconds(fixed_new_tokens=None)
    one_step = seconds(fixed_new_tokens=3, fixed_samples=16) - seconds(fixed_new_tokens=2, fixed_samples=16)
    assert none < seconds(fixed_samples=2) < seconds(fixed_samples=16) == seconds()
    assert seconds(fixed_samples=200) == seconds(fixed_samples=64), "no more samples than are timed at all"
    spec = cell_spec(make(), cell)
    assert one_step == pytest.approx(
        16 * step_seconds(spec.model, spec.precision, A100, 1, spec.dataset.tokens.prompt), rel=0.02
    )


@pytest.mark.parametrize(("prompting", "chains"), [("instruction", 1), ("cot", 1), ("self_consistency", 5)])
def test_repeated_answers_and_chains_one_by_one_take_as_many_times(make, prompting: str, chains: int) -> None:
    cell = Cell("phi-4", "full", "hoc", prompting, 0)
    single = {"engine": "single", "stop_early": False}
    protocol = {"decoding": "of_model", "timing": "whole_pass"}
    once, thrice = (
        cell_time(cell_spec(make(inference=single, protocol=protocol | {"repeats": repeats}), cell), A100, "limit")
        for repeats in (1, 3)
    )
    assert thrice.answer_s == pytest.approx(3 * once.answer_s)
    assert thrice.measure_s == once.measure_s == 0
    alone = cell_time(cell_spec(make(inference=single | {"self_consistency": {"chains": 1}}), cell), A100, "limit")
    assert once.answer_s == pytest.approx(chains * alone.answer_s)


@pytest.mark.parametrize(
    ("seconds", "gpus", "total", "wall"),
    [
        ([3600] * 4, [1] * 4, 4, 1),
        ([3600] * 5, [1] * 5, 4, 2),
        ([3600, 1800, 1800], [1, 1, 1], 2, 1),  # the long one first, the short ones beside it
        ([1800, 3600, 1800], [1, 1, 1], 2, 1),
        ([3600, 3600], [2, 2], 3, 2),
        ([3600, 1800, 1800], [2, 1, 1], 3, 1),
        ([], [], 1, 0),
    ],
)
def test_cells_run_side_by_side_the_longest_first(seconds, gpus, total, wall) -> None:
    hours = run_hours(seconds, gpus, total)
    assert hours.wall_h == pytest.approx(wall)
    assert hours.gpu_h == pytest.approx(sum(s * g for s, g in zip(seconds, gpus, strict=True)) / 3600)


def test_a_stated_size_stands_for_the_slowest_gpu_of_it() -> None:
    assert nearest_gpu(80) is GPUS["a100-80gb"]
    assert nearest_gpu(79.6) is GPUS["a100-80gb"], "a GPU shows a little less than it is sold with"
    assert nearest_gpu(16) is GPUS["rtx4090"]
    assert nearest_gpu(96) is GPUS["a100-80gb"]
    assert nearest_gpu(200) is GPUS["h200"]


def test_of_a_known_generation_only_its_gpus_are_near() -> None:
    assert nearest_gpu(79.6, (9, 0)) is GPUS["h100-80gb"]
    assert nearest_gpu(44, (8, 9)) is GPUS["rtx4090"]
    assert nearest_gpu(119, (12, 1)) is GPUS["a100-80gb"], "none of it is listed"


def test_hopper_gives_cublas_more() -> None:
    assert GPUS["h200"].cublas_workspace == 32 * 2**20
    assert GPUS["a100-40gb"].cublas_workspace == GPUS["l40s"].cublas_workspace == (4096 * 2 + 16 * 8) * 1024


def test_the_papers_entity_latencies_are_met(repository: Path, make) -> None:
    """The two datasets whose answers' length is known (the sentence again, with marks): within a third in the median."""
    catalogue, errors = make(), []
    with (repository / "resources/paper/table1.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["dataset"] not in ("bc5cdr_chemical", "ncbi_disease"):
                continue
            model, precision = catalogue.models[row["model"]], catalogue.precisions[row["precision"]]
            prompt = catalogue.datasets[row["dataset"]].tokens.prompt
            planned = prompt_seconds(model, precision, A100, prompt)
            planned += 41 * step_seconds(model, precision, A100, 1, prompt)
            errors.append(abs(planned / float(row["latency_s"]) - 1))
    assert len(errors) == 24
    assert median(errors) < 0.33
    assert max(errors) < 0.6
