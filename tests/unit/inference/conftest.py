"""A random-weight model of a few thousand parameters with a tokenizer of its own: real transformers, no download."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantbench.config import Architecture, ModelEntry

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


def make_model(folder: Path, context_length: int = FACTS.context_length) -> ModelEntry:
    """Write a random Llama-shaped model into ``folder`` and return its entry."""
    import torch
    from tokenizers import ByteLevelBPETokenizer
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator(TEXTS * 5, vocab_size=FACTS.vocab_size, special_tokens=["<s>", "</s>", "<pad>"])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe._tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=FACTS.vocab_size,
        hidden_size=FACTS.hidden_size,
        intermediate_size=FACTS.intermediate_size,
        num_hidden_layers=FACTS.layers,
        num_attention_heads=FACTS.attention_heads,
        num_key_value_heads=FACTS.key_value_heads,
        max_position_embeddings=context_length,
        tie_word_embeddings=FACTS.tied_head,
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
        architecture=FACTS.model_copy(update={"context_length": context_length}),
    )


@pytest.fixture(scope="session")
def random_model(tmp_path_factory: pytest.TempPathFactory) -> ModelEntry:
    return make_model(tmp_path_factory.mktemp("model"))
