"""``quantbench plan --hours``: the time of the configured run, under either engine, with what is assumed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import get_args

from ..config import Catalogue
from ..errors import ConfigError, FoundWanting
from ..planner import GPUS, Gpu, Requests, RunHours, cell_time, describe, nearest_gpu, run_hours, unfit_cells
from ..planner.hours import DISK_BYTES_S, START_S, Answers
from ..planner.speed import BANDWIDTH_PART, CALL_S, FLOPS_PART
from ..study.grid import run_cells
from ..study.spec import CellSpec, cell_specs
from .printing import write_records, write_text

ENGINES = ("single", "static")
_COLUMNS = {"engine": None, "answers": None, "cells": None, "wall_hours": 1, "gpu_hours": 1}
_HOURS_A_DAY = 24


def show_hours(catalogue: Catalogue, gpu: str | None, gpus: int | None, form: str) -> None:
    """Print wall time and GPU-hours.

    Args:
        catalogue: the configuration.
        gpu: a key of :data:`~quantbench.planner.GPUS`; None: by ``hardware.gpu_memory_gib``.
        gpus: how many there are; None: ``hardware.gpus``, or 1.
        form: ``text``, ``csv`` or ``json``.

    Raises:
        ConfigError: the run is on CPU, or there are no GPUs.
        FoundWanting: the GPUs do not hold some cells under the configured engine (said after printing).
    """
    if catalogue.run.hardware.device == "cpu":
        raise ConfigError("--hours plans GPUs, and hardware.device is 'cpu'; set it to 'auto'")
    total = catalogue.run.hardware.gpus or 1 if gpus is None else gpus
    if total < 1:
        raise ConfigError(f"--gpus has the value {total}; give a number of at least 1")
    kind = GPUS[gpu] if gpu else nearest_gpu(Requests(catalogue.run.hardware).gpu_memory_gib)
    specs = list(cell_specs(catalogue, run_cells(catalogue)).values())
    planned = {engine: _engine_hours(specs, kind, engine, total) for engine in ENGINES}
    if form == "text":
        said = (
            f"{len(specs)} cells of the run {catalogue.run.run!r} on {total} x {kind.title} of {kind.memory_gib:g} GiB."
        )
        print(f"{said}\n")
        _write_text(planned, kind)
    else:
        rows = [
            (engine, answers, found.cells, hours.wall_h, hours.gpu_h)
            for engine, found in planned.items()
            for answers, hours in found.hours.items()
        ]
        write_records(form, _COLUMNS, rows)
    configured = catalogue.run.inference.engine
    found = planned[configured if configured in planned else "static"]
    if found.left_out:
        raise FoundWanting(found.left_out)


def _write_text(planned: Mapping[str, _EngineHours], kind: Gpu) -> None:
    table = [
        [engine, answers, f"{hours.wall_h:.1f}", f"{hours.wall_h / _HOURS_A_DAY:.1f}", f"{hours.gpu_h:.1f}"]
        for engine, found in planned.items()
        for answers, hours in found.hours.items()
    ]
    write_text(["engine", "answers", "wall hours", "days", "GPU-hours"], table, names=2)
    for engine, found in planned.items():
        if found.left_out:
            print(f"\nNot counted under {engine}: {found.left_out}.")
    print(_assumptions(kind))


@dataclass(frozen=True)
class _EngineHours:
    """The time of the cells that fit, by how long answers are, and the others in words."""

    cells: int
    hours: dict[str, RunHours]
    left_out: str


def _engine_hours(specs: Sequence[CellSpec], kind: Gpu, engine: str, total: int) -> _EngineHours:
    as_run = (_as_run(spec, kind, engine) for spec in specs)
    # One sample at a time has one batch plan, so a run has no noise floors then.
    planned = [spec for spec in as_run if spec.inference.has_further_plans or spec.precision.plan_number == 1]
    requests = Requests(planned[0].hardware)
    unfit = unfit_cells(requests, planned, total)
    left_out = {spec.cell for spec in unfit}
    counted = [spec for spec in planned if spec.cell not in left_out]
    devices = [requests.devices(spec) or 0 for spec in counted]
    hours = {
        answers: run_hours([cell_time(spec, kind, answers).total_s for spec in counted], devices, total)
        for answers in get_args(Answers)
    }
    return _EngineHours(len(counted), hours, describe(requests, unfit, total) if unfit else "")


def _as_run(spec: CellSpec, kind: Gpu, engine: str) -> CellSpec:
    """A cell on GPUs and by an engine as stated."""
    hardware = spec.hardware.model_copy(update={"gpu_memory_gib": float(kind.memory_gib)})
    return replace(spec, hardware=hardware, inference=spec.inference.model_copy(update={"engine": engine}))


def _assumptions(kind: Gpu) -> str:
    calls = ", ".join(f"{name} {1000 * seconds:.2f}" for name, seconds in CALL_S.items())
    return f"""
Assumed (docs/hours.md says why, and how far the paper's latencies are from this):
- answers: 'gold', as long as the gold ones on average, chains of thought and reasoning models' thoughts half
  their limit; 'limit', all at their limit.
  Base models always go on to the limit.
- {kind.title}: {kind.bandwidth / 1e12:.2f} TB/s, of which {BANDWIDTH_PART:.0%} are reached while a token is written; \
{kind.flops / 1e12:.0f} TFLOP/s, {FLOPS_PART:.0%} while a prompt is read.
- a call of a linear layer costs, in ms: {calls}.
- a model on several GPUs computes on one of them at a time.
- each cell loads its model: {START_S:.0f} s, and 16 bits a weight at {DISK_BYTES_S / 1e9:g} GB/s.
- cells start the longest first, as many at once as fit; downloads are not counted, nor what batches share of a prompt."""
