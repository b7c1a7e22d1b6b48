"""Energy: a powercap tree with known counters, the machine's own where it has them, and missing ones never read as 0."""

import os
import time
from pathlib import Path

import pytest

from quantbench.contracts.measurements import Energy
from quantbench.measure.energy import POWERCAP, EnergyWindow, RaplCounter, energy_window

RANGE_UJ = 262_143_328_850


class Tree:
    """A powercap tree whose counters are moved by hand."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def set(self, domain: str, name: str, energy_uj: int, range_uj: int = RANGE_UJ) -> None:
        folder = self.folder / domain
        folder.mkdir(parents=True, exist_ok=True)
        for file, content in (("name", name), ("energy_uj", energy_uj), ("max_energy_range_uj", range_uj)):
            beside = folder / f".{file}"
            beside.write_text(f"{content}\n")
            beside.replace(folder / file)  # like the kernel's, it is never seen half written


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_packages_and_memory_are_added_cores_and_platform_are_not(tree: Tree) -> None:
    domains = {
        "intel-rapl:0": "package-0",
        "intel-rapl:0:0": "core",
        "intel-rapl:0:1": "dram",
        "intel-rapl:1": "package-1",
        "intel-rapl:2": "psys",
    }
    for domain, name in domains.items():
        tree.set(domain, name, 1_000_000)
    window = energy_window([], tree.folder)
    with window:
        for domain, name in domains.items():
            tree.set(domain, name, 3_500_000)
    record = window.record()
    assert record.energy_j == pytest.approx(3 * 2.5)
    assert (record.reason, record.source, record.idle_power_w) == ("", "rapl", None)
    assert record.window_s > 0


def test_what_a_pause_takes_is_left_out(tree: Tree) -> None:
    tree.set("intel-rapl:0", "package-0", 1_000_000)
    window = energy_window([], tree.folder)
    with window.paused():  # before the window: nothing happens
        tree.set("intel-rapl:0", "package-0", 2_000_000)
    with window:
        tree.set("intel-rapl:0", "package-0", 3_000_000)
        with pytest.raises(ValueError, match="read"), window.paused():
            tree.set("intel-rapl:0", "package-0", 9_000_000)
            time.sleep(0.2)
            raise ValueError("read")
        tree.set("intel-rapl:0", "package-0", 9_500_000)
    record = window.record()
    assert record.energy_j == pytest.approx(1.5)
    assert record.window_s is not None
    assert record.window_s < 0.2


def test_a_counter_that_starts_again_is_followed(tree: Tree) -> None:
    tree.set("intel-rapl:0", "package-0", RANGE_UJ - 4_000_000)
    window = energy_window([], tree.folder)
    with window:
        tree.set("intel-rapl:0", "package-0", 1_000_000)
    assert window.record().energy_j == pytest.approx(5.0)


def test_a_counter_that_starts_again_several_times_is_read_often_enough(tree: Tree) -> None:
    """Three times round a small range within one window: seen only because the window reads in between."""
    tree.set("intel-rapl:0", "package-0", 0, range_uj=1000)
    readings: list[int] = []

    class Watched(RaplCounter):
        def read_uj(self) -> list[int]:
            found = super().read_uj()
            readings.append(found[0])
            return found

    with EnergyWindow(Watched(tree.folder), poll_s=0.005) as window:
        for value in (600, 200, 800, 400, 100):
            tree.set("intel-rapl:0", "package-0", value, range_uj=1000)
            deadline = time.monotonic() + 20
            while readings[-1] != value and time.monotonic() < deadline:
                time.sleep(0.001)
    assert window.record().energy_j == pytest.approx(3100e-6)


def test_without_a_counter_energy_is_unavailable_with_the_reason(tmp_path: Path) -> None:
    with energy_window([], tmp_path) as window:
        pass
    record = window.record()
    assert record.energy_j is None
    assert record.reason == f"unavailable: no processor energy counter ({tmp_path}/intel-rapl:* is missing)"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_counter_only_root_may_read_is_named(tree: Tree) -> None:
    tree.set("intel-rapl:0", "package-0", 5)
    path = tree.folder / "intel-rapl:0/energy_uj"
    path.chmod(0)
    reason = energy_window([], tree.folder).record().reason
    assert reason.startswith(f"unavailable: {path} may not be read")


def test_a_counter_that_vanishes_or_stands_still_is_never_0(tree: Tree) -> None:
    tree.set("intel-rapl:0", "package-0", 5)
    with energy_window([], tree.folder) as still:
        pass
    assert still.record().energy_j is None
    assert "did not move" in still.record().reason
    with energy_window([], tree.folder) as gone:
        (tree.folder / "intel-rapl:0/energy_uj").unlink()
    assert gone.record().energy_j is None
    assert "energy_uj" in gone.record().reason


def test_a_window_never_opened_says_so(tree: Tree) -> None:
    tree.set("intel-rapl:0", "package-0", 5)
    record = energy_window([], tree.folder).record()
    assert (record.energy_j, record.reason) == (None, "unavailable: no sample was left to answer")


def busy(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        sum(range(1000))


def test_this_machines_own_counters_count_plausible_watts() -> None:
    records: list[Energy] = []
    for seconds in (0.2, 0.8):
        with energy_window([], POWERCAP) as window:
            busy(seconds)
        records.append(window.record())
    if records[0].energy_j is None:
        pytest.skip(records[0].reason)
    assert records[0].energy_j < records[1].energy_j
    assert 0.5 < records[1].energy_j / records[1].window_s < 2000
