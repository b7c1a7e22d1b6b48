"""Make a mapping of this folder again from its corpus: `python resources/documents/align.py <corpus> <tokens>`, to standard output.

The corpus is in PubTator's form (`pmid|t|title`, `pmid|a|abstract`), plain or as .gz; the tokens are a published `test.tsv` or
`train.tsv`. Titles and abstracts without whitespace, in the order of their PMIDs as text, must be the sentences without
whitespace, character for character, and every document must begin with a sentence; anything else is an error.
"""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

from quantbench.config import load_datasets
from quantbench.datasets.documents import HEADER
from quantbench.datasets.readers.read_token_tags import read

ROOT = Path(__file__).parents[2]


def squeezed(text: str) -> str:
    """A text without whitespace."""
    return "".join(text.split())


def corpus_texts(path: Path) -> dict[str, str]:
    """PMID -> title and abstract without whitespace; a record that stands there twice counts once."""
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    parts: dict[str, dict[str, str]] = {}
    for line in content.decode("utf-8").split("\n"):
        pmid, kind, text = (*line.split("|", 2), "", "")[:3]
        if pmid.isdecimal() and kind in ("t", "a"):
            parts.setdefault(pmid, {})[kind] = squeezed(text)
    return {pmid: found["t"] + found.get("a", "") for pmid, found in parts.items()}


def first_sentences(texts: dict[str, str], sentences: list[str]) -> list[tuple[int, str]]:
    """The number of each document's first sentence, with its PMID, in file order."""
    starts, number = [], 0
    for pmid in sorted(texts):
        starts.append((number, pmid))
        left = texts[pmid]
        while left:
            if number == len(sentences) or not left.startswith(sentences[number]):
                raise SystemExit(f"sentence {number} is not what document {pmid} goes on with: {left[:60]!r}")
            left = left.removeprefix(sentences[number])
            number += 1
    if number != len(sentences):
        raise SystemExit(f"{len(sentences) - number} sentences are left over behind the last document")
    return starts


def main(corpus: str, tokens: str) -> None:
    """Print the mapping."""
    # Every dataset of token tags is read alike; the mapping of the entry itself must not enter.
    entry = load_datasets(ROOT)["ncbi_disease"].model_copy(update={"files": {}})
    samples = read(Path(tokens), entry).samples
    starts = first_sentences(corpus_texts(Path(corpus)), [squeezed(sample.inputs["text"]) for sample in samples])
    print(",".join(HEADER))
    for first, pmid in starts:
        print(f"{first},{pmid}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
