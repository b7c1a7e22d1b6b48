"""Estimate the longest published prompt of each dataset in tokens: writes prompt_tokens.csv to standard output.

    python resources/paper/prompt_tokens.py <folder with <dataset>/test*.tsv> > resources/paper/prompt_tokens.csv

No tokenizer is needed and no memory figure enters. Tokenizers of about 100,000 entries first cut a text into pieces: a
word, up to three digits, a run of punctuation. No token spans two pieces, so their number is a lower bound. Long words
are cut again; counting seven letters a token is a high estimate. The mean of the two is taken for the test input. The
prompt around it is plain English, for which that mean comes to 4.8 characters a token (HoC 4.9, LitCovid 4.8), and the
chat template adds 10 (Phi-4, DeepSeek) to 40 tokens (Llama 3.3, Qwen2.5): 25 for all.
"""

from __future__ import annotations

import csv
import math
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "workflow"))

from quantbench.config import load_datasets  # noqa: E402
from quantbench.datasets import read_split  # noqa: E402

# Characters of the published zero-shot prompts (BIDS-Xu-Lab/Biomedical-NLP-Benchmarks, commit e607a81) without the input.
TEMPLATE_CHARACTERS = {
    "hoc": 1239,
    "litcovid": 1462,
    "bc5cdr_chemical": 205,
    "ncbi_disease": 226,
    "chemprot": 798,
    "ddi2013": 1197,
    "medqa": 357,
    "pubmedqa": 280,
}
CHARACTERS_A_TOKEN = 4.8
CHAT_TEMPLATE_TOKENS = 25
LETTERS_A_TOKEN = 7
PIECE = re.compile(r" ?[^\W\d_]+|\d{1,3}| ?[^\s\w]+|_+|\s")


def token_bounds(text: str) -> tuple[int, int]:
    """The number of pieces of a text, and the number of tokens where each holds at most seven letters."""
    pieces = [piece.strip() for piece in PIECE.findall(text)]
    return len(pieces), sum(max(1, math.ceil(len(piece) / LETTERS_A_TOKEN)) for piece in pieces)


def input_text(inputs: dict[str, Any]) -> str:
    """A test input as the published prompts show it."""
    options = [f"{letter}. {text}" for letter, text in inputs.get("options", {}).items()]
    parts = [inputs.get(key, "") for key in ("text", "sentence", "question", "context")]
    return "\n".join([part for part in parts if part] + options)


def longest(texts: list[str]) -> tuple[int, int]:
    """The bounds of the text with the most tokens by the mean of its bounds."""
    return max((token_bounds(text) for text in texts), key=sum)


def main(folder: Path) -> None:
    """Write one line a dataset."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["dataset", "template_characters", "input_tokens_low", "input_tokens_high", "prompt_tokens"])
    entries = load_datasets(ROOT)
    for name, characters in TEMPLATE_CHARACTERS.items():
        path = next(iter(sorted((folder / name).glob("test*.tsv"))))
        low, high = longest([input_text(sample.inputs) for sample in read_split(path, entries[name], None)])
        tokens = (low + high) / 2 + characters / CHARACTERS_A_TOKEN + CHAT_TEMPLATE_TOKENS
        writer.writerow([name, characters, low, high, round(tokens)])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
