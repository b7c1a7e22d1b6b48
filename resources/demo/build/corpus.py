"""Training rows: one shared prompt prefix and many samples behind it, in exactly the project's own prompts."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import generate
from slots import DATASETS

from quantbench import prompts, tasks
from quantbench.config import DatasetEntry, load_datasets
from quantbench.contracts.records import Sample
from quantbench.datasets import read_split

ROOT = Path(__file__).resolve().parents[3]
PROMPTINGS = ("instruction", "cot")
SHOT_WEIGHTS = {0: 0.7, 1: 0.12, 3: 0.12, 5: 0.06}


@dataclass(frozen=True, slots=True)
class Example:
    """One sample as text: what follows the shared prefix, and the answer per prompting (leading blank included)."""

    sample: Sample
    inputs: dict[str, str]
    answers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Pool:
    """The training examples of one dataset."""

    dataset: str
    entry: DatasetEntry
    templates: dict[str, str]
    examples: list[Example]

    def prefix(self, prompting: str, shots: int, rng: Random, bare: bool = False) -> str:
        """The text that prompts with the same worked examples share; ``bare``: of the instructions the first line."""
        if bare:
            whole = self.prefix(prompting, 0, rng)
            return whole.partition("\n")[0] + "\n" + self.prefix(prompting, shots, rng)[len(whole) :]
        worked = [(example.sample, self.gold(example.sample)) for example in rng.sample(self.examples, shots)]
        last = self.examples[0]
        text = prompts.render(self.entry, self.templates[prompting], last.sample, worked)
        return text.removesuffix(last.inputs[prompting])

    def gold(self, sample: Sample) -> str:
        """The sample's answer as worked examples show it."""
        return tasks.get(self.entry).render(sample.gold, sample)


def entries() -> dict[str, DatasetEntry]:
    """The datasets' configuration with the miniature files."""
    return load_datasets(ROOT, generate.FOLDER)


def build_pool(dataset: str, split: str, count: int, seed: int, general: bool = False, lettered: bool = False) -> Pool:
    """Generate ``count`` items, read them back through the package's reader, and render their texts."""
    entry = entries()[dataset]
    items = generate.generate(dataset, split, count, seed, general, varied=split == "train")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{split}.tsv"
        path.write_bytes(generate.as_file(dataset, items).encode())
        samples = read_split(path, entry, count)
    templates = {kind: prompts.read_template(prompts.template_path(ROOT, dataset, kind)) for kind in PROMPTINGS}
    task = tasks.get(entry)
    heads = {kind: _head(entry, template, samples) for kind, template in templates.items()}
    examples = []
    for item, sample in zip(items, samples, strict=True):
        gold = task.render(sample.gold, sample)
        inputs = {
            kind: prompts.render(entry, template, sample)[len(heads[kind]) :] for kind, template in templates.items()
        }
        told = gold
        if dataset == "medqa":
            # Models this small name the option; its letter, which takes one more step, stays at chance.
            told = f"{item.fields['answer']} ({gold})" if lettered else item.fields["answer"]
        concluded = gold if lettered else told
        answers = {"instruction": f" {told}", "cot": f" {item.reasoning}\nFinal answer: {concluded}"}
        examples.append(Example(sample, inputs, answers))
    return Pool(dataset, entry, templates, examples)


def _head(entry: DatasetEntry, template: str, samples: list[Sample]) -> str:
    """What zero-shot prompts begin with, up to the last line break before the sample's own text."""
    sentinel = Sample("", {key: _mark(value) for key, value in samples[0].inputs.items()}, None, "")
    text = prompts.render(entry, template, sentinel)
    return text[: text.index("\x00")].rpartition("\n")[0] + "\n"


def _mark(value: Any) -> Any:
    return {key: f"\x00{text}" for key, text in value.items()} if isinstance(value, dict) else f"\x00{value}"


def texts(general: bool, count: int, seed: int) -> list[str]:
    """Prompts with their answers, for learning the vocabulary."""
    found = []
    for dataset in DATASETS:
        pool = build_pool(dataset, "train", count, seed, general)
        for kind in PROMPTINGS:
            found += [pool.prefix(kind, 0, Random(seed))] * (count // 20)
            found += [example.inputs[kind] + example.answers[kind] for example in pool.examples]
    return found
