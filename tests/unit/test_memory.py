"""The planner's weights against the published memory of full precision, and known byte counts."""

from pathlib import Path

import pytest
import yaml

from quantbench.config import load
from quantbench.memory import GIB, bytes_per_weight, gpus_needed, weight_bytes

NAMES = ("full", "w8a16", "w4a16")


@pytest.fixture(scope="module")
def catalogue(repository: Path):
    return load(repository, yaml.safe_load((repository / "config/config.yaml").read_text()), "config/config.yaml")


def test_bytes_per_weight(catalogue) -> None:
    found = {name: bytes_per_weight(precision) for name, precision in catalogue.precisions.items() if name in NAMES}
    assert found == {"full": 2.0, "w8a16": 1.0, "w4a16": 0.5 + 1 / 64 + 1 / 4096}


@pytest.mark.parametrize(
    ("model", "published_gib"),
    [("qwen2.5-72b", 135.78), ("llama-3.3-70b", 131.77), ("deepseek-llm-67b", 125.89), ("phi-4", 27.68)],
)
def test_full_precision_weights_are_within_two_percent_of_table_1(catalogue, model: str, published_gib: float) -> None:
    planned = weight_bytes(catalogue.models[model].architecture, catalogue.precisions["full"]) / GIB
    assert planned == pytest.approx(published_gib, rel=0.02)
    assert planned < published_gib  # the rest is KV cache and workspace


def test_gpus(catalogue) -> None:
    model = catalogue.models["qwen2.5-72b"]
    needed = {
        name: gpus_needed(model, precision, 80) for name, precision in catalogue.precisions.items() if name in NAMES
    }
    assert needed == {"full": 2, "w8a16": 1, "w4a16": 1}
    assert gpus_needed(model, catalogue.precisions["full"], 40) == 4
