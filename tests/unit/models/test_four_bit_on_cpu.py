"""Layers that bitsandbytes gets wrong on a CPU in 4 bits are refused, and those its fastest kernel does not take are not."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.model_folders import write_model
from tests.tiny_checkpoints import ENTRY, save_checkpoint

from quantbench.errors import ModelError
from quantbench.models.four_bit_on_cpu import inputs
from quantbench.models.loading import load_model
from quantbench.models.quantized_layers import four_bit_layers

MESSAGE = (
    r"^[^\n]*: bitsandbytes multiplies 4-bit layers on a CPU only where their inputs are a multiple of 64, and those of "
    r"model\.layers\.0\.mlp\.down_proj \(96\), model\.layers\.1\.mlp\.down_proj \(96\) are not: run it at full, w8a16 or int8wo"
)


def test_rows_that_are_no_whole_blocks_are_refused_before_loading(
    tmp_path: Path, precisions, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save_checkpoint(tmp_path, intermediate_size=96)
    assert load_model(folder, ENTRY, precisions["w8a16"], None, "cpu").applied.quantized_share
    monkeypatch.setattr(
        "quantbench.models.loading._published_model", lambda *_: pytest.fail("the model's weights were read")
    )
    with pytest.raises(ModelError, match=MESSAGE):
        load_model(folder, ENTRY, precisions["w4a16"], None, "cpu")


def test_a_stand_in_is_refused_likewise(precisions) -> None:
    facts = ENTRY.architecture.model_copy(update={"intermediate_size": 96})
    stand_in = ENTRY.model_copy(update={"weights": "random", "architecture": facts})
    with pytest.raises(ModelError, match=MESSAGE):
        load_model(Path("nowhere"), stand_in, precisions["w4a16"], None, "cpu")


def test_any_number_of_rows_is_multiplied_right(tmp_path: Path, precisions) -> None:
    from bitsandbytes.functional import dequantize_4bit

    folder = save_checkpoint(tmp_path, hidden_size=64, num_attention_heads=4, num_key_value_heads=1, head_dim=16)
    model = load_model(folder, ENTRY, precisions["w4a16"], None, "cpu").model
    layer = dict(model.named_modules())["model.layers.0.self_attn.k_proj"]
    assert layer.out_features == 16
    weight = dequantize_4bit(layer.weight.data, layer.weight.quant_state).float()
    inputs = torch.randn(3, 64, dtype=torch.float32).to(next(iter(model.parameters())).dtype)
    with torch.inference_mode():
        assert torch.allclose(layer(inputs).float(), inputs.float() @ weight.T, atol=0.02)


def test_a_tower_for_images_does_not_matter(tmp_path: Path, precisions) -> None:
    """Gemma 3's has rows of 4,304 numbers, and no text goes through it."""
    folder = write_model(tmp_path, "gemma3")
    loaded = load_model(folder, ENTRY, precisions["w4a16"], None, "cpu")
    towers = [layer for name, layer in four_bit_layers(loaded.model) if "vision" in name]
    assert any(inputs(layer) % 64 for layer in towers)
