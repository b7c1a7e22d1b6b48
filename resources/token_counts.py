"""Estimate `tokens` and `test_set` of each dataset's entry, from its prompts and gold answers: prints YAML to standard output.

    python resources/token_counts.py <folder with <dataset>/test*.tsv> [<dataset> ...]

The zero-shot instruction prompt of every test sample is rendered and counted, and so is its gold answer written out. No
tokenizer is needed: ``resources/paper/prompt_tokens.py`` says how tokens are bounded; the mean of the bounds is taken, and
25 tokens for the chat template. Put the lines into ``config/datasets/<dataset>/dataset.yaml``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import mean

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "workflow"), str(ROOT / "resources/paper")]

from prompt_tokens import CHAT_TEMPLATE_TOKENS, token_bounds  # noqa: E402

from quantbench import tasks  # noqa: E402
from quantbench.config import DatasetEntry, load_datasets  # noqa: E402
from quantbench.datasets import read_split  # noqa: E402
from quantbench.datasets.readers import read_split_samples  # noqa: E402
from quantbench.prompts import read_template, render, template_path  # noqa: E402


def tokens(text: str) -> float:
    """The mean of the bounds on a text's number of tokens."""
    return mean(token_bounds(text))


def counts(name: str, entry: DatasetEntry, folder: Path) -> dict[str, int]:
    """The fields of ``tokens``: mean and longest prompt, mean answer."""
    path = next(iter(sorted((folder / name).glob("test*.tsv"))))
    samples = read_split(path, entry, None)
    template = read_template(template_path(ROOT, name, "instruction"))
    prompts = [tokens(render(entry, template, sample)) + CHAT_TEMPLATE_TOKENS for sample in samples]
    task = tasks.get(entry)
    # Each answer ends with a token of its own.
    answers = [tokens(task.render(sample.gold, sample)) + 1 for sample in samples]
    return {"prompt": round(mean(prompts)), "longest_prompt": round(max(prompts)), "answer": round(mean(answers))}


def test_set(name: str, entry: DatasetEntry, folder: Path) -> tuple[int, list[int]]:
    """The fields of ``test_set``: what intervals take as independent, and each label's gold answers."""
    file = next(one for one in entry.files["test"] if (folder / name / one.name).exists())
    samples = read_split_samples(folder / name / file.name, entry, file.rows).samples
    golds = [sample.gold for sample in samples]
    support = tasks.get(entry).counts(golds, golds)[..., 0].sum(axis=0).tolist()
    return len({sample.group for sample in samples}), support


def main(folder: Path, names: list[str]) -> None:
    """Print one line a dataset."""
    entries = load_datasets(ROOT)
    for name in names or list(entries):
        found = counts(name, entries[name], folder)
        print(f"{name}: tokens: {{{', '.join(f'{key}: {value}' for key, value in found.items())}}}", flush=True)
        units, support = test_set(name, entries[name], folder)
        print(f"{name}: test_set: {{units: {units}, support: {support}}}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
