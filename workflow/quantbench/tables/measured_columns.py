"""Columns of ``cells.csv`` that are reckoned from a cell's measurements alone: fixed length, energy rates, clocks, device."""

from __future__ import annotations

from collections import Counter
from statistics import fmean
from typing import TypedDict

from ..contracts.machine import DeviceFacts
from ..contracts.measurements import FixedLengthReadings, Measurements
from ..measure.gpu_conditions import clocked_down


class FixedColumns(TypedDict, total=False):
    """What is told of the timing at a fixed length; nothing where there was none."""

    fixed_new_tokens: int
    fixed_n: int
    further_token_mean_s: float | None
    fixed_first_token_mean_s: float | None


class EnergyColumns(TypedDict, total=False):
    """Joules by what they paid for; nothing where there are none."""

    energy_samples: int
    energy_per_answer_j: float | None
    energy_per_1000_tokens_j: float | None


def fixed_columns(fixed: FixedLengthReadings | None) -> FixedColumns:
    """Means over the samples that were timed at a fixed length, in seconds."""
    if fixed is None or not fixed.samples:
        return {}
    further = [one.further_token_s for one in fixed.samples if one.further_token_s is not None]
    firsts = [one.first_token_s for one in fixed.samples if one.first_token_s is not None]
    return {
        "fixed_new_tokens": fixed.new_tokens,
        "fixed_n": len(fixed.samples),
        "further_token_mean_s": fmean(further) if further else None,
        "fixed_first_token_mean_s": fmean(firsts) if firsts else None,
    }


def energy_columns(measured: Measurements) -> EnergyColumns:
    """Joules per answered sample and per 1,000 new tokens, of the answers that they paid for."""
    energy = measured.energy
    if energy.energy_j is None:
        return {}
    # Before samples were counted, energy was of the same answers as the pass's seconds.
    samples = measured.quality_pass.samples if energy.samples is None else energy.samples
    return {
        "energy_samples": samples,
        "energy_per_answer_j": energy.energy_j / samples if samples else None,
        "energy_per_1000_tokens_j": 1000 * energy.energy_j / energy.new_tokens if energy.new_tokens else None,
    }


def clock_note(measured: Measurements) -> str | None:
    """What slowed GPUs around a pass, and around which; None where nothing is known to have done so."""
    passes = {"timing": measured.latency.gpus, "answering": measured.quality_pass.gpus}
    slowed = {name: clocked_down(conditions) for name, conditions in passes.items()}
    words = [f"{', '.join(reasons)} ({name})" for name, reasons in slowed.items() if reasons]
    return f"clocked down: {'; '.join(words)}" if words else None


def device_words(device: DeviceFacts) -> str:
    """For example ``CPU`` with its name, or ``2 x NVIDIA A100``."""
    counted = [name if count == 1 else f"{count} x {name}" for name, count in Counter(device.names).items()]
    words = " + ".join(counted)
    if device.kind == "cpu":
        return f"CPU ({words})" if words else "CPU"
    return words
