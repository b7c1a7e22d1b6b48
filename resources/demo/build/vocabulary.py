"""The demonstration models' tokenizer: one byte-level BPE for all, whose marked entities are copies token for token."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

SIZE = 2048
BOS, EOS, PAD = "<s>", "</s>", "<pad>"
# Words with the blank before them, numbers, single marks, single white-space characters, span tags whole.
_PIECES = Regex(r" ?</?span>| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]|\s")


def train(texts: Iterable[str]) -> Tokenizer:
    """Learn a vocabulary of :data:`SIZE` tokens.

    A blank is put behind every ``<span>`` before encoding and taken out after decoding, so that a marked word has the
    same tokens as the word in the sentence: what a tiny model must learn is then plain copying.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Replace("<span>", "<span> ")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(_PIECES, "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.Sequence(
        [decoders.ByteLevel(), decoders.Fuse(), decoders.Replace("<span> ", "<span>")]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=SIZE,
        special_tokens=[BOS, EOS, PAD],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", special_tokens=[(BOS, tokenizer.token_to_id(BOS))]
    )
    return tokenizer


def save(tokenizer: Tokenizer, folder: Path, context_length: int) -> None:
    """Write the tokenizer as transformers reads it."""
    wrapped: Any = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=BOS,
        eos_token=EOS,
        pad_token=PAD,
        padding_side="left",
        model_max_length=context_length,
        clean_up_tokenization_spaces=False,
    )
    wrapped.save_pretrained(folder)
