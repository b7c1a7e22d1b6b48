"""Score model folders on the miniature test sets in full precision: ``python resources/demo/build/evaluate.py tiny-s``.

``--check`` compares with the pipeline's own scores (``scores.csv``, made by ``make demo-scores``) and fails where one is
off by more than :data:`TOLERANCE`.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path
from typing import Any

import torch
from corpus import ROOT, entries
from generate import FOLDER
from transformers import AutoModelForCausalLM, AutoTokenizer

from quantbench import prompts, tasks
from quantbench.config import DatasetEntry, reasons_first
from quantbench.config.entries import Prompting
from quantbench.contracts.records import Sample
from quantbench.datasets import draw_shots, read_split
from quantbench.tasks.origin import Origin

EXPECTED = FOLDER.parent / "scores.csv"
TOLERANCE = 0.05
BATCH = 50
COLUMNS = ["model", "dataset", "prompting", "shots", "score", "unparseable"]


class Answerer:
    """A model folder that answers prompts greedily."""

    def __init__(self, folder: Path) -> None:
        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        self.model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16).eval()

    @torch.no_grad()
    def answers(self, texts: list[str], limit: int) -> list[str]:
        """The outputs for prompts, in their order."""
        outputs: dict[int, str] = {}
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            batch = self.tokenizer([texts[i] for i in chosen], padding=True, return_tensors="pt")
            found = self.model.generate(**batch, max_new_tokens=limit, do_sample=False)[
                :, batch["input_ids"].shape[1] :
            ]
            outputs |= dict(zip(chosen, self.tokenizer.batch_decode(found, skip_special_tokens=True), strict=True))
        return [outputs[i] for i in range(len(texts))]


def score(answerer: Answerer, dataset: str, prompting: Prompting, shots: int) -> tuple[float, float]:
    """Score and unparseable rate of one cell on the test split."""
    entry = entries()[dataset]
    task, samples = tasks.get(entry), _split(entry, dataset, "test")
    template = prompts.read_template(prompts.template_path(ROOT, dataset, prompting))
    drawn = draw_shots(_split(entry, dataset, "train"), entry, shots, seed=2509)
    examples = [(example, task.render(example.gold, example)) for example in drawn]
    texts = [prompts.render(entry, template, sample, examples) for sample in samples]
    raw = answerer.answers(texts, entry.max_new_tokens["instruction"] if prompting == "instruction" else 150)
    origin = Origin(reasoned=reasons_first(prompting))
    parsed = [task.parse(text, sample, origin) for text, sample in zip(raw, samples, strict=True)]
    counts = task.counts([answer.value for answer in parsed], [sample.gold for sample in samples])
    return task.metric.value(counts.sum(axis=0)), sum(not answer.ok for answer in parsed) / len(parsed)


def _split(entry: DatasetEntry, dataset: str, split: Any) -> list[Sample]:
    file = entry.files[split][0]
    return read_split(FOLDER / dataset / file.name, entry, file.rows)


def table(folders: list[Path], cells: list[tuple[Prompting, int]]) -> list[dict[str, str]]:
    """One line a model, dataset, prompting and number of shots."""
    lines = []
    for folder in folders:
        answerer = Answerer(folder)
        for dataset in entries():
            for prompting, shots in cells:
                value, lost = score(answerer, dataset, prompting, shots)
                cell = (folder.name, dataset, prompting, str(shots), f"{value:.3f}", f"{lost:.3f}")
                lines.append(dict(zip(COLUMNS, cell, strict=True)))
                print(*cell, flush=True)
    return lines


def check(lines: list[dict[str, str]]) -> int:
    """Print every zero-shot score that is off by more than the tolerance; return how many there are."""
    with EXPECTED.open(encoding="utf-8", newline="") as handle:
        shipped = [line for line in csv.DictReader(handle) if line["precision"] == "full"]
    expected = {(line["model"], line["dataset"]): float(line["score"]) for line in shipped}
    off = 0
    for line in lines:
        wanted = expected[line["model"], line["dataset"]]
        if abs(float(line["score"]) - wanted) > TOLERANCE:
            print(f"{line['model']} {line['dataset']}: {line['score']}, expected {wanted:.3f} +- {TOLERANCE}")
            off += 1
    return off


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--folder", type=Path, default=FOLDER.parent / "models")
    parser.add_argument("--all", action="store_true", help="also with worked examples and chain of thought")
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cells: list[tuple[Prompting, int]] = [("instruction", 0)]
    if arguments.all:
        cells += [("instruction", 3), ("cot", 0)]
    lines = table([arguments.folder / name for name in arguments.models], cells)
    if arguments.check and check(
        [line for line in lines if (line["prompting"], line["shots"]) == ("instruction", "0")]
    ):
        sys.exit(1)


if __name__ == "__main__":
    main()
