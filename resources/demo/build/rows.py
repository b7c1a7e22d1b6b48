"""Token rows for training and for the running check: many samples behind one shared prefix, losses on the answers."""

from __future__ import annotations

import hashlib
import os
import pickle
from dataclasses import dataclass
from pathlib import Path
from random import Random

import corpus
import torch
from model import Row
from slots import DATASETS
from tokenizers import Tokenizer
from torch import Tensor

TOKENS = 1000  # of one row, padding included
OPTIONS = 5


@dataclass(frozen=True)
class Batch:
    """One row with its targets.

    ``targets`` (n, S): the next token where it counts, else -100. ``answer`` (n, S): true where it is an answer's.
    ``options`` (n, 5): where the lines of the options end, and ``choice`` (n,) the right one; None without options.
    """

    row: Row
    targets: Tensor
    answer: Tensor
    options: Tensor | None
    choice: Tensor | None


@dataclass
class Encoded:
    """A pool with its examples' token ids: per prompting a list of (input ids, answer ids with the end token)."""

    pool: corpus.Pool
    ids: dict[str, list[tuple[list[int], list[int]]]]


def encode(pool: corpus.Pool, tokenizer: Tokenizer) -> Encoded:
    """Tokenize every example once."""
    end = tokenizer.token_to_id("</s>")
    ids = {}
    for kind in corpus.PROMPTINGS:
        inputs = tokenizer.encode_batch([e.inputs[kind] for e in pool.examples], add_special_tokens=False)
        answers = tokenizer.encode_batch([e.answers[kind] for e in pool.examples], add_special_tokens=False)
        ids[kind] = [(i.ids, [*a.ids, end]) for i, a in zip(inputs, answers, strict=True)]
    return Encoded(pool, ids)


def pools(
    split: str, count: int, seed: int, tokenizer: Tokenizer, work: Path, general: bool = False, lettered: bool = False
) -> dict[str, Encoded]:
    """All datasets' examples of a split, made once and kept in ``work`` under a name that says what they hold."""
    state = hashlib.sha256(tokenizer.to_str().encode())
    for path in sorted(Path(__file__).parent.glob("words/*.yaml")) + sorted(corpus.ROOT.glob("config/datasets/*/*")):
        state.update(path.read_bytes())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if path.stem in ("names", "slots", "multilabel", "entities", "relations", "questions", "generate", "corpus"):
            state.update(path.read_bytes())
    cache = work / f"{split}-{count}-{seed}-{general}-{lettered}-{state.hexdigest()[:12]}.pickle"
    if not cache.exists():
        found = {d: encode(corpus.build_pool(d, split, count, seed, general, lettered), tokenizer) for d in DATASETS}
        work.mkdir(parents=True, exist_ok=True)
        part = cache.with_suffix(f".{os.getpid()}")  # two models in training may want the same pool at once
        part.write_bytes(pickle.dumps(found))
        part.rename(cache)
    found = pickle.loads(cache.read_bytes())
    assert isinstance(found, dict)
    return found


def draw(encoded: Encoded, kind: str, prefix: list[int], rng: Random, reading: float) -> Batch:
    """A training row behind a prefix. ``reading``: the share of input tokens whose next token is to be predicted as well."""
    own = encoded.ids[kind]
    # Neighbours in length share a row, so that little of it is padding.
    drawn = sorted(rng.sample(range(len(own)), 160), key=lambda i: sum(map(len, own[i])) + rng.random())
    middle = rng.randrange(len(drawn))
    length = max(sum(map(len, own[i])) for i in drawn[: middle + 8])
    count = max(6, min(48, (TOKENS - len(prefix)) // length))
    start = max(0, min(middle, len(drawn) - count))
    return collate(encoded, kind, prefix, drawn[start : start + count], reading, rng)


def copying(rng: Random, vocabulary: int) -> Batch:
    """Random tokens to be repeated: spans can only be marked by a model that copies, and this teaches it soonest."""
    length = rng.randint(3, 26)
    lines = []
    for _ in range(1100 // length // 2):
        once = [rng.randrange(3, vocabulary) for _ in range(length)]
        lines.append([*once, rng.randrange(3, vocabulary), *once])
    whole = torch.tensor(lines)
    answer = torch.zeros_like(whole[:, 1:], dtype=torch.bool)
    answer[:, length:] = True
    return Batch(Row(torch.tensor([0]), whole[:, :-1]), whole[:, 1:].where(answer, -100), answer, None, None)


def collate(
    encoded: Encoded, kind: str, prefix: list[int], chosen: list[int], reading: float = 0.0, rng: Random | None = None
) -> Batch:
    """Chosen examples behind one prefix, padded on the right."""
    pairs = [encoded.ids[kind][i] for i in chosen]
    length = max(len(question) + len(answer) for question, answer in pairs) - 1
    samples = torch.full((len(pairs), length), 2)
    targets = torch.full((len(pairs), length), -100)
    answer_here = torch.zeros(len(pairs), length, dtype=torch.bool)
    for line, (question, answer) in enumerate(pairs):
        whole = torch.tensor(question + answer)
        samples[line, : len(whole) - 1] = whole[:-1]
        targets[line, len(question) - 1 : len(whole) - 1] = whole[len(question) :]
        answer_here[line, len(question) - 1 : len(whole) - 1] = True
        if reading and rng:
            for place in range(len(question) - 1):
                if rng.random() < reading:
                    targets[line, place] = whole[place + 1]
    row = Row(torch.tensor(prefix), samples)
    if encoded.pool.dataset != "medqa":
        return Batch(row, targets, answer_here, None, None)
    newline = _newline(encoded, kind)
    ends = [[p for p, token in enumerate(question) if token == newline][-OPTIONS:] for question, _ in pairs]
    golds = ["ABCDE".index(encoded.pool.examples[i].sample.gold) for i in chosen]
    return Batch(row, targets, answer_here, torch.tensor(ends), torch.tensor(golds))


def _newline(encoded: Encoded, kind: str) -> int:
    """The token of a line break: the last but the prompt's closing label, which is one word and a colon."""
    return encoded.ids[kind][0][0][-3]
