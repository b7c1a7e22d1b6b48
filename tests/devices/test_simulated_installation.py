"""What is installed beside: the engine ``continuous`` computes as the cell was timed, whatever transformers would rather do."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from transformers import ContinuousBatchingConfig
from transformers.generation.continuous_batching import continuous_api
from transformers.utils import import_utils

from quantbench.engine.decoding_settings import GenerationSettings
from quantbench.engine.generation import Generator
from quantbench.engine.kinds.continuous import answer_continuously

from .conftest import SimulatedCuda
from .simulated_models import demo_model, prompts

FUNCTIONS = ("flash_attn_func", "flash_attn_varlen_func", "flash_attn_with_kvcache")
LOOKED_UP = ("_package_distribution_mapping", "is_torch_cuda_available", "is_flash_attn_2_available")


def forget() -> None:
    """What transformers has looked up once and for all."""
    importlib.invalidate_caches()
    for name in LOOKED_UP:
        getattr(import_utils, name).cache_clear()


@pytest.fixture
def flash_attention(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package that calls itself flash-attn, and a device that has graphs."""
    package, info = tmp_path / "flash_attn", tmp_path / "flash_attn-2.8.3.dist-info"
    for folder in (package, info):
        folder.mkdir()
    stubs = "\n".join(f"def {name}(*args, block_table=None): raise AssertionError('{name}')" for name in FUNCTIONS)
    (package / "__init__.py").write_text(f"__version__ = '2.8.3'\n{stubs}\n")
    (package / "bert_padding.py").write_text("def pad_input(): ...\ndef unpad_input(): ...\n")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: flash-attn\nVersion: 2.8.3\n")
    (info / "top_level.txt").write_text("flash_attn\n")
    monkeypatch.syspath_prepend(tmp_path)
    graphs = "transformers.generation.continuous_batching.initialization.get_accelerator_graph_name"
    monkeypatch.setattr(graphs, lambda: "CUDAGraph")
    yield
    monkeypatch.undo()
    forget()
    for name in [name for name in sys.modules if name.partition(".")[0] == "flash_attn"]:
        del sys.modules[name]


def test_continuous_batching_stays_as_the_cell_was_timed(
    repository: Path, simulated_cuda: SimulatedCuda, flash_attention: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolved: list[ContinuousBatchingConfig] = []
    computed: set[str] = set()
    resolve = continuous_api.resolve_continuous_batching_config

    def noted(*args: object, **kwargs: object) -> ContinuousBatchingConfig:
        resolved.append(resolve(*args, **kwargs))
        return resolved[-1]

    monkeypatch.setattr(continuous_api, "resolve_continuous_batching_config", noted)
    with simulated_cuda(1, 4.0) as machine:
        forget()
        loaded = demo_model(repository, "cuda")
        machine.limits[0] = machine.live[0] + 400 * 2**20
        model, generator = loaded.model, Generator(loaded, GenerationSettings(2))
        with model.register_forward_hook(lambda *_: computed.add(model.config._attn_implementation)):
            assert len(list(answer_continuously(generator, prompts(loaded)[:1], 1, "cell"))) == 1
        # Left to itself, on the same machine:
        model.init_continuous_batching(model.generation_config, ContinuousBatchingConfig())
        assert model.config._attn_implementation == "flash_attention_2"
    own, others = resolved
    assert computed == {"sdpa"}
    assert (own.use_cuda_graph, own.use_async_batching, own.max_blocks_per_request) == ((False, False), False, 0)
    assert own.varlen_compile_config is own.decode_compile_config is None
    assert (others.use_cuda_graph, others.use_async_batching) == ((True, True), True)
    assert others.max_blocks_per_request > 0
