"""Loading on simulated devices: everything where it was placed, refusals before, and nothing held where memory runs out."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from unittest import mock

import pytest
import torch

from quantbench.config import ModelEntry, PrecisionEntry, read_entries
from quantbench.contracts.machine import DeviceFacts
from quantbench.contracts.model_folder import MadeWith
from quantbench.devices import visible_devices
from quantbench.errors import ModelError
from quantbench.measure.neighbours import Neighbours
from quantbench.models.describing import describe
from quantbench.models.device_map import refuse_misplaced
from quantbench.models.loading import LoadedModel, load_model
from quantbench.models.quantizing import Source, quantize_model
from quantbench.models.tokenizing import load_tokenizer
from quantbench.planner import GIB, Placement
from tests.model_folders import write_model

from .conftest import SimulatedCuda
from .fake_nvml import FakeMachine

BLOCKS = 6
EVEN = Placement(0, (0, 0, 0, 1, 1, 1), 0)
MADE_WITH = MadeWith(device=DeviceFacts(kind="cuda", names=["simulated"]), python="3.11", packages={})
Load = Callable[..., LoadedModel]


@pytest.fixture
def load(repository: Path) -> Load:
    """The demo's tiny model, whose head is its embedding."""
    import bitsandbytes  # noqa: F401  # its part for CUDA, which it imports where it sees a GPU, needs a real one

    folder = repository / "resources/demo/models/tiny-m"
    entry = read_entries(repository / "config/models", ModelEntry)["tiny-m"].model_copy(
        update={"full_dtype": "float32"}
    )
    full = read_entries(repository / "config/precisions", PrecisionEntry)["full"]
    return lambda placement=None, **changed: load_model(
        *(folder, entry.model_copy(update=changed), full, load_tokenizer(folder), "cuda"), placement=placement
    )


def held(loaded: LoadedModel) -> dict[str, torch.device]:
    """Where each parameter and buffer is."""
    tensors = [*loaded.model.named_parameters(), *loaded.model.named_buffers()]
    return {name: tensor.device for name, tensor in tensors}


@pytest.mark.parametrize("weights", ["published", "random"])
def test_every_tensor_is_where_it_was_placed(load: Load, simulated_cuda: SimulatedCuda, weights: str) -> None:
    placement = Placement(0, (0, *[1] * (BLOCKS - 1)), 0)
    with simulated_cuda(2, 2.0) as machine:
        loaded = load(placement, weights=weights)
        places = held(loaded)
        numbered = {f"model.layers.{block}": torch.device("cuda", int(block > 0)) for block in range(BLOCKS)}
        assert {name: where for name, where in places.items() if name.startswith("model.layers.")} == {
            name: numbered[".".join(name.split(".")[:3])] for name in places if name.startswith("model.layers.")
        }
        assert places["model.embed_tokens.weight"] == places["model.rotary_emb.inv_freq"] == torch.device("cuda:0")
        assert places["model.norm.weight"] == torch.device("cuda:1")
        assert loaded.device == torch.device("cuda:0")
        assert machine.live[1] > machine.live[0]


def test_without_a_placement_one_device_holds_everything(load: Load, simulated_cuda: SimulatedCuda) -> None:
    with simulated_cuda(2, 2.0) as machine:
        loaded = load()
        assert set(held(loaded).values()) == {torch.device("cuda:0")}
        assert machine.live[1] == 0


def test_a_tensor_elsewhere_is_refused(load: Load, simulated_cuda: SimulatedCuda) -> None:
    """As where a library offloads what finds no room: it is on the CPU, or on no device until it is used."""
    with simulated_cuda(2, 2.0):
        model = load(EVEN).model
        places = {"model": 0, "lm_head": 0}
        with pytest.raises(ModelError, match=r"model\.layers\.3\.\S+ is on cuda:1 and was placed on cuda:0; .* more"):
            refuse_misplaced(model, places, "tiny")
        with pytest.raises(ModelError, match=r"lm_head\.weight is on cuda:0 and was not placed;"):
            refuse_misplaced(
                model, {f"model.layers.{block}": int(block > 2) for block in range(BLOCKS)} | {"model": 0}, "tiny"
            )
        layer = model.get_decoder().layers[5].mlp.up_proj
        layer.weight = torch.nn.Parameter(torch.empty(1, device="meta"), requires_grad=False)
        places = {f"model.layers.{block}": int(block > 2) for block in range(BLOCKS)} | {"model.norm": 1}
        places |= {"model.embed_tokens": 0, "model.rotary_emb": 0, "lm_head": 0}
        with pytest.raises(
            ModelError, match=r"model\.layers\.5\.mlp\.up_proj\.weight is on meta and was placed on cuda:1;"
        ):
            refuse_misplaced(model, places, "tiny")


@pytest.mark.parametrize("placement", [None, EVEN])
def test_a_neighbour_leaves_too_little_for_the_first_reservation(
    load: Load, simulated_cuda: SimulatedCuda, placement: Placement | None
) -> None:
    """transformers first asks each device for everything that goes there."""
    last = 0 if placement is None else 1
    with simulated_cuda(2, 2.0) as machine:
        neighbour = torch.empty(2 * GIB - 2**20, dtype=torch.uint8, device=f"cuda:{last}")
        before = list(machine.live)
        with pytest.raises(ModelError) as refused:
            load(placement)
        said = str(refused.value)
        assert f"at precision 'full' on GPU {last}: asked for 0.0" in said
        assert "0.00 of 2.0 GiB are free (CUDA out of memory. Tried to allocate" in said
        assert "hardware.gpus" in said
        assert refused.value.__cause__ is None
        assert machine.live == before
        del neighbour


@pytest.mark.parametrize("placement", [None, EVEN])
@pytest.mark.parametrize("part", [0.3, 0.9])
def test_memory_that_runs_out_in_the_middle_is_told_and_nothing_stays(
    load: Load, simulated_cuda: SimulatedCuda, placement: Placement | None, part: float
) -> None:
    import transformers.modeling_utils as modeling

    last = 0 if placement is None else 1
    with simulated_cuda(2, 2.0) as machine:
        loaded = load(placement)
        enough = machine.live[last]
        del loaded
        gc.collect()
        assert machine.live == [0, 0]

        def others_come(*_: object) -> None:
            machine.limits[last] = int(part * enough)

        with mock.patch.object(modeling, "caching_allocator_warmup", others_come), pytest.raises(ModelError) as refused:
            load(placement)
        assert machine.peak[last] > part * enough / 2
        assert f"at precision 'full' on GPU {last}: asked for" in str(refused.value)
        assert machine.live == [0, 0]


def failing(kind: type[Exception], text: str) -> AbstractContextManager[object]:
    """Quantizing or merging weights fails on a device; transformers keeps such errors to itself."""
    from transformers import core_model_loading as loading

    real = loading.WeightRenaming.convert

    def convert(mapping: object, layer_name: str, loading_info: object = None, **others: object) -> object:
        found = real(mapping, layer_name, loading_info=loading_info, **others)
        if all(tensors[0].is_meta for tensors in found.values()):  # rehearsed, as shapes
            return found
        with loading.log_conversion_errors(layer_name, loading_info, (1, layer_name), None):
            raise kind(text)

    return mock.patch.object(loading.WeightRenaming, "convert", convert)


def test_memory_that_runs_out_while_weights_are_converted_is_told(load: Load, simulated_cuda: SimulatedCuda) -> None:
    text = "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"
    with simulated_cuda(1, 2.0) as machine:
        with failing(RuntimeError, text), pytest.raises(ModelError) as refused:
            load()
        said = str(refused.value)
        assert said.startswith("out of memory while loading ")
        assert "CUBLAS_STATUS_ALLOC_FAILED" in said
        assert "GiB on GPU 0" in said
        assert machine.live == [0]


def test_a_weight_that_cannot_be_converted_is_named(load: Load, simulated_cuda: SimulatedCuda) -> None:
    with (
        simulated_cuda(1, 2.0),
        failing(ValueError, "blocksize 96 is not supported"),
        pytest.raises(
            ModelError, match=r"not loadable at precision '.*': \S+weight cannot be converted: .*blocksize 96"
        ),
    ):
        load()


def test_full_precision_is_never_twice_on_a_device(load: Load, simulated_cuda: SimulatedCuda) -> None:
    """The planner counts no peak of loading then (docs/loading.md)."""
    with simulated_cuda(2, 2.0) as machine:
        loaded = load(EVEN)
        largest = max(weight.nbytes for weight in loaded.model.parameters())
        assert all(peak - now < largest for peak, now in zip(machine.peak, machine.live, strict=True))


def test_experts_that_files_hold_one_by_one_are_joined_on_the_device(
    repository: Path, tmp_path: Path, simulated_cuda: SimulatedCuda
) -> None:
    """Two thirds of a block's experts stand there once more, as the planner counts."""
    folder = write_model(tmp_path, "qwen3_moe")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    described = describe(config, "config.json")
    entry = read_entries(repository / "config/models", ModelEntry)["tiny-m"].model_copy(
        update={"family": "qwen3_moe", "architecture": described.architecture, "counts": described.counts}
    )
    full = read_entries(repository / "config/precisions", PrecisionEntry)["full"]
    assert described.counts is not None
    with simulated_cuda(1, 2.0) as machine:
        loaded = load_model(folder, entry, full, load_tokenizer(folder), "cuda")
        a_block = described.counts.experts // described.architecture.layers * next(loaded.model.parameters()).itemsize
        assert a_block > 2**15
        # Less where threads have not read yet what comes after the last block's experts.
        assert 0.2 * a_block < machine.peak[0] - machine.live[0] <= 2 / 3 * a_block + 4096


def test_quantizing_is_refused_before_it_loads(
    repository: Path, tmp_path: Path, simulated_cuda: SimulatedCuda, fake_machine: FakeMachine
) -> None:
    fake_machine.become("four_a100")
    folder = repository / "resources/demo/models/tiny-m"
    source = Source("tiny-m", read_entries(repository / "config/models", ModelEntry)["tiny-m"], folder, None, {})
    nf4 = read_entries(repository / "config/precisions", PrecisionEntry)["w4a16"]
    neighbours = Neighbours(visible_devices()[:2])
    with simulated_cuda(2, 1.0) as machine:
        others = [torch.empty(2**30 - 2**20, dtype=torch.uint8, device=f"cuda:{index}") for index in range(2)]
        before = list(machine.live)
        with pytest.raises(ModelError, match=r"quantizing tiny-m to .*: the free memory of 2 GPUs does not hold it"):
            quantize_model(source, nf4, tmp_path / "out", "cuda", MADE_WITH, neighbours)
        assert machine.live == before
        del others
    assert not (tmp_path / "out").exists()
