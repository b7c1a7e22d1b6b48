"""Learn the shared vocabulary from training text of both domains: ``python resources/demo/build/maketok.py``."""

from __future__ import annotations

import argparse
from pathlib import Path

import corpus
import vocabulary
from train import WORK

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=WORK)
    work = parser.parse_args().work
    work.mkdir(parents=True, exist_ok=True)
    texts = corpus.texts(False, 1000, 1) + corpus.texts(True, 200, 1)
    vocabulary.train(texts).save(str(work / "tokenizer.json"))
