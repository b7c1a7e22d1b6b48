"""Bytes at rest: known byte counts, and the published memory of full precision."""

import pytest

from quantbench.config import PrecisionEntry
from quantbench.planner import GIB, Setting, Workload, bytes_per_weight, gpus_needed, weight_bytes
from quantbench.planner.terms import weights
from quantbench.planner.weight_bytes import bytes_at_rest, row_scale_bytes, scale_bytes


def test_bytes_per_weight(catalogue) -> None:
    found = {
        name: bytes_per_weight(precision)
        for name, precision in catalogue.precisions.items()
        if not precision.noise_floor_of and precision.method != "as_published"
    }
    four = 0.5 + 1 / 64 + 1 / 4096
    assert found == {"full": 2.0, "w8a16": 1.0, "w8a16-t0": 1.0, "int8wo": 1.0, "w4a16": four, "w4a16-bf16": four}


def test_without_double_quantization_every_block_has_a_float32(catalogue) -> None:
    settings = catalogue.precisions["w4a16"].settings | {"bnb_4bit_use_double_quant": False}
    assert scale_bytes(catalogue.precisions["w4a16"].model_copy(update={"settings": settings})) == 4 / 64


def test_weights_of_a_model_known_in_full(catalogue) -> None:
    """Llama 3.3 70B has 70,553,706,496 parameters, of which 2 x 8192 x 80 + 8192 normalize."""
    counts = catalogue.models["llama-3.3-70b"].counted
    normalization = 2 * 8192 * 80 + 8192
    assert counts.linear + 2 * 128256 * 8192 + normalization == 70_553_706_496
    assert weight_bytes(counts, catalogue.precisions["full"]) == 2 * (70_553_706_496 - normalization)


def test_row_scales_are_one_float32_an_output(catalogue) -> None:
    outputs = 8192 + 2 * 1024 + 8192 + 2 * 28672 + 8192  # q, k and v, o, gate and up, down
    counts = catalogue.models["llama-3.3-70b"].counted
    assert row_scale_bytes(counts, catalogue.precisions["w8a16"]) == 80 * outputs * 4
    assert row_scale_bytes(counts, catalogue.precisions["w4a16"]) == 0
    assert row_scale_bytes(counts, catalogue.precisions["int8wo"]) == 80 * outputs * 5  # a zero point beside it


@pytest.mark.parametrize(
    ("model", "published_gib"),
    [("qwen2.5-72b", 135.78), ("llama-3.3-70b", 131.77), ("deepseek-llm-67b", 125.89), ("phi-4", 27.68)],
)
def test_full_precision_weights_are_within_two_percent_of_table_1(catalogue, model: str, published_gib: float) -> None:
    planned = weight_bytes(catalogue.models[model].counted, catalogue.precisions["full"]) / GIB
    assert planned == pytest.approx(published_gib, rel=0.02)
    assert planned < published_gib  # the rest is KV cache and workspace


def test_weights_published_quantized_take_what_their_files_do(catalogue) -> None:
    """A 4-bit 70B of 39.8 GB fits a GPU of 80 GiB; counted at 16 bits it would need two."""
    as_published = PrecisionEntry(title="as published", method="as_published")
    ordinary = catalogue.models["llama-3.3-70b"]
    known = ordinary.model_copy(update={"precision": "as_published", "stored_bytes": 39_800_000_000})
    assert bytes_at_rest(known, as_published) == 39_800_000_000
    one = Setting(known, as_published, Workload())
    assert weights(one, one.whole, "prompt") == 39_800_000_000
    assert gpus_needed(known, as_published, 80) == 1
    unknown = known.model_copy(update={"stored_bytes": None})
    assert bytes_at_rest(unknown, as_published) == weight_bytes(ordinary.counted, catalogue.precisions["full"])
    assert gpus_needed(unknown, as_published, 80) == 2
    assert bytes_at_rest(known, catalogue.precisions["full"]) == bytes_at_rest(ordinary, catalogue.precisions["full"])
