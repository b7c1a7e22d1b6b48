"""Traces of small models held against the same models run for real on CPU, every tensor alive counted."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
import torch
from benchmarks import memory_table
from bitsandbytes import functional
from transformers import AutoConfig

from quantbench.config import Architecture, ModelEntry, PrecisionEntry, read_entries
from quantbench.engine.batches import Request
from quantbench.engine.decoding_settings import GenerationSettings
from quantbench.engine.generation import Generator
from quantbench.models.loading import load_model
from quantbench.models.synthetic_tokenizer import SyntheticTokenizer
from quantbench.planner import GIB, GPUS, Placement
from quantbench.tracing import live_bytes
from quantbench.tracing.bitsandbytes_kernels import own_kernel_rule
from quantbench.tracing.engine_walk import Use
from quantbench.tracing.peak_trace import trace
from tests.live_tensors import LiveTensors
from tests.published_configs import entry_of
from tests.stand_ins import stand_in

# As many key-value heads as others: with fewer, float32 on CUDA has no fused attention, and the CPU has one.
FACTS = Architecture(
    layers=6,
    hidden_size=256,
    attention_heads=8,
    key_value_heads=8,
    intermediate_size=896,
    vocab_size=640,
    context_length=4096,
    tied_head=False,
)
FULL = PrecisionEntry(title="full", method="none")
# One sample whose prompt sets the peak, and one whose answer does, over a jump of some 70 tokens; batches, and what they share.
USES = [Use(300, 12), Use(4, 80), Use(300, 12, samples=4), Use(300, 12, samples=4, prefix_tokens=64)]


@pytest.fixture
def bytes_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor's memory is not handed out in blocks."""
    monkeypatch.setattr(live_bytes, "BLOCK", 1)


@pytest.fixture(scope="module")
def precisions(repository: Path) -> dict[str, PrecisionEntry]:
    return read_entries(repository / "config/precisions", PrecisionEntry)


def held_on_cpu(entry: ModelEntry, use: Use) -> tuple[int, int]:
    """Bytes of the weights, and of all else at the fullest moment, of the engine's own run on CPU."""
    loaded = load_model(Path("nowhere"), entry, FULL, SyntheticTokenizer(FACTS.vocab_size), "cpu")
    generator = Generator(loaded, GenerationSettings(use.new_tokens))
    own = use.prompt_tokens - use.prefix_tokens
    prompts = [[3] * use.prefix_tokens + [4 + number] * own for number in range(use.samples)]
    if use.samples > 1:
        prompts[-1] = prompts[-1][:-5]  # one row is padded
    requests = [Request(str(number), "", prompt) for number, prompt in enumerate(prompts)]
    with LiveTensors() as live:
        if use.samples > 1:
            generator.share_prefix(requests)
        generator.answer(requests)
    model = loaded.model
    return sum(tensor.nbytes for tensor in [*model.parameters(), *model.buffers()]), live.peak


@pytest.mark.parametrize("family", ["llama", "qwen2", "phi3"])
@pytest.mark.parametrize("use", USES)
@pytest.mark.usefixtures("bytes_as_they_are")
def test_a_trace_is_what_the_processor_holds(family: str, use: Use) -> None:
    """Weights, cache, activations and what the engine keeps: to the byte."""
    entry = stand_in(family, full_dtype="float32", **FACTS.model_dump())
    weights, held = held_on_cpu(entry, use)
    [peak] = trace(entry, FULL, use).peaks
    traced = peak.by_kind()
    assert traced.pop("weights") == weights
    del traced["cublas_workspace"]
    assert sum(traced.values()) == held


@pytest.mark.parametrize("name", ["w4a16", "w8a16", "int8wo"])
@pytest.mark.usefixtures("bytes_as_they_are")
def test_quantized_weights_at_rest_are_the_libraries(name: str, precisions: dict[str, PrecisionEntry]) -> None:
    """The tensors that bitsandbytes and torchao make on a processor, down to the tables of values."""
    entry = stand_in("qwen2", **FACTS.model_dump())
    model = load_model(Path("nowhere"), entry, precisions[name], SyntheticTokenizer(640), "cpu").model
    packed, state, rest = 0, 0, 0
    for module in model.modules():
        for weight in module.parameters(recurse=False):
            if hasattr(weight, "qdata"):
                packed += weight.qdata.nbytes
                state += weight.scale.nbytes + weight.zero_point.nbytes
            elif getattr(weight, "quant_state", None) is not None:
                of_scales = weight.quant_state.state2
                packed += weight.nbytes
                state += sum(tensor.nbytes for tensor in (weight.absmax, weight.code, weight.offset))
                state += of_scales.absmax.nbytes + of_scales.code.nbytes
            elif weight.dtype is torch.int8:
                packed += weight.nbytes
                state += (weight.SCB if module.state.SCB is None else module.state.SCB).nbytes
            else:
                rest += 2 * weight.numel()
        rest += sum(buffer.nbytes for buffer in module.buffers(recurse=False))
    [at_rest] = trace(entry, precisions[name], Use(8, 3)).at_rest
    assert at_rest.by_kind() == {"weights": packed + rest, "quantization_state": state}


def test_a_model_of_70_billion_weights_on_four_gpus(repository: Path, precisions: dict[str, PrecisionEntry]) -> None:
    """Llama-3.3-70B in 4 bits, the paper's longest prompt of MedQA; its Table 1 has 39.58 GiB."""
    entry = read_entries(repository / "config/models", ModelEntry)["llama-3.3-70b"]
    placement = Placement(0, tuple(block // 20 for block in range(80)), 3)
    traced = trace(entry, precisions["w4a16"], Use(997, 50), placement)
    assert traced.peak_bytes / GIB == pytest.approx(39.625, abs=0.001)
    assert [round(moment.bytes / GIB, 3) for moment in traced.peaks] == [10.896, 8.924, 8.924, 10.881]
    for device, moment in enumerate(traced.peaks):
        assert moment.module == f"model.layers.{20 * device + 19}.mlp.up_proj"
        assert moment.by_kind()["dequantized_matrix"] == 2 * 8192 * 28672


def test_chains_hold_the_prompts_cache_beside_their_own() -> None:
    entry = stand_in("qwen2", **FACTS.model_dump())
    one = trace(entry, FULL, Use(300, 20, samples=2)).stages["answer"][0].by_kind()["kv_cache"]
    five = trace(entry, FULL, Use(300, 20, samples=2, chains=5)).stages["answer"][0].by_kind()["kv_cache"]
    assert five == 5 * one


def test_hopper_and_ampere_differ_in_workspace_and_kernels(precisions: dict[str, PrecisionEntry]) -> None:
    entry = stand_in("qwen2", **FACTS.model_dump())
    bases = {gpu: trace(entry, FULL, Use(8, 3), gpu=gpu).peaks[0].by_kind()["cublas_workspace"] for gpu in GPUS}
    assert bases == {gpu: kind.cublas_workspace for gpu, kind in GPUS.items()}
    assert (bases["h100-80gb"], bases["a100-40gb"]) == (32 * 2**20, 8_519_680)
    # A wide matrix of 64 rows: bitsandbytes' own kernel takes 128 rows on an A100, and 64 at most on an H100.
    ampere, hopper = (own_kernel_rule(GPUS[gpu]) for gpu in ("a100-40gb", "h100-80gb"))
    assert ampere(0, torch.float16, 100, 28672, 8192) and not hopper(0, torch.float16, 100, 28672, 8192)
    assert ampere(0, torch.float16, 1, 28672, 8192) and hopper(0, torch.float16, 1, 28672, 8192)


@pytest.mark.parametrize("samples", [1, 4])
def test_what_the_planner_has_no_formulas_for_is_traced(samples: int) -> None:
    """A state-space model with attention beside it keeps a state of each row, whatever the prompt's length."""
    config = AutoConfig.for_model(
        "falcon_h1",
        **{"hidden_size": 96, "intermediate_size": 224, "num_hidden_layers": 4, "vocab_size": 600},
        **{"num_attention_heads": 4, "num_key_value_heads": 2, "mamba_d_ssm": 96, "mamba_n_heads": 4},
        **{"mamba_d_head": 24, "mamba_n_groups": 1, "mamba_d_state": 32},
    )
    entry = entry_of(config, "falcon_h1")
    counts = entry.counted
    assert counts.beyond_formulas and counts.state
    short, long = (trace(entry, FULL, Use(tokens, 12, samples=samples)).stages["answer"][0] for tokens in (64, 128))
    tokens = samples * 64 * counts.cached * 2
    assert long.by_kind()["kv_cache"] - short.by_kind()["kv_cache"] == pytest.approx(tokens, rel=0.05)
    assert short.by_kind()["kv_cache"] > samples * counts.state * 2


def test_the_page_has_what_is_traced_today(repository: Path) -> None:
    """Two lines of docs/memory.md, eight peaks, as the command that wrote them would write them now."""
    page = (repository / "docs/memory.md").read_text(encoding="utf-8")
    for line in memory_table.lines(["qwen2.5-3b"], ["full", "w4a16"]):
        assert f"{line}\n" in page
        assert abs(line.largest_error) <= 0.1


def shapes_alive() -> int:
    """Tensors with shapes only that something still refers to."""
    gc.collect()
    return sum(issubclass(type(one), torch.Tensor) and one.is_meta for one in gc.get_objects())


@pytest.mark.parametrize("name", ["full", "w8a16", "w4a16", "int8wo"])
def test_nothing_of_a_trace_stays_in_the_process(name: str, precisions: dict[str, PrecisionEntry]) -> None:
    """Libraries keep tables from one call to the next, and those of a trace hold no values: a later load would meet them."""
    entry = stand_in()
    trace(entry, precisions[name], Use(8, 3))  # what is made once a process, by torch itself for one
    functional.name2qmap.clear()
    before = shapes_alive()
    peak = trace(entry, precisions[name], Use(8, 3)).peak_bytes
    assert shapes_alive() == before
    load_model(Path(), entry, precisions[name], SyntheticTokenizer(600), "cpu")
    assert trace(entry, precisions[name], Use(8, 3)).peak_bytes == peak
