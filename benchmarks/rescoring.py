"""Time ``quantbench score`` from start to finish: 16,943 relation outputs, 4,797 entity outputs.

    python benchmarks/rescoring.py [--data FOLDER]

The outputs are as varied as models' are: exact answers, prose, conclusions, invented next examples, changed
whitespace and words, refusals. Sentences are invented, or with ``--data`` those of the published files in
``FOLDER/<dataset>/test*.tsv``, repeated up to the number wanted. Each case is a process of its own on one thread, reading
files and writing scores with the default 10,000 bootstrap resamples. Prints one line of JSON a case.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "workflow"))

from quantbench import tasks  # noqa: E402
from quantbench.config import DatasetEntry, load_datasets  # noqa: E402
from quantbench.contracts.records import Sample, write_records  # noqa: E402
from quantbench.datasets import read_split  # noqa: E402

CASES = {"chemprot": 16943, "bc5cdr_chemical": 4797}
LIMIT_S = 5.0
WORDS = [
    "the",
    "of",
    "in",
    "patients",
    "treated",
    "with",
    "dose",
    "mg",
    "/",
    "kg",
    "(",
    "P",
    "<",
    "0",
    ".",
    "05",
    ")",
    "induced",
    "by",
    "increased",
    "levels",
    "after",
    "therapy",
    "showed",
    "no",
]
SEED = 2509


def main() -> int:
    """Run both cases; the exit status says whether each stayed under the limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of the published files, one sub-folder a dataset")
    arguments = parser.parse_args()
    entries = load_datasets(REPOSITORY)
    slow = False
    for name, count in CASES.items():
        generator = random.Random(SEED)
        with tempfile.TemporaryDirectory() as folder:
            samples = _samples(name, entries[name], count, generator, arguments.data)
            seconds, cpu = _time(name, entries[name], samples, generator, Path(folder))
        slow = slow or seconds > LIMIT_S
        figures = {
            "dataset": name,
            "outputs": count,
            "seconds": round(seconds, 2),
            "cpu_s": round(cpu, 2),
            "outputs_per_s": round(count / seconds),
        }
        print(json.dumps(figures | {"limit_s": LIMIT_S, "sentences": "published" if arguments.data else "invented"}))
    return int(slow)


def _samples(name: str, entry: DatasetEntry, count: int, generator: random.Random, data: Path | None) -> list[Sample]:
    if data:
        base = read_split(next(iter(sorted((data / name).glob("test*.tsv")))), entry, None)
    elif entry.entity_type:
        base = [_tagged_sentence(generator) for _ in range(count)]
    else:
        labels = generator.choices(list(entry.labels), weights=[4, 10, 1, 2, 4, 75], k=count)
        base = [
            Sample("", {"sentence": " ".join(generator.choices(WORDS, k=30))}, label, str(n // 20))
            for n, label in enumerate(labels)
        ]
    return [
        Sample(str(number), sample.inputs, sample.gold, sample.group)
        for number, sample in ((number, base[number % len(base)]) for number in range(count))
    ]


def _tagged_sentence(generator: random.Random) -> Sample:
    tokens = generator.choices(WORDS, k=generator.randint(8, 45))
    gold, end = [], 0
    for position in range(len(tokens)):
        if generator.random() < 0.05:
            tokens[position] = generator.choice(["dobutamine", "zintol", "calcium", "L-dopa"])
            gold.append({"start": end, "end": end + len(tokens[position]), "text": tokens[position]})
        end += len(tokens[position])
    return Sample("", {"text": " ".join(tokens)}, gold, str(generator.random()))


def _time(
    name: str, entry: DatasetEntry, samples: list[Sample], generator: random.Random, folder: Path
) -> tuple[float, float]:
    """Return the seconds of one process that scores the samples' outputs, by the clock and of processor time."""
    write_records(folder / "samples.jsonl", samples)
    task = tasks.get(entry)
    varied = _entity_output if entry.entity_type else _relation_output
    with (folder / "predictions.jsonl").open("w", encoding="utf-8") as handle:
        for sample in samples:
            output = varied(task.render(sample.gold, sample), sample, generator)
            handle.write(json.dumps({"sample_id": sample.sample_id, "outputs": [output]}) + "\n")
    command = [
        sys.executable,
        "-m",
        "quantbench.cli.main",
        "score",
        "--dataset",
        name,
        "--gold",
        str(folder / "samples.jsonl"),
    ]
    command += ["--predictions", str(folder / "predictions.jsonl"), "--out", str(folder / "out")]
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    start, used = time.perf_counter(), _children_cpu_s()
    environment = {**os.environ, **threads, "PYTHONPATH": str(REPOSITORY / "workflow")}
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start, _children_cpu_s() - used


def _children_cpu_s() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _relation_output(answer: str, sample: Sample, generator: random.Random) -> str:
    sentence = sample.inputs["sentence"]
    return generator.choice([
        answer,
        f"{answer.upper()}.",
        f"The relation described in the sentence is **{answer}**.",
        f"{answer}\n\nSentence: {sentence}\nClass: CPR:3\n\nSentence: {sentence}\nClass: false",
        f"It could be CPR:3 or CPR:4, since the chemical changes the level of the gene.\n\nFinal answer: {answer}",
        f'{{"class": "{answer}", "explanation": "the sentence says so"}}',
        "CPR:3 or CPR:4",
        "I am sorry, but I cannot tell from the sentence.",
    ])  # fmt: skip


def _entity_output(answer: str, sample: Sample, generator: random.Random) -> str:
    words = answer.split(" ")
    changed = generator.randrange(len(words))
    return generator.choice([
        answer,
        answer.replace(" .", ".").replace("( ", "(").replace(" )", ")"),
        " ".join("altered" if number == changed and "<" not in word else word for number, word in enumerate(words)),
        f"Here is the marked sentence:\n\n{answer}\n\nI marked all chemicals.",
        f"{answer}\n\nSentence: {sample.inputs['text']}\nMarked: {sample.inputs['text']}",
        answer[: len(answer) // 2],
        "None",
    ])  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
