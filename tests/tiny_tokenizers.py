"""Tokenizers of a few hundred tokens, each built as a family of published models builds its own."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

from quantbench.contracts.files import write_json

TEXTS = [
    "Selegiline - induced postural hypotension in Parkinson ' s disease : a longitudinal study , 1 . 5 mg / kg .",
    "Question: which of the following is the answer? A) aspirin B) heparin\nFinal answer: B\n\n",
    "we need to add 9 and 6 of the patients with a history of disease",
]
LLAMA3_DATED = (
    "{{- bos_token }}\n{%- if not date_string is defined %}\n    {%- if strftime_now is defined %}\n"
    '        {%- set date_string = strftime_now("%d %b %Y") %}\n    {%- else %}\n'
    '        {%- set date_string = "26 Jul 2024" %}\n    {%- endif %}\n{%- endif %}\n'
    '{{- "<|start_header_id|>system<|end_header_id|>\\n\\nToday Date: " + date_string + "\\n\\n<|eot_id|>" }}\n'
    "{%- for m in messages %}{{ '<|start_header_id|>' + m['role'] + '<|end_header_id|>\\n\\n' + m['content'] | trim "
    "+ '<|eot_id|>' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{%- endif %}"
)
CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
LLAMA2 = "{{ bos_token }}{% for m in messages %}{{ '[INST] ' + m['content'].strip() + ' [/INST]' }}{% endfor %}"


def llama3(folder: Path) -> Path:
    """Byte-level BPE; the start token by a post-processor; every token of a turn is special."""
    from tokenizers import processors

    names = ("begin_of_text", "end_of_text", "start_header_id", "end_header_id", "eot_id")
    special = [f"<|{name}|>" for name in names]
    tokenizer = _byte_level(special)
    start = ("<|begin_of_text|>", tokenizer.token_to_id("<|begin_of_text|>"))
    tokenizer.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=True),
            processors.TemplateProcessing(single=f"{start[0]} $A", pair=f"{start[0]} $A $B", special_tokens=[start]),
        ]
    )
    stated = {"bos_token": start[0], "eos_token": "<|eot_id|>", "chat_template": LLAMA3_DATED}
    return _save(folder, json.loads(tokenizer.to_str()), stated)


def qwen(folder: Path) -> Path:
    """Byte-level BPE without a start token; the marker of a thought is added and not special."""
    from tokenizers import AddedToken

    tokenizer = _byte_level(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    tokenizer.add_tokens([AddedToken("<think>", normalized=False, special=False)])
    stated = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "chat_template": CHATML}
    return _save(folder, json.loads(tokenizer.to_str()), stated)


def llama2(folder: Path) -> Path:
    """BPE over pieces with byte fallback; blanks are made visible, and one put first, by a normalizer, as converted long ago."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

    bytes_ = [f"<0x{number:02X}>" for number in range(256)]
    trained = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    trained.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=["<unk>", "<s>", "</s>", *bytes_], show_progress=False)
    trained.train_from_iterator(TEXTS * 30, trainer)
    parts = json.loads(trained.to_str())
    parts["pre_tokenizer"] = None
    parts["added_tokens"] = [token for token in parts["added_tokens"] if token["id"] < 3]
    tokenizer = Tokenizer.from_str(json.dumps(parts))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)]
    )
    stated = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "chat_template": LLAMA2}
    return _save(folder, json.loads(tokenizer.to_str()), stated)


def unigram(folder: Path) -> Path:
    """The most likely cut into pieces of a list that holds the special tokens too."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=200,
        special_tokens=["<unk>", "<s>", "</s>"],
        unk_token="<unk>",
        initial_alphabet=list("<>s/|_"),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS * 30, trainer)
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)]
    )
    stated = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "chat_template": LLAMA2}
    return _save(folder, json.loads(tokenizer.to_str()), stated)


def sentencepiece(folder: Path, **options: object) -> Path:
    """``tokenizer.model`` alone, as published before there was ``tokenizer.json``."""
    import sentencepiece as library

    written = io.BytesIO()
    library.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS * 10),
        model_writer=written,
        vocab_size=330,
        model_type="bpe",
        byte_fallback=True,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.model").write_bytes(written.getvalue())
    names = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    write_json(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "LlamaTokenizer", "add_bos_token": True, "legacy": False, **names, **options},
    )
    write_json(folder / "config.json", {"model_type": "llama"})
    return folder


KINDS: dict[str, Callable[[Path], Path]] = {"llama3": llama3, "qwen": qwen, "llama2": llama2, "unigram": unigram}


def change(folder: Path, **stated: object) -> Path:
    """State something else in a folder's ``tokenizer_config.json``; None takes a key away."""
    path = folder / "tokenizer_config.json"
    value = json.loads(path.read_text(encoding="utf-8")) | stated
    write_json(path, {key: given for key, given in value.items() if given is not None})
    return folder


def _byte_level(special: list[str]):
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(pattern=Regex(r"[\r\n]+"), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, special_tokens=[], show_progress=False)
    tokenizer.train_from_iterator(TEXTS * 30, trainer)
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in special])
    return tokenizer


def _save(folder: Path, parts: dict[str, object], stated: dict[str, object]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "tokenizer.json", parts)
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", **stated})
    return folder
