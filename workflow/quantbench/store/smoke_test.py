"""Smoke test of an exported quantized checkpoint: needs this folder, torch, transformers and bitsandbytes; no network.

    python smoke_test.py            # every file is the recorded one, the model loads, it generates, the tokens compared
    python smoke_test.py --record   # take what this machine generates as what to compare with

Exit status: 0 it works (other tokens than recorded are said: another device or library may round differently), 1 not.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
RECORD = "smoke_test.json"
PROMPT = "Question: Which organ pumps blood?\nAnswer:"
NEW_TOKENS = 16


def wrong_files(folder: Path, recorded: dict[str, str]) -> list[str]:
    """The names of files that are missing or not the recorded ones."""
    wrong = []
    for name, expected in recorded.items():
        path = folder / name
        if not path.is_file():
            wrong.append(f"{name} is missing")
            continue
        with path.open("rb") as handle:
            if hashlib.file_digest(handle, "sha256").hexdigest() != expected:
                wrong.append(f"{name} is not the recorded file")
    return wrong


def generate(folder: Path, dtype: str) -> dict[str, Any]:
    """Load the checkpoint and let it go on from the prompt, greedily."""
    os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", TRANSFORMERS_VERBOSITY="error")
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    device = "cuda" if torch.cuda.is_available() else "cpu"
    place: Any = "auto" if device == "cuda" else {"": "cpu"}
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model: Any = AutoModelForCausalLM.from_pretrained(
        folder, local_files_only=True, dtype=getattr(torch, dtype), device_map=place
    )
    batch = tokenizer(PROMPT, return_tensors="pt")
    inputs = {key: batch[key].to(model.device) for key in ("input_ids", "attention_mask")}
    with torch.inference_mode():
        output = model.generate(
            **inputs, do_sample=False, max_new_tokens=NEW_TOKENS, min_new_tokens=1, pad_token_id=tokenizer.eos_token_id
        )
    tokens = output[0, inputs["input_ids"].shape[1] :].tolist()
    return {"prompt": PROMPT, "tokens": tokens, "text": tokenizer.decode(tokens), "device": device}


def main() -> int:
    """Run as a command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", action="store_true", help="keep what this machine generates")
    record = parser.parse_args().record
    manifest = json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))
    wrong = wrong_files(FOLDER, manifest["files"])
    if wrong:
        print(f"smoke test: {FOLDER}: {'; '.join(wrong)}", file=sys.stderr)
        return 1
    print(f"{len(manifest['files'])} files are the recorded ones")
    found = generate(FOLDER, manifest["dtype"])
    print(f"loads and generates on {found['device']}: {found['text']!r}")
    if record:
        (FOLDER / RECORD).write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    elif (FOLDER / RECORD).exists():
        expected = json.loads((FOLDER / RECORD).read_text(encoding="utf-8"))
        same = expected["tokens"] == found["tokens"]
        print(f"{'the same' if same else 'other'} tokens as recorded on {expected['device']}: {expected['text']!r}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
