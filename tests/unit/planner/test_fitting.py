"""What fits on how many GPUs: known answers, and the placement's shares."""

from dataclasses import replace

import pytest

from quantbench.errors import ConfigError
from quantbench.planner import GIB, Workload, gpus_needed, plan_memory
from quantbench.planner.fitting import devices_needed, fits


def test_gpus(catalogue) -> None:
    model = catalogue.models["qwen2.5-72b"]
    needed = {
        name: gpus_needed(model, precision, 80)
        for name, precision in catalogue.precisions.items()
        if not precision.noise_floor_of and precision.method != "as_published"
    }
    assert needed == {"full": 2, "w8a16": 1, "w8a16-t0": 1, "int8wo": 1, "w4a16": 1, "w4a16-bf16": 1}
    assert gpus_needed(catalogue.models["llama-3.3-70b"], catalogue.precisions["full"], 141) == 1


@pytest.mark.parametrize("model", ["qwen2.5-72b", "llama-3.3-70b", "deepseek-llm-67b", "phi-4"])
@pytest.mark.parametrize("precision", ["full", "w8a16", "w4a16"])
def test_the_papers_runs_fit_the_papers_gpus(setting, model: str, precision: str) -> None:
    assert fits(setting(model, precision, devices=4), 40)


def test_the_largest_model_needs_all_four_of_the_papers_gpus(setting) -> None:
    assert devices_needed(setting("qwen2.5-72b", "full"), 40) == 4


def test_one_device_holds_everything(setting) -> None:
    one = setting("phi-4", "w4a16")
    assert plan_memory(one).fullest.peak_bytes == plan_memory(one).peak_bytes


@pytest.mark.parametrize("precision", ["full", "w8a16", "w4a16"])
@pytest.mark.parametrize("devices", [2, 3, 4, 8])
def test_the_fullest_device_holds_more_than_its_part_and_less_than_all(setting, precision: str, devices: int) -> None:
    several = setting("llama-3.3-70b", precision, devices=devices)
    plan = plan_memory(several)
    assert plan.peak_bytes / devices <= plan.fullest.peak_bytes < plan.peak_bytes


def test_a_larger_gpu_never_needs_more(setting) -> None:
    counts = [devices_needed(setting("llama-3.3-70b", "full"), size) for size in (24, 40, 48, 80, 141, 200)]
    assert counts == sorted(counts, reverse=True)


def test_batches_are_counted(catalogue) -> None:
    model, precision = catalogue.models["qwen2.5-7b"], catalogue.precisions["w4a16"]
    assert gpus_needed(model, precision, 24) == 1
    assert gpus_needed(model, precision, 24, Workload(prompt_tokens=2048, batch=64)) > 1


def test_what_can_never_fit_is_said(catalogue, setting) -> None:
    """Its embedding alone is larger than the GPU."""
    assert devices_needed(setting("qwen2.5-72b", "full"), 2) is None
    with pytest.raises(ConfigError, match=r"Qwen2.5-72B at full does not fit on GPUs of 2 GiB.*gpu_memory_gib"):
        gpus_needed(catalogue.models["qwen2.5-72b"], catalogue.precisions["full"], 2)


def test_a_gpu_is_not_filled_to_the_last_byte(setting) -> None:
    """The CUDA context and what the plan may be short of stay free."""
    one = setting("phi-4", "full")
    exact = plan_memory(one).peak_bytes / GIB
    assert not fits(one, exact)
    assert fits(one, exact * 1.03 + 0.51)


def test_layers_without_formulas_are_left_more_room(setting) -> None:
    known = setting("phi-4", "full")
    counts = known.counts.model_copy(update={"beyond_formulas": ["state-space layers"]})
    other = replace(known, model=known.model.model_copy(update={"counts": counts}))
    size = plan_memory(known).fullest.needed_bytes / GIB * 1.1 + 0.5
    assert plan_memory(other).peak_bytes == plan_memory(known).peak_bytes
    assert plan_memory(other).fullest.needed_bytes == pytest.approx(1.3 * plan_memory(known).fullest.needed_bytes)
    assert (devices_needed(known, size), devices_needed(other, size)) == (1, 2)
