"""Files that are not the model's are refused before a device holds anything of them; damaged numbers at the first answer."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from quantbench.config import ModelEntry, PrecisionEntry, read_entries
from quantbench.engine.decoding_settings import GenerationSettings
from quantbench.engine.generation import Generator
from quantbench.errors import ModelError
from quantbench.models.loading import LoadedModel, load_model
from quantbench.models.number_formats import NumberFormats
from quantbench.models.tokenizing import load_tokenizer
from quantbench.planner import Placement
from tests.tiny_checkpoints import rewrite

from .conftest import SimulatedCuda
from .simulated_models import prompts
from .simulated_tensor import Machine

LAST_DOWN = "model.layers.5.mlp.down_proj.weight"
Tensors = dict[str, torch.Tensor]
Load = Callable[[Callable[[Tensors], Tensors], str], LoadedModel]


def without(held: Tensors, name: str) -> Tensors:
    return {other: held[other] for other in held if other != name}


def damage(held: Tensors) -> Tensors:
    held[LAST_DOWN][3, 5] = torch.nan
    return held


@pytest.fixture
def load(repository: Path, tmp_path: Path) -> Load:
    """Load a demo model whose weights were changed, half of its blocks on either of two devices."""

    def changed(change: Callable[[Tensors], Tensors], number_format: str) -> LoadedModel:
        folder = tmp_path / "model"
        shutil.copytree(repository / "resources/demo/models/tiny-m", folder)
        rewrite(folder, change)
        entry = read_entries(repository / "config/models", ModelEntry)["tiny-m"]
        full = read_entries(repository / "config/precisions", PrecisionEntry)["full"]
        layers = entry.architecture.layers
        assert f"layers.{layers - 1}." in LAST_DOWN
        placement = Placement(embedding=0, blocks=tuple(2 * block // layers for block in range(layers)), head=0)
        formats = NumberFormats(number_format, number_format)  # type: ignore[arg-type]
        return load_model(folder, entry, full, load_tokenizer(folder), "cuda", formats=formats, placement=placement)

    return changed


@contextmanager
def refused(machine: Machine, *words: str) -> Iterator[None]:
    with pytest.raises(ModelError) as error:
        yield
    assert all(word in str(error.value) for word in words), error.value
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda held: without(held, LAST_DOWN), ["missing", LAST_DOWN]),
        (
            lambda held: held | {"model.layers.9.mlp.down_proj.weight": held[LAST_DOWN].clone()},
            ["unexpected", "layers.9"],
        ),
        (lambda held: held | {LAST_DOWN: held[LAST_DOWN][:, :7].clone()}, ["of another shape", LAST_DOWN]),
        (lambda held: held | {LAST_DOWN: held[LAST_DOWN].to(torch.int8)}, ["is stored as I8"]),
    ],
    ids=["missing", "unexpected", "another shape", "integers"],
)
def test_no_device_holds_anything_of_other_files(
    simulated_cuda: SimulatedCuda, load: Load, change: Callable[[Tensors], Tensors], words: list[str]
) -> None:
    with simulated_cuda(2, 4.0) as machine:
        with refused(machine, *words):
            load(change, "float32")
        assert machine.peak == [0, 0]


def test_the_damaged_weight_is_found_on_the_device_it_is_on(simulated_cuda: SimulatedCuda, load: Load) -> None:
    with simulated_cuda(2, 4.0) as machine:
        loaded = load(damage, "float32")
        with refused(machine, "layers.5.mlp.down_proj", "the file is damaged"):
            Generator(loaded, GenerationSettings(4)).answer(prompts(loaded, 2))


def test_an_overflow_of_float16_is_told_from_damage(simulated_cuda: SimulatedCuda, load: Load) -> None:
    with simulated_cuda(2, 4.0) as machine:
        loaded = load(lambda held: held | {LAST_DOWN: held[LAST_DOWN] * 1e6}, "float16")
        with refused(machine, "computed in float16, whose largest is 65504"):
            Generator(loaded, GenerationSettings(4)).answer(prompts(loaded, 1))
