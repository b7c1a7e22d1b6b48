"""Instruments against something known: a sleep, a block of memory, a missing counter."""

import time

from quantbench.measure import memory
from quantbench.measure.energy import EnergyWindow
from quantbench.measure.latency import Timing, time_each

MIB = 1024**2


def test_a_known_sleep_is_timed_within_five_percent() -> None:
    calls, waits = [], []

    def generate(pause_s: float) -> Timing:
        calls.append(pause_s)
        time.sleep(pause_s / 2)
        first = time.perf_counter()
        time.sleep(pause_s / 2)
        return Timing(first, prompt_tokens=7, new_tokens=3)

    items = [("warm", 0.01), ("a", 0.2), ("b", 0.3)]
    found = time_each(items, generate, lambda: waits.append(1), warmup=1)
    assert calls == [0.01, 0.2, 0.3]
    assert len(waits) == 6  # before and after each call
    assert [item["sample_id"] for item in found] == ["a", "b"]
    for item, (_, pause_s) in zip(found, items[1:], strict=True):
        assert pause_s <= item["latency_s"] <= pause_s * 1.05
        assert pause_s / 2 <= item["first_token_s"] <= pause_s / 2 * 1.05
        assert (item["prompt_tokens"], item["new_tokens"]) == (7, 3)


def test_a_known_load_is_seen_by_the_resident_set() -> None:
    memory.start_peak()  # also imports torch, which must not count
    before = memory.resident_bytes()
    block = bytearray(200 * MIB)
    for page in range(0, len(block), 4096):
        block[page] = 1
    held = memory.resident_bytes() - before
    del block
    peak = memory.peak()["peak_resident_bytes"] - before
    assert 195 * MIB < held < 215 * MIB
    assert 195 * MIB < peak < 215 * MIB
    assert memory.resident_bytes() - before < 50 * MIB


def test_energy_without_a_counter_is_unavailable_with_the_reason() -> None:
    with EnergyWindow([]) as window:
        pass
    assert window.record() == {"energy_j": None, "reason": "unavailable: no GPU in use"}
    with EnergyWindow(["GPU-of-no-machine"]) as window:
        pass
    record = window.record()
    assert record["energy_j"] is None
    assert record["reason"].startswith("unavailable: ")
