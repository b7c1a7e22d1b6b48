"""Time and energy of a quality pass that is killed and goes on: those of every answer that was kept, and of no other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from quantbench.cell.pass_meter import PassMeter
from quantbench.cell.progress import Progress
from quantbench.contracts.machine import DeviceFacts
from quantbench.contracts.measurements import Energy, Process, QualityPass
from quantbench.contracts.records import Prediction
from quantbench.measure.energy import EnergyWindow

A100, H100 = (DeviceFacts(kind="cuda", names=[name]) for name in ("NVIDIA A100", "NVIDIA H100"))
OTHER = Process(pid=7, name="other", used_bytes=None)


class Joules:
    """A counter that is moved by hand, in joules."""

    source = "nvml"
    ranges_uj = (None,)

    def __init__(self) -> None:
        self.joules: float | None = 100.0

    def read_uj(self) -> list[int]:
        if self.joules is None:
            raise OSError("the counter is gone")
        return [round(self.joules * 1e6)]

    def idle_power_w(self) -> float:
        return 50.0


@pytest.fixture
def progress(tmp_path: Path) -> Progress:
    progress = Progress(tmp_path, "a" * 64)
    with progress.alone():
        pass
    return progress


def answers(*tokens: int) -> list[Prediction]:
    return [Prediction(str(place), [""], 5, [count], ["stop"]) for place, count in enumerate(tokens)]


def a_start(
    progress: Progress, steps: Sequence[Callable[[Joules, PassMeter], None]], device: DeviceFacts = A100
) -> tuple[Energy, QualityPass]:
    counter = Joules()
    meter = PassMeter(progress, EnergyWindow(counter), device)
    with meter:
        for step in steps:
            step(counter, meter)
    return meter.energy([OTHER]), meter.quality_pass("static", 5)


def batch(joules: float, *tokens: int) -> Callable[[Joules, PassMeter], None]:
    def step(counter: Joules, meter: PassMeter) -> None:
        assert counter.joules is not None
        counter.joules += joules
        meter.kept(answers(*tokens))

    return step


def in_flight(joules: float) -> Callable[[Joules, PassMeter], None]:
    def step(counter: Joules, _: PassMeter) -> None:
        assert counter.joules is not None
        counter.joules += joules

    return step


def gone(counter: Joules, _: PassMeter) -> None:
    counter.joules = None


def still(counter: Joules, meter: PassMeter) -> None:
    meter.kept(answers(1))


def lost(counter: Joules, meter: PassMeter) -> None:
    gone(counter, meter)
    meter.kept(answers(1, 1))


def test_the_energy_of_all_starts_is_added_up_and_only_what_was_in_flight_is_lost(progress: Progress) -> None:
    a_start(progress, [batch(30, 10, 20), batch(12, 6), in_flight(1000)])
    energy, quality = a_start(progress, [batch(18, 4, 5, 6)])
    assert energy.energy_j == pytest.approx(60)
    assert (energy.samples, energy.new_tokens, energy.reason) == (6, 51, "")
    assert (energy.source, energy.idle_power_w, energy.contended_by) == ("nvml", 50.0, [OTHER])
    assert (quality.samples, quality.batches, quality.engine) == (6, 5, "static")
    assert energy.window_s == pytest.approx(quality.seconds)


def test_answers_whose_energy_is_unknown_are_not_among_those_it_paid_for(progress: Progress) -> None:
    a_start(progress, [batch(30, 10, 20), lost])
    energy, quality = a_start(progress, [batch(15, 7)])
    assert (energy.energy_j, energy.samples, energy.new_tokens) == (pytest.approx(45), 3, 37)
    assert quality.samples == 5
    assert energy.window_s < quality.seconds


def test_joules_of_another_kind_of_device_are_not_added(progress: Progress) -> None:
    a_start(progress, [batch(900, 10, 20)], device=H100)
    energy, quality = a_start(progress, [batch(15, 7)])
    assert (energy.energy_j, energy.samples) == (pytest.approx(15), 1)
    assert quality.samples == 3


def test_without_a_counter_or_where_it_stands_still_energy_is_unavailable(progress: Progress) -> None:
    energy, _ = a_start(progress, [still, still])
    assert energy.energy_j is None
    assert "did not move" in energy.reason
    none, _ = a_start(progress, [lost], device=H100)
    assert (none.energy_j, none.reason, none.samples) == (None, "unavailable: the counter is gone", 0)


def test_a_start_with_nothing_left_to_answer_states_what_others_noted(progress: Progress) -> None:
    a_start(progress, [batch(30, 10, 20)])
    meter = PassMeter(progress, EnergyWindow(None, "no driver"), A100)
    assert meter.energy([]).energy_j == pytest.approx(30)
    assert meter.quality_pass("static", 5).samples == 2
