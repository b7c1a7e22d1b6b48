"""Log-probabilities for the cells of a simulated run: made of what was read from their answers, so that the files fit together."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from quantbench.config import DatasetEntry
from quantbench.contracts.cell_name import Cell
from quantbench.contracts.checksums import sha256_of
from quantbench.contracts.likelihoods import TOP, Likelihoods, OptionScores, ReferenceTokens, WrittenTokens
from quantbench.contracts.records import ScoredAnswer, read_records

from .simulated_run import Run

# Mean divergence of a token, in nats.
DIVERGENCE = {"full-replanned": 1e-6, "w8a16": 1e-3, "w4a16": 2e-2}
LENGTH = 5  # tokens an answer


def option_names(entry: DatasetEntry) -> tuple[str, ...]:
    """The options of a dataset; none where its answers are lists."""
    if entry.task == "relation_extraction":
        return tuple(entry.labels)
    if entry.task == "question_answering":
        return ("yes", "no", "maybe") if entry.reader == "yes_no_maybe" else tuple("ABCDE")
    return ()


def add_likelihoods(run: Run, cells: Sequence[Cell]) -> None:
    """Write ``likelihoods.npz`` of some cells of a simulated run."""
    for cell in cells:
        folder = run.results / "cells" / cell.folder
        answers = read_records(folder / "scored.jsonl", ScoredAnswer)
        answered = run.results / "cells" / replace(cell, precision="full").folder / "predictions.jsonl"
        read = sha256_of(answered) if answered.exists() else "0" * 64
        made = simulated_likelihoods(run.catalogue.datasets[cell.dataset], cell, answers, read)
        made.write(folder / "likelihoods.npz")


def simulated_likelihoods(
    entry: DatasetEntry, cell: Cell, answers: Sequence[ScoredAnswer], predictions_sha256: str
) -> Likelihoods:
    """What a cell that gave these answers could have kept."""
    generator = np.random.default_rng(zlib.crc32(repr(cell).encode()))
    reference = None
    if cell.precision != "full":
        reference = _reference(cell, len(answers), predictions_sha256, generator)
    return Likelihoods(
        sample_ids=tuple(answer.sample_id for answer in answers),
        written=written_tokens([zlib.crc32(repr(answer.parsed).encode()) % 1000 for answer in answers], generator),
        options=_options(entry, answers, generator),
        reference=reference,
    )


def written_tokens(seeds: Sequence[int], generator: np.random.Generator) -> WrittenTokens:
    """Answers of :data:`LENGTH` tokens that begin alike where their seeds are; the written token is the likeliest."""
    count = len(seeds) * LENGTH
    tokens = np.repeat(np.asarray(seeds, dtype=np.int32), LENGTH) * 10 + np.tile(
        np.arange(LENGTH, dtype=np.int32), len(seeds)
    )
    shares = np.sort(generator.dirichlet([8.0, *[0.4] * TOP], size=count)[:, : TOP + 1], axis=1)[:, ::-1]
    arrays: dict[str, Any] = {
        "starts": np.arange(len(seeds) + 1) * LENGTH,
        "tokens": tokens,
        "log_probabilities": _logs(shares[:, 0]),
        "top_tokens": tokens[:, None] + 10_000 * np.arange(TOP, dtype=np.int32),
        "top_log_probabilities": _logs(shares[:, :TOP]),
        "other_log_probabilities": _logs(shares[:, TOP]),
    }
    return WrittenTokens(**{field.name: arrays[field.name] for field in fields(WrittenTokens)})


def _logs(shares: NDArray[np.float64]) -> NDArray[np.float16]:
    return np.log(np.maximum(shares, 1e-6)).astype(np.float16)


def _options(
    entry: DatasetEntry, answers: Sequence[ScoredAnswer], generator: np.random.Generator
) -> OptionScores | None:
    names = option_names(entry)
    if not names:
        return None
    raised = generator.normal(0, 1, (len(answers), len(names)))
    for row, answer in zip(raised, answers, strict=True):
        if answer.parsed in names:
            # Nearly always the likeliest option, by more or less.
            row[names.index(answer.parsed)] = row.max() + generator.normal(1.2, 0.8)
    logs = raised - np.log(np.exp(raised).sum(axis=1, keepdims=True)) - 0.05
    return OptionScores(
        names=names,
        starts=np.arange(len(answers) + 1) * len(names),
        options=np.tile(np.arange(len(names), dtype=np.int16), len(answers)),
        log_probabilities=logs.ravel().astype(np.float32),
    )


def _reference(cell: Cell, samples: int, predictions_sha256: str, generator: np.random.Generator) -> ReferenceTokens:
    count, mean = samples * LENGTH, DIVERGENCE.get(cell.precision, 1e-2)
    divergences = generator.exponential(mean, count)
    return ReferenceTokens(
        predictions_sha256=predictions_sha256,
        starts=np.arange(samples + 1) * LENGTH,
        log_probabilities=np.full(count, -0.25, dtype=np.float16),
        divergences=divergences.astype(np.float32),
        agrees=divergences < 3 * mean,
    )
