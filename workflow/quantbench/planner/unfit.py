"""Cells that the GPUs here do not hold: named before anything is downloaded, or left out."""

from __future__ import annotations

from collections.abc import Sequence

from ..devices import SeenGpus
from ..errors import ConfigError
from ..study.spec import CellSpec
from .job_resources import Requests

_NAMED = 12


def fitting(requests: Requests, cells: Sequence[CellSpec]) -> list[CellSpec]:
    """The cells to run: without those that do not fit where the configuration leaves them out, else all.

    Every job decides by the configuration alone, so that jobs on other machines see the same run.

    Raises:
        ConfigError: nothing is left to run.
    """
    hardware = requests.hardware
    if hardware.unfit == "refuse":
        return list(cells)
    unfit = {spec.cell for spec in unfit_cells(requests, cells, hardware.gpus)}
    if len(unfit) == len({spec.cell for spec in cells}):
        raise ConfigError(f"no cell is left to run: {describe(requests, cells, hardware.gpus)}")
    return [spec for spec in cells if spec.cell not in unfit]


def remarks(requests: Requests, wanted: Sequence[CellSpec], kept: Sequence[CellSpec], offered: int | None) -> list[str]:
    """What a user should know before a run starts: cells left out, a GPU size that is only assumed.

    Args:
        requests: of the run.
        wanted: every cell its studies name.
        kept: those to run that have not left results yet.
        offered: GPUs given to Snakemake by ``--resources gpu=N``; None: not stated.

    Raises:
        ConfigError: cells to run that do not fit; names them, and what can be done.
    """
    hardware = requests.hardware
    seen = requests.seen
    limit = min((count for count in (hardware.gpus, offered, seen.most_per_process) if count is not None), default=None)
    unfit = unfit_cells(requests, kept, limit)
    assumed = f"GPUs of {requests.gpu_memory_gib:g} GiB are assumed: {seen.reason}; set hardware.gpu_memory_gib"
    is_assumed = bool(kept) and not requests.gpu_memory_known and hardware.device != "cpu"
    if unfit:
        choice = f"{{unfit: leave_out, gpu_memory_gib: {requests.gpu_memory_gib:g}, gpus: {limit or 1}}}"
        raise ConfigError(
            f"{describe(requests, unfit, limit)}{_why_one(seen)}. {assumed + '. ' if is_assumed else ''}Give more or larger "
            "GPUs (--resources gpu=N, hardware.gpus, hardware.gpu_memory_gib), lower inference.token_budget, narrow models or precisions, or leave these cells "
            f"out: --config hardware='{choice}'"
        )
    lines = []
    left_out = unfit_cells(requests, wanted, hardware.gpus) if hardware.unfit == "leave_out" else []
    if left_out:
        lines.append(f"left out: {describe(requests, left_out, hardware.gpus)}")
    if is_assumed:
        lines.append(assumed)
    return [*lines, *(seen.notes if kept else ())]


def unfit_cells(requests: Requests, cells: Sequence[CellSpec], limit: int | None) -> list[CellSpec]:
    """The cells that more than ``limit`` GPUs would be needed for (None: that fit on no number of them)."""
    return [
        spec for spec in cells if (needed := requests.devices(spec)) is None or (limit is not None and needed > limit)
    ]


def describe(requests: Requests, unfit: Sequence[CellSpec], limit: int | None) -> str:
    """The cells in words: each model and precision once, with the GPUs it would need."""
    needs: dict[str, list[int | None]] = {}
    for spec in unfit:
        needs.setdefault(f"{spec.cell.model} {spec.cell.precision}", []).append(requests.devices(spec))
    named = [f"{name} ({_needs(counts)})" for name, counts in needs.items()]
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    at_most = f" with at most {limit} a cell" if limit is not None else ""
    cells = "1 cell does" if len(unfit) == 1 else f"{len(unfit)} cells do"
    return f"{cells} not fit on GPUs of {requests.gpu_memory_gib:g} GiB{at_most}: {', '.join(named[:_NAMED])}{more}"


def _why_one(seen: SeenGpus) -> str:
    return " (the GPUs here are MIG slices, of which CUDA gives a process only one)" if seen.most_per_process else ""


def _needs(counts: Sequence[int | None]) -> str:
    known = [count for count in counts if count is not None]
    if not known:
        return "on no number of them"
    return f"needs {max(known)}" if min(known) == max(known) else f"needs {min(known)} to {max(known)}"
