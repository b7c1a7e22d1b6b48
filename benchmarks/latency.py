"""Hold the latency instrument against another one: same model, same machine, same minutes, batch 1, same token counts.

    python benchmarks/latency.py [--optimum PYTHON] [--rounds N]

The other side is optimum-benchmark 0.6 where ``PYTHON`` names the interpreter of an environment that has it
(``python -m venv ob; ob/bin/pip install optimum-benchmark==0.6.0 torch==2.13.0 transformers==5.23.0``), else a bare loop around
transformers' ``generate``. Each side is a process of its own on one thread, and they take turns, so that other work on
the machine meets both. The model has random weights and never ends an answer early: a trained one would, and the token
counts would differ. Prints a small table; the exit status says whether the medians lie within 0.9 to 1.1 of each other.
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
from statistics import median
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
PROMPT_TOKENS, NEW_TOKENS = 128, 32
SAMPLES, WARMUP = 20, 4
WITHIN = (0.9, 1.1)
Values = dict[str, list[float]]


def main() -> int:
    """Run the rounds, or one side of one round (how this script calls itself)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--optimum", metavar="PYTHON", help="interpreter that has optimum-benchmark")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--side", choices=list(SIDES), help=argparse.SUPPRESS)
    parser.add_argument("--model", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        Path(os.environ["LATENCIES"]).write_text(json.dumps(SIDES[arguments.side](arguments.model)), encoding="utf-8")
        return 0
    other = "optimum" if arguments.optimum else "bare"
    pythons = {"quantbench": sys.executable, other: arguments.optimum or sys.executable}
    rounds: list[dict[str, Values]] = []
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder))
        for number in range(arguments.rounds):
            order = list(pythons) if number % 2 else list(pythons)[::-1]
            rounds.append({side: one_round(pythons[side], side, Path(folder)) for side in order})
    return report(rounds, other)


def report(rounds: list[dict[str, Values]], other: str) -> int:
    """Print a table of medians; 1 where the whole latency's ratio is out of bounds.

    The ratio is the median over rounds of each round's own ratio of medians: rounds last seconds, so that other work on
    the machine weighs on both sides of a ratio alike.
    """
    print(f"{PROMPT_TOKENS} prompt tokens, {NEW_TOKENS} new tokens, batch 1, CPU, one thread")
    print(f"{len(rounds)} rounds of {SAMPLES} samples a side; in brackets the rounds' smallest and largest ratio")
    print(f"{'median, ms':<14}{'quantbench':>12}{other:>12}{'ratio':>8}")
    ratios = {}
    for key in rounds[0]["quantbench"]:
        ours, theirs = ([1000 * median(each[side][key]) for each in rounds] for side in ("quantbench", other))
        found = sorted(one / two for one, two in zip(ours, theirs, strict=True))
        ratios[key] = median(found)
        print(
            f"{key:<14}{median(ours):>12.3f}{median(theirs):>12.3f}{ratios[key]:>8.3f}  ({found[0]:.2f}, {found[-1]:.2f})"
        )
    return int(not WITHIN[0] <= ratios["latency"] <= WITHIN[1])


def one_round(python: str, side: str, model: Path) -> Values:
    """Run one side in a process of its own; its values in seconds."""
    out = model / f"{side}.latencies"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1"}
    command = [python, str(Path(__file__).resolve()), "--side", side, "--model", str(model)]
    done = subprocess.run(
        command, env={**environment, "LATENCIES": str(out)}, capture_output=True, text=True, cwd=model, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
    values: Values = json.loads(out.read_text())
    return values


def make(folder: Path) -> None:
    """Write a random model of about ten million weights whose end token's row is empty, so that it never ends an answer.

    It is large enough that the tens of microseconds a token that the other side spends on a minimum length count little.
    """
    sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "workflow")]
    from safetensors.torch import load_file, save_file
    from tests.unit.conftest import FACTS, make_model

    shape = {"layers": 6, "hidden_size": 384, "attention_heads": 6, "key_value_heads": 2, "intermediate_size": 1024}
    make_model(folder, FACTS.model_copy(update={**shape, "vocab_size": 2048}))
    weights = load_file(folder / "model.safetensors")
    weights["model.embed_tokens.weight"][1] = 0
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def quantbench(folder: Path) -> Values:
    """Our instrument: the generator and ``time_each``, as a cell uses them."""
    sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "workflow")]
    from tests.unit.conftest import FACTS

    from quantbench.config import ModelEntry, PrecisionEntry
    from quantbench.engine.batches import Request
    from quantbench.engine.decoding_settings import GenerationSettings
    from quantbench.engine.generation import Generator
    from quantbench.measure.latency import time_each
    from quantbench.models.loading import load_model
    from quantbench.models.tokenizing import load_tokenizer

    entry = ModelEntry(
        title="random",
        family="llama",
        domain="general",
        folder=str(folder),
        chat_template="none",
        full_dtype="float32",
        licence="MIT",
        architecture=FACTS,
    )
    loaded = load_model(folder, entry, PrecisionEntry(title="full", method="none"), load_tokenizer(folder), "cpu")
    engine = Generator(loaded, GenerationSettings(NEW_TOKENS))
    items = [(str(number), Request(str(number), "", ids)) for number, ids in enumerate(prompts())]
    timed = time_each(items, engine.time_one, engine.synchronize, WARMUP)
    assert {(item.prompt_tokens, item.new_tokens) for item in timed} == {(PROMPT_TOKENS, NEW_TOKENS)}
    return _values([item.latency_s for item in timed], [item.first_token_s for item in timed])


def bare(folder: Path) -> Values:
    """A loop around ``generate`` without anything of ours; a logits processor notes the first token's time."""
    import torch
    from transformers import AutoModelForCausalLM, LogitsProcessor, LogitsProcessorList

    class First(LogitsProcessor):  # type: ignore[misc]
        at = 0.0

        def __call__(self, input_ids: Any, scores: Any) -> Any:
            self.at = self.at or time.perf_counter()
            return scores

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    whole, first = [], []
    for number, ids in enumerate(prompts()):
        watch, inputs = First(), torch.tensor([ids])
        start = time.perf_counter()
        with torch.inference_mode():
            output = model.generate(
                inputs,
                attention_mask=torch.ones_like(inputs),
                max_new_tokens=NEW_TOKENS,
                min_new_tokens=NEW_TOKENS,
                do_sample=False,
                logits_processor=LogitsProcessorList([watch]),
            )
        end = time.perf_counter()
        assert output.shape[1] == PROMPT_TOKENS + NEW_TOKENS
        if number >= WARMUP:
            whole.append(end - start)
            first.append(watch.at - start)
    return _values(whole, first)


def optimum(folder: Path) -> Values:
    """optimum-benchmark's inference scenario: its prefill ends with the first token, its decode with the last."""
    from transformers import PreTrainedTokenizerBase, Trainer

    # It annotates with a class that transformers 5 has folded into the tokenizers' base. Importing Trainer, as it will,
    # puts another module object in the place of ``transformers``: the name must stand in that one.
    assert Trainer
    vars(sys.modules["transformers"])["SpecialTokensMixin"] = PreTrainedTokenizerBase
    from optimum_benchmark import Benchmark, BenchmarkConfig, InferenceConfig, InlineConfig, PyTorchConfig

    config = BenchmarkConfig(
        name="latency",
        launcher=InlineConfig(),
        scenario=InferenceConfig(
            iterations=SAMPLES,
            duration=0,
            warmup_runs=WARMUP,
            input_shapes={"batch_size": 1, "sequence_length": PROMPT_TOKENS},
            generate_kwargs={"max_new_tokens": NEW_TOKENS, "min_new_tokens": NEW_TOKENS, "do_sample": False},
        ),
        backend=PyTorchConfig(
            model=str(folder), device="cpu", task="text-generation", library="transformers", torch_dtype="float32"
        ),
    )
    measured = Benchmark.launch(config)
    first, rest = measured.prefill.latency.values, measured.decode.latency.values
    assert len(first) == len(rest) == SAMPLES
    return _values([start + end for start, end in zip(first, rest, strict=True)], first)


def prompts() -> list[list[int]]:
    """Random tokens, the special ones left out; warm-up first."""
    draw = random.Random(2509)
    return [[0, *draw.choices(range(3, 200), k=PROMPT_TOKENS - 1)] for _ in range(WARMUP + SAMPLES)]


def _values(whole: list[float], first: list[float]) -> Values:
    after = [(end - start) / (NEW_TOKENS - 1) for end, start in zip(whole, first, strict=True)]
    return {"latency": whole, "first token": first, "each further": after}


SIDES = {"quantbench": quantbench, "bare": bare, "optimum": optimum}


if __name__ == "__main__":
    sys.exit(main())
