"""Which device holds which blocks: against every other way to place them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations_with_replacement

import pytest

from quantbench.planner import Placement, Setting, place, plan_memory
from quantbench.planner.device_part import DevicePart
from quantbench.planner.terms import needed_by_blocks, needed_on

MIB = 2**20


def small(setting, model: str, precision: str, layers: int, **workload: int) -> Setting:
    """A model of few blocks of a real one's size."""
    one = setting(model, precision, **workload)
    counts, facts = one.counts, one.facts
    cut = {
        name: getattr(counts, name) * layers // facts.layers
        for name in ("linear", "linear_outputs", "linear_calls", "rest", "cached")
    }
    entry = one.model.model_copy(
        update={
            "architecture": facts.model_copy(update={"layers": layers}),
            "counts": counts.model_copy(update=cut),
        }
    )
    return Setting(entry, one.precision, one.workload)


def every_placement(one: Setting, devices: int) -> Iterator[Placement]:
    for blocks in combinations_with_replacement(range(devices), one.facts.layers):
        if one.facts.tied_head:
            yield Placement(0, blocks, 0)
        else:
            yield from (Placement(0, blocks, head) for head in range(blocks[-1], devices))


def peaks(one: Setting, placement: Placement, devices: int) -> list[float]:
    return [needed_on(one, placement.part(device)) for device in range(devices)]


def least(one: Setting, free: list[float]) -> float | None:
    """The least maximum of all placements that leave each device within its bytes."""
    found = [peaks(one, placement, len(free)) for placement in every_placement(one, len(free))]
    allowed = [each for each in found if all(peak <= room for peak, room in zip(each, free, strict=True))]
    return min(map(max, allowed), default=None)


@pytest.mark.parametrize("model", ["qwen2.5-7b", "qwen2.5-3b", "phi-4"])
@pytest.mark.parametrize("precision", ["full", "w8a16", "w4a16"])
@pytest.mark.parametrize("layers", [1, 2, 7])
def test_no_other_placement_has_a_lower_maximum(setting, model: str, precision: str, layers: int) -> None:
    """Also where devices differ and where nearly nothing fits; qwen2.5-3b's head is tied."""
    one = small(setting, model, precision, layers, prompt_tokens=300)
    whole = needed_on(one, one.whole)
    scales = [
        (1.1,),
        (0.6, 0.7),
        (0.9, 0.2),
        (0.2, 0.9),
        (0.5, 0.5, 0.5),
        (0.5, 0.1, 0.6),
        (0.7, 0.5, 0.3),
        (0.3,) * 4,
        (0.4, 0.5),
    ]
    for scale in scales:
        free = [part * whole for part in scale]
        placement, expected = place(one, free), least(one, free)
        assert (placement is None) == (expected is None), scale
        if placement is not None and expected is not None:
            found = peaks(one, placement, len(free))
            assert max(found) == pytest.approx(expected, rel=1e-12), scale
            assert all(peak <= room * (1 + 1e-12) for peak, room in zip(found, free, strict=True))


@pytest.mark.parametrize("chains", [1, 3])
@pytest.mark.parametrize("model", ["qwen2.5-3b", "phi-4"])
@pytest.mark.parametrize("precision", ["full", "w8a16", "w4a16"])
def test_a_device_takes_as_much_a_block(setting, model: str, precision: str, chains: int) -> None:
    one = setting(model, precision, batch=4, chains=chains, shared_tokens=100)
    for kind in ((False, False), (True, False), (False, True), (True, True)):
        expected = [needed_on(one, DevicePart(blocks, *kind)) for blocks in range(one.facts.layers + 1)]
        assert needed_by_blocks(one, *kind) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("model", "devices"), [("llama-3.3-70b", 4), ("qwen2.5-3b", 3), ("phi-4", 7)])
def test_pieces_stay_whole_and_in_order(setting, model: str, devices: int) -> None:
    one = setting(model, "full", devices=devices)
    placement = place(one, [1e15] * devices)
    assert placement is not None
    assert placement.blocks == tuple(sorted(placement.blocks)) and len(placement.blocks) == one.facts.layers
    assert placement.embedding == 0
    assert placement.head == (0 if one.facts.tied_head else devices - 1)
    assert placement.devices == devices


def test_a_device_too_small_for_anything_is_passed_over(setting) -> None:
    one = setting("phi-4", "full")
    half = plan_memory(one).peak_bytes * 0.6
    for free, used in (([half, MIB, half], {0, 2}), ([half, half, MIB], {0, 1})):
        placement = place(one, free)
        assert placement is not None
        assert {placement.embedding, *placement.blocks, placement.head} == used


def test_the_first_device_must_hold_the_embedding(setting) -> None:
    assert place(setting("phi-4", "full"), [MIB, 1e15]) is None
