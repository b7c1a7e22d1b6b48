"""Time and energy of a quality pass that is killed and goes on: those of every answer that was kept, and of no other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from quantbench.cell.pass_meter import PassMeter
from quantbench.cell.progress import Progress
from quantbench.contracts.machine import DeviceFacts
from quantbench.contracts.measurements import Energy, Process, QualityPass
from quantbench.contracts.records import Prediction
from quantbench.measure.energy import EnergyWindow, energy_window
from tests.devices.fake_nvml import FakeMachine

A100, H100 = (DeviceFacts(kind="cuda", names=[name]) for name in ("NVIDIA A100", "NVIDIA H100"))
GPU = "GPU-aaaaaaaa-0000-0000-0000-000000000000"
OTHER = Process(pid=7, name="other", used_bytes=None)


class Joules:
    """The counter of a GPU, moved by hand."""

    def __init__(self, machine: FakeMachine, power: str) -> None:
        self._machine, self._power, self._mj = machine, power, 100_000
        machine.add(self._line())

    def move(self, joules: float) -> None:
        """Let the GPU take this much more."""
        self._machine.remove(f"gpu {GPU}")
        self._mj += round(joules * 1000)
        self._machine.add(self._line())

    def vanish(self) -> None:
        """Lose the GPU."""
        self._machine.remove(f"gpu {GPU}")

    def _line(self) -> str:
        return f'gpu {GPU} name="NVIDIA A100" energy_mj={self._mj} {self._power}'


@dataclass(frozen=True)
class Starts:
    """Starts of one cell, each a process of its own, on a GPU of a described machine."""

    progress: Progress
    machine: FakeMachine

    def run(
        self, steps: Sequence[Callable[[Joules, PassMeter], None]], device: DeviceFacts = A100, power: str = ""
    ) -> tuple[Energy, QualityPass]:
        self.machine.empty()
        counter = Joules(self.machine, power)
        meter = PassMeter(self.progress, energy_window([GPU]), device)
        with meter:
            for step in steps:
                step(counter, meter)
        return meter.energy([OTHER]), meter.quality_pass("static", 5)


@pytest.fixture
def starts(tmp_path: Path, fake_machine: FakeMachine) -> Starts:
    progress = Progress(tmp_path, "a" * 64)
    with progress.alone():
        pass
    return Starts(progress, fake_machine)


def answers(*tokens: int) -> list[Prediction]:
    return [Prediction(str(place), [""], 5, [count], ["stop"]) for place, count in enumerate(tokens)]


def batch(joules: float, *tokens: int) -> Callable[[Joules, PassMeter], None]:
    def step(counter: Joules, meter: PassMeter) -> None:
        counter.move(joules)
        meter.kept(answers(*tokens))

    return step


def in_flight(joules: float) -> Callable[[Joules, PassMeter], None]:
    def step(counter: Joules, _: PassMeter) -> None:
        counter.move(joules)

    return step


def gone(counter: Joules, _: PassMeter) -> None:
    counter.vanish()


def still(counter: Joules, meter: PassMeter) -> None:
    meter.kept(answers(1))


def lost(counter: Joules, meter: PassMeter) -> None:
    gone(counter, meter)
    meter.kept(answers(1, 1))


def test_the_energy_of_all_starts_is_added_up_and_only_what_was_in_flight_is_lost(starts: Starts) -> None:
    starts.run([batch(30, 10, 20), batch(12, 6), in_flight(1000)])
    energy, quality = starts.run([batch(18, 4, 5, 6)], power="power_w=50")
    assert energy.energy_j == pytest.approx(60)
    assert (energy.samples, energy.new_tokens, energy.reason) == (6, 51, "")
    assert (energy.source, energy.idle_power_w, energy.contended_by) == ("nvml", 50.0, [OTHER])
    assert (quality.samples, quality.batches, quality.engine) == (6, 5, "static")
    assert energy.window_s == pytest.approx(quality.seconds)


def test_answers_whose_energy_is_unknown_are_not_among_those_it_paid_for(starts: Starts) -> None:
    starts.run([batch(30, 10, 20), lost])
    energy, quality = starts.run([batch(15, 7)])
    assert (energy.energy_j, energy.samples, energy.new_tokens) == (pytest.approx(45), 3, 37)
    assert quality.samples == 5
    assert energy.window_s < quality.seconds


def test_joules_of_another_kind_of_device_are_not_added(starts: Starts) -> None:
    starts.run([batch(900, 10, 20)], device=H100)
    energy, quality = starts.run([batch(15, 7)])
    assert (energy.energy_j, energy.samples) == (pytest.approx(15), 1)
    assert quality.samples == 3


def test_without_a_counter_or_where_it_stands_still_energy_is_unavailable(starts: Starts) -> None:
    energy, _ = starts.run([still, still])
    assert energy.energy_j is None
    assert "did not move" in energy.reason
    none, _ = starts.run([lost], device=H100)
    assert (none.energy_j, none.reason, none.samples) == (
        None,
        f"unavailable: NVML does not tell the energy of {GPU} (GPU is lost)",
        0,
    )


def test_a_start_with_nothing_left_to_answer_states_what_others_noted(starts: Starts) -> None:
    starts.run([batch(30, 10, 20)])
    meter = PassMeter(starts.progress, EnergyWindow(None, "no driver"), A100)
    assert meter.energy([]).energy_j == pytest.approx(30)
    assert meter.quality_pass("static", 5).samples == 2
