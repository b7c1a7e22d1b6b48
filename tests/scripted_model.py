"""A real model that writes a script: the weights of a small Llama make each token follow from the last one alone."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from quantbench.config import Architecture, ModelEntry

from .unit.conftest import TEXTS

END = "</s>"


def make_scripted(folder: Path, script: Sequence[str], special: Sequence[str] = ()) -> ModelEntry:
    """Write a model that answers any prompt with ``script`` and ends, into ``folder``; return its entry.

    Args:
        folder: of the model.
        script: texts that become one token each, all of them different. A prompt that ends with one of them is gone on from
            there.
        special: those of them that the tokenizer holds for special.
    """
    import torch
    from tokenizers import AddedToken, ByteLevelBPETokenizer
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator(TEXTS * 5, vocab_size=300, special_tokens=["<s>", END, "<pad>"])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe._tokenizer, bos_token="<s>", eos_token=END, pad_token="<pad>"
    )
    tokenizer.add_tokens([AddedToken(text, normalized=False, special=text in special) for text in script])
    tokenizer.save_pretrained(folder)
    size = len(tokenizer)
    width = -(-size // 4) * 4
    config = LlamaConfig(
        vocab_size=size,
        hidden_size=width,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=512,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=2,
    )
    model = LlamaForCausalLM(config)
    written = [tokenizer.convert_tokens_to_ids(text) for text in [*script, END]]
    with torch.no_grad():
        # Nothing is added to a token's embedding, which stands for the token itself.
        model.model.layers[0].self_attn.o_proj.weight.zero_()
        model.model.layers[0].mlp.down_proj.weight.zero_()
        model.model.embed_tokens.weight.copy_(torch.eye(size, width))
        model.lm_head.weight.zero_()
        model.lm_head.weight[written[0]] = 1
        for token, following in pairwise(written):
            model.lm_head.weight[written[0], token] = 0
            model.lm_head.weight[following, token] = 1
    model.save_pretrained(folder)
    return ModelEntry(
        title="scripted",
        family="llama",
        domain="general",
        folder=str(folder),
        chat_template="none",
        full_dtype="float32",
        licence="MIT",
        architecture=Architecture(
            layers=1,
            hidden_size=width,
            attention_heads=2,
            key_value_heads=2,
            intermediate_size=8,
            vocab_size=size,
            context_length=512,
            tied_head=False,
        ),
    )
