"""The quality pass against other ways to answer the same prompts: same model, same answers, ratios within one run.

    python benchmarks/throughput.py                                        # static and single against a bare loop
    python benchmarks/throughput.py --precision w4a16 --prefixes 150 700   # agreement where batches change answers
    python benchmarks/throughput.py --lm-eval lmeval/bin/python            # also lm-evaluation-harness

A random-weight Llama (8 layers, hidden size 512, the demo's tokenizer) on CPU answers prompts that begin alike: about what a
zero-shot prompt (150 tokens), a long instruction (700) and a 5-shot prompt (3,000) have in common. ``bare`` is a loop around
transformers' ``generate`` at batch 1; ``single`` and ``static`` are the engines; ``lm_eval`` is lm-evaluation-harness 0.4.13, hf
backend, a ``generate_until`` task over the same prompts with the same stop string, at the fastest of several batch sizes, in an
environment of its own (``python -m venv lmeval; lmeval/bin/pip install 'lm_eval[hf]==0.4.13' torch==2.13.0 transformers==5.23.0``).

Each side is a process of its own on one thread. Its seconds go from texts to answers; loading and a warm-up come before. Beside
them stand the seconds a processor was used, which other work on the machine changes less, and both ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
NEW_TOKENS = 20
STOP = "\n\nSentence:"
GIB = 1024**3
Side = dict[str, Any]


def main() -> None:
    """Run as a command, or as one side of it (how this script calls itself)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prefixes", type=int, nargs="+", default=[150, 700, 3000], help="tokens that prompts share")
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--precision", default="full", choices=["full", "w8a16", "w4a16"])
    parser.add_argument("--sides", nargs="+", default=list(SIDES), choices=list(SIDES), help="bare and static at least")
    parser.add_argument("--lm-eval", metavar="PYTHON", help="interpreter that has lm_eval")
    parser.add_argument(
        "--lm-eval-batches", type=int, nargs="+", default=[1, 8, 32], help="batch sizes it may choose from"
    )
    parser.add_argument("--side", choices=list(SIDES), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        side = run_side(arguments.side, arguments.folder, arguments.precision)
        (arguments.folder / f"{arguments.side}.json").write_text(json.dumps(side), encoding="utf-8")
        return
    print(f"{arguments.samples} prompts, {NEW_TOKENS} new tokens, {arguments.precision}, CPU, one thread")
    print(f"{'':<32}{'':>12}   {'static is faster by':<18}")
    print(
        f"{'prefix side':<23} {'seconds':>8} {'processor s':>11}   {'seconds':>8} {'processor':>9} {'equal answers':>14} {'peak GiB':>8}"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_model(folder / "model")
        for prefix in arguments.prefixes:
            make_prompts(folder, prefix, arguments.samples)
            report(prefix, sides(arguments, folder))


def sides(arguments: argparse.Namespace, folder: Path) -> dict[str, Side]:
    """Run every side over the same prompts, one after another."""
    own = ["--folder", str(folder), "--precision", arguments.precision]
    wanted = [side for side in SIDES if side in {"bare", "static", *arguments.sides}]
    found = {side: start([sys.executable, __file__, "--side", side, *own], folder / f"{side}.json") for side in wanted}
    if arguments.lm_eval:
        script = str(Path(__file__).with_name("throughput_lm_eval.py"))
        batches = [str(size) for size in arguments.lm_eval_batches]
        command = [arguments.lm_eval, script, str(folder), str(NEW_TOKENS), STOP, *batches]
        best = start(command, folder / "lm_eval.json")
        found[f"lm_eval, batch {best['batch_size']}"] = best
    return found


def start(command: list[str], out: Path) -> Side:
    """Run one side in a process of its own."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "HF_HUB_OFFLINE": "1"}
    environment |= {"TOKENIZERS_PARALLELISM": "false", "PYTHONPATH": str(REPOSITORY / "workflow")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
    side: Side = json.loads(out.read_text(encoding="utf-8"))
    return side


def report(prefix: int, found: dict[str, Side]) -> None:
    """Print one line a side; answers are held against the bare loop's."""
    expected, static = found["bare"]["answers"], found["static"]
    for name, side in found.items():
        equal = sum(mine == other for mine, other in zip(side["answers"], expected, strict=True))
        wall, processor = (side[kind] / static[kind] for kind in ("seconds", "processor_s"))
        print(
            f"{prefix:>6} {name:<16} {side['seconds']:>8.2f} {side['processor_s']:>11.2f}   {wall:>7.1f}x {processor:>8.1f}x "
            f"{equal:>7} of {len(expected):>3} {side['peak_bytes'] / GIB:>8.2f}",
            flush=True,
        )


def make_model(folder: Path) -> None:
    """Write a random Llama of about 26 million weights with the demo's tokenizer, in float32."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    demo = next(path.parent for path in sorted((REPOSITORY / "resources/demo/models").glob("*/tokenizer.json")))
    tokenizer = AutoTokenizer.from_pretrained(demo)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=512,
        intermediate_size=1408,
        num_hidden_layers=8,
        num_attention_heads=8,
        num_key_value_heads=4,
        max_position_embeddings=8192,
        initializer_range=0.05,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    LlamaForCausalLM(config).save_pretrained(folder)


def make_prompts(folder: Path, prefix: int, count: int) -> None:
    """Write prompts that share about ``prefix`` tokens and go on with 20 to 60 of their own, as JSON lines."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder / "model")
    words = [
        "the",
        "drug",
        "raises",
        "levels",
        "of",
        "enzyme",
        "in",
        "patients",
        "with",
        "severe",
        "disease",
        "and",
        "may",
        "cause",
        "pain",
        "when",
        "given",
        "twice",
    ]
    draw = random.Random(prefix)
    shared = "What does the sentence say?\n\n"
    while len(tokenizer(shared)["input_ids"]) < prefix:
        shared += "Sentence: " + " ".join(draw.choices(words, k=20)) + " .\nClass: DDI-effect\n\n"
    own = [" ".join(draw.choices(words, k=draw.randrange(10, 40))) for _ in range(count)]
    lines = [json.dumps({"prompt": f"{shared}Sentence: {text} .\nClass:", "answer": ""}) for text in own]
    (folder / "prompts.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def run_side(side: str, folder: Path, precision: str) -> Side:
    """Load the model, answer two prompts to warm up, then all of them."""
    from quantbench.config import Architecture, ModelEntry, PrecisionEntry, read_entries
    from quantbench.models.loading import load_model
    from quantbench.models.tokenizing import load_tokenizer

    facts = dict.fromkeys(("layers", "hidden_size", "attention_heads", "key_value_heads", "intermediate_size"), 1)
    entry = ModelEntry(
        title="random",
        family="llama",
        domain="general",
        folder=str(folder / "model"),
        chat_template="none",
        full_dtype="float32",
        licence="MIT",
        architecture=Architecture(**facts, vocab_size=1, context_length=8192, tied_head=False),
    )
    chosen = read_entries(REPOSITORY / "config/precisions", PrecisionEntry)[precision]
    loaded = load_model(folder / "model", entry, chosen, load_tokenizer(folder / "model"), "cpu")
    prompts = [json.loads(line)["prompt"] for line in (folder / "prompts.jsonl").read_text().splitlines()]
    answer = SIDES[side]
    answer(loaded, [text[-80:] for text in prompts[:2]])
    begin, used = time.perf_counter(), time.process_time()
    answers = answer(loaded, prompts)
    seconds, processor_s = time.perf_counter() - begin, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"seconds": seconds, "processor_s": processor_s, "answers": answers, "peak_bytes": peak}


def bare(loaded: Any, prompts: list[str]) -> list[str]:
    """Answer one prompt at a time with nothing but transformers."""
    import torch

    answers = []
    for prompt in prompts:
        inputs = loaded.tokenizer(prompt, return_tensors="pt")
        with torch.inference_mode():
            output = loaded.model.generate(
                inputs["input_ids"],
                attention_mask=inputs["attention_mask"],
                do_sample=False,
                max_new_tokens=NEW_TOKENS,
                pad_token_id=loaded.tokenizer.pad_token_id,
            )
        new = output[0, inputs["input_ids"].shape[1] :]
        answers.append(loaded.tokenizer.decode(new, skip_special_tokens=True).split(STOP)[0])
    return answers


def engine(static: bool) -> Callable[[Any, list[str]], list[str]]:
    """Answer by one of our engines, as the quality pass does."""

    def answer(loaded: Any, prompts: list[str]) -> list[str]:
        from quantbench.engine.batches import Request, make_plan
        from quantbench.engine.decoding_settings import GenerationSettings
        from quantbench.engine.generation import Generator

        requests = [
            Request(str(place), text, loaded.tokenizer(text)["input_ids"]) for place, text in enumerate(prompts)
        ]
        generator = Generator(loaded, GenerationSettings(NEW_TOKENS), lambda _, text: STOP in text)
        lengths = [len(request.token_ids) for request in requests]
        plan = make_plan(lengths, 1, NEW_TOKENS, token_budget=1 << 17, max_batch_size=32 if static else 1)
        if static:
            generator.share_prefix(requests)
        found = {item.sample_id: item for batch in plan for item in generator.answer([requests[at] for at in batch])}
        return [found[request.sample_id].outputs[0].split(STOP)[0] for request in requests]

    return answer


SIDES = {"bare": bare, "single": engine(static=False), "static": engine(static=True)}

if __name__ == "__main__":
    main()
