"""Turn checkpoints into model folders: ``python resources/demo/build/export.py tiny-s``; writes ``config/models`` too.

``training.csv`` beside the folders states what each model's training took, the models it was grown from included.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import Any

import torch
import vocabulary
import yaml
from model import Shape, TinyLlama
from tokenizers import Tokenizer
from train import HERE, WORK, ladder
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

MODELS = HERE.parent / "models"
ENTRIES = HERE.parents[2] / "config/models"


def as_transformers(model: TinyLlama) -> LlamaForCausalLM:
    """The same weights in transformers' Llama."""
    shape, first = model.shape, 0
    config = LlamaConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        intermediate_size=shape.intermediate,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.heads,
        max_position_embeddings=shape.context,
        rope_parameters={"rope_type": "default", "rope_theta": shape.rope_theta},
        rms_norm_eps=1e-5,
        tie_word_embeddings=True,
        bos_token_id=first,
        eos_token_id=first + 1,
        pad_token_id=first + 2,
    )
    loaded = LlamaForCausalLM(config)
    missing, unexpected = loaded.load_state_dict(model.state_dict(), strict=False)
    assert missing in ([], ["lm_head.weight"]) and not unexpected, (missing, unexpected)
    loaded.tie_weights()
    return loaded.eval()


def export(name: str, work: Path, folder: Path) -> None:
    """Write weights (bfloat16 safetensors), configuration, tokenizer and the model's entry of the catalogue."""
    state = torch.load(work / f"{name}.pt", weights_only=True)
    model = TinyLlama(Shape(**ladder()[name]["shape"]))
    model.load_state_dict(state["model"])
    loaded = as_transformers(model).to(torch.bfloat16)
    loaded.generation_config.do_sample = False
    loaded.save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)  # safetensors writes for the owner only
    tokenizer = Tokenizer.from_file(str(work / "tokenizer.json"))
    vocabulary.save(tokenizer, folder, model.shape.context)
    _refuse_another_tokenizer(tokenizer, folder)


def training(name: str, work: Path) -> dict[str, int]:
    """Steps, samples seen and minutes on one core of a model and of all it was grown from."""
    plan, total = ladder()[name], {"steps": 0, "samples": 0, "minutes": 0}
    if "grown_from" in plan:
        total = training(plan["grown_from"], work)
    state = torch.load(work / f"{name}.pt", weights_only=True)
    own = {"steps": state["step"], "samples": state["samples"], "minutes": round(state["seconds"] / 60)}
    return {key: total[key] + own[key] for key in total}


def write_training(names: list[str], work: Path, path: Path) -> None:
    """Write ``training.csv``: model, parameters, own and inherited steps, samples and minutes."""
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(
            handle, ["model", "parameters", "grown_from", "steps", "samples", "minutes"], lineterminator="\n"
        )
        writer.writeheader()
        for name in names:
            parent = ladder()[name].get("grown_from", "").removesuffix("-base")
            row = {"model": name, "parameters": _parameters(name), "grown_from": parent if parent != name else ""}
            writer.writerow(row | training(name, work))


def _parameters(name: str) -> int:
    return sum(p.numel() for p in TinyLlama(Shape(**ladder()[name]["shape"])).parameters())


def _refuse_another_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """AutoTokenizer puts its own pre-tokenizer in the place of some; what it reads must encode as what was trained."""
    read: Any = AutoTokenizer.from_pretrained(folder)
    text = 'Sentence: The <span>belrazole</span> dose ( P &lt; 0.05 )\tof 12 mg\nMarked: a "b" Melström  x'
    ids = tokenizer.encode(text).ids
    assert read(text)["input_ids"] == ids, "the saved tokenizer encodes differently"
    assert read.decode(ids, skip_special_tokens=True) == text, "the saved tokenizer decodes differently"


def write_entry(name: str, folder: Path) -> None:
    """Write ``config/models/<name>.yaml``."""
    plan = ladder()[name]
    shape = Shape(**plan["shape"])
    value = {
        "title": f"{name} ({_parameters(name) / 1e6:.1f}M)",
        "family": "llama",
        "domain": plan["domain"],
        "folder": f"resources/demo/models/{name}",
        "chat_template": "none",
        "full_dtype": "bfloat16",
        "licence": "MIT",
        "demonstration": True,
        "architecture": {
            "layers": shape.layers,
            "hidden_size": shape.hidden,
            "attention_heads": shape.heads,
            "key_value_heads": shape.heads,
            "intermediate_size": shape.intermediate,
            "vocab_size": shape.vocabulary,
            "context_length": shape.context,
            "tied_head": True,
        },
    }
    note = "# An embedded demonstration model, trained by resources/demo/build: never recommended.\n"
    (folder / f"{name}.yaml").write_text(note + yaml.safe_dump(value, sort_keys=False), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--work", type=Path, default=WORK)
    parser.add_argument("--folder", type=Path, default=MODELS)
    arguments = parser.parse_args()
    for model_name in arguments.models:
        export(model_name, arguments.work, arguments.folder / model_name)
        if arguments.folder == MODELS:
            write_entry(model_name, ENTRIES)
    write_training(arguments.models, arguments.work, arguments.folder / "training.csv")
