"""Models of tests: a random one of a few thousand parameters with a tokenizer of its own, and a demo model."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantbench.config import Architecture, ModelEntry, PrecisionEntry, read_entries

TEXTS = [
    "Which label applies?",
    "Text: aspirin lowers fever; warfarin does not.",
    "Labels: a; b",
    "Answer: C",
    "yes no maybe",
]
FACTS = Architecture(
    layers=2,
    hidden_size=64,
    attention_heads=2,
    key_value_heads=1,
    intermediate_size=128,
    vocab_size=300,
    context_length=512,
    tied_head=True,
)


def make_model(folder: Path, facts: Architecture = FACTS) -> ModelEntry:
    """Write a random Llama-shaped model into ``folder`` and return its entry."""
    import torch
    from tokenizers import ByteLevelBPETokenizer
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator(TEXTS * 5, vocab_size=facts.vocab_size, special_tokens=["<s>", "</s>", "<pad>"])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe._tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=facts.vocab_size,
        hidden_size=facts.hidden_size,
        intermediate_size=facts.intermediate_size,
        num_hidden_layers=facts.layers,
        num_attention_heads=facts.attention_heads,
        num_key_value_heads=facts.key_value_heads,
        max_position_embeddings=facts.context_length,
        tie_word_embeddings=facts.tied_head,
        initializer_range=0.5,  # wide enough that greedy answers differ from prompt to prompt
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=2,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return ModelEntry(
        title="random",
        family="llama",
        domain="general",
        folder=str(folder),
        chat_template="none",
        full_dtype="float32",
        licence="MIT",
        demonstration=True,
        architecture=facts,
    )


@pytest.fixture(scope="session")
def random_model(tmp_path_factory: pytest.TempPathFactory) -> ModelEntry:
    return make_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def tiny(repository: Path) -> Path:
    """The folder of a demo model."""
    return repository / "resources/demo/models/tiny-xs"


@pytest.fixture(scope="session")
def entry(repository: Path) -> ModelEntry:
    """The demo model's entry, as if it were published on a hub."""
    own = read_entries(repository / "config/models", ModelEntry)["tiny-xs"]
    return own.model_copy(update={"folder": None, "hub_id": "maker/tiny", "revision": "main"})


@pytest.fixture(scope="session")
def precisions(repository: Path) -> dict[str, PrecisionEntry]:
    """All precisions by name."""
    return read_entries(repository / "config/precisions", PrecisionEntry)
