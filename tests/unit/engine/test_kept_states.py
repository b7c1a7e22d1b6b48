"""Models that keep a state in place of tokens, in some layers or beside them: the same answers alone, in a batch and in chains."""

from __future__ import annotations

import random

import pytest

torch = pytest.importorskip("torch")

from transformers import AutoConfig, AutoModelForCausalLM  # noqa: E402

from quantbench.contracts.manifest import AppliedPrecision  # noqa: E402
from quantbench.engine.batches import Request  # noqa: E402
from quantbench.engine.cache import least_window  # noqa: E402
from quantbench.engine.decoding_settings import GenerationSettings  # noqa: E402
from quantbench.engine.generation import Generator  # noqa: E402
from quantbench.models.loading import LoadedModel  # noqa: E402
from quantbench.models.synthetic_tokenizer import SyntheticTokenizer  # noqa: E402

SIZES = {"hidden_size": 96, "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2}
FAMILIES = {
    "falcon_h1": {"mamba_d_ssm": 96, "mamba_n_heads": 4, "mamba_d_head": 24, "mamba_n_groups": 1, "mamba_d_state": 32},
    "lfm2": {"layer_types": ["conv", "conv", "conv", "full_attention"]},
    "qwen3_next": {
        **{"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 64, "head_dim": 32},
        **{"shared_expert_intermediate_size": 64, "linear_num_value_heads": 4, "linear_num_key_heads": 4},
        **{"linear_key_head_dim": 32, "linear_value_head_dim": 32},
    },
}


@pytest.fixture(params=FAMILIES)
def loaded(request: pytest.FixtureRequest) -> LoadedModel:
    torch.manual_seed(0)
    tokens = {"vocab_size": 600, "pad_token_id": 1, "eos_token_id": 0, "bos_token_id": None}
    config = AutoConfig.for_model(
        request.param, **{**SIZES, "intermediate_size": 224, **tokens, **FAMILIES[request.param]}
    )
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.normal_(0, 0.1)
    return LoadedModel(model, SyntheticTokenizer(600), torch.device("cpu"), AppliedPrecision.model_construct())


@pytest.mark.parametrize("chains", [1, 2])
def test_a_batch_answers_as_each_alone(loaded: LoadedModel, chains: int) -> None:
    draw = random.Random(7)
    prompts = [[3] * 30 + [draw.randrange(5, 600) for _ in range(8 + 3 * number)] for number in range(4)]
    requests = [Request(str(number), "", prompt) for number, prompt in enumerate(prompts)]
    settings = GenerationSettings(8, chains=chains, temperature=1.0 if chains > 1 else None)
    alone = [Generator(loaded, settings).answer([request])[0].outputs for request in requests]
    together = Generator(loaded, settings)
    assert together.share_prefix(requests) == 0  # padding behind a prefix would become part of a state
    assert [answer.outputs for answer in together.answer(requests)] == alone
    assert len({*map(tuple, alone)}) > 1
    assert least_window(loaded.model.config) == 0
