"""Engines against a bare transformers loop: same model, same prompts, same answers, ratios within one run.

    python benchmarks/throughput.py                 # prefixes of 150, 700 and 3,000 tokens
    python benchmarks/throughput.py --prefixes 150

A random-weight Llama (8 layers, hidden size 512, float32, CPU) answers prompts that share a prefix: about what a zero-shot
prompt, a long instruction, and a 5-shot prompt have in common. Three ways: a bare ``generate`` loop at batch size 1, the
engine ``single``, and the engine ``static`` with its shared prefix. Answers must be equal token for token.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from quantbench.inference.generation import GenerationSettings, Generator
from quantbench.inference.plan import make_plan
from quantbench.inference.requests import Request
from quantbench.models.loading import LoadedModel

VOCABULARY = 4000
NEW_TOKENS = 20


class Numbers:
    """A tokenizer of nothing: tokens are decoded to their numbers."""

    eos_token_id = 1
    pad_token_id = 2

    def decode(self, tokens: list[int], **_: Any) -> str:
        """Return the tokens as text."""
        return " ".join(map(str, tokens))


def build() -> LoadedModel:
    """Return a random-weight model of about 32 million parameters."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=512,
        intermediate_size=1408,
        num_hidden_layers=8,
        num_attention_heads=8,
        num_key_value_heads=4,
        max_position_embeddings=8192,
        initializer_range=0.05,
        eos_token_id=1,
        pad_token_id=2,
        bos_token_id=0,
    )
    return LoadedModel(LlamaForCausalLM(config).eval(), Numbers(), torch.device("cpu"), {})


def prompts(prefix: int, count: int) -> list[Request]:
    """Return prompts that share ``prefix`` tokens and go on with 20 to 60 of their own."""
    draw = random.Random(prefix)
    shared = [draw.randrange(3, VOCABULARY) for _ in range(prefix)]
    own = [[draw.randrange(3, VOCABULARY) for _ in range(draw.randrange(20, 60))] for _ in range(count)]
    return [Request(str(number), "", shared + rest) for number, rest in enumerate(own)]


def bare_loop(loaded: LoadedModel, requests: list[Request]) -> list[str]:
    """Answer one prompt at a time with nothing but transformers."""
    texts = []
    for request in requests:
        ids = torch.tensor([request.token_ids])
        with torch.inference_mode():
            output = loaded.model.generate(
                ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=NEW_TOKENS, pad_token_id=2
            )
        texts.append(Numbers().decode([token for token in output[0, ids.shape[1] :].tolist() if token != 1]))
    return texts


def engine(loaded: LoadedModel, requests: list[Request], static: bool) -> list[str]:
    """Answer by one of our engines."""
    generator = Generator(loaded, GenerationSettings(NEW_TOKENS))
    lengths = [len(request.token_ids) for request in requests]
    plan = make_plan(lengths, 1, NEW_TOKENS, token_budget=1 << 17, max_batch_size=32 if static else 1)
    if static:
        generator.share_prefix(requests)
    texts = [""] * len(requests)
    for batch in plan:
        answers = generator.answer([requests[position] for position in batch])
        for position, answer in zip(batch, answers, strict=True):
            texts[position] = answer.outputs[0]
    return texts


def timed(run: Callable[[], list[str]]) -> tuple[float, list[str]]:
    """Seconds and answers of a run."""
    begin = time.perf_counter()
    texts = run()
    return time.perf_counter() - begin, texts


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prefixes", type=int, nargs="+", default=[150, 700, 3000])
    parser.add_argument("--samples", type=int, default=32)
    arguments = parser.parse_args()
    loaded = build()
    bare_loop(loaded, prompts(50, 2))  # warm-up
    print("prefix  bare loop s  single / bare  bare / static  equal answers  peak resident GiB")
    for prefix in arguments.prefixes:
        requests = prompts(prefix, arguments.samples)
        bare_s, expected = timed(lambda asked=requests: bare_loop(loaded, asked))  # type: ignore[misc]
        single_s, single = timed(lambda asked=requests: engine(loaded, asked, static=False))  # type: ignore[misc]
        static_s, static = timed(lambda asked=requests: engine(loaded, asked, static=True))  # type: ignore[misc]
        equal = sum(a == b == c for a, b, c in zip(expected, single, static, strict=True))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
        print(
            f"{prefix:6}  {bare_s:11.1f}  {single_s / bare_s:13.2f}  {bare_s / static_s:13.1f}  "
            f"{equal:5} of {len(requests):4}  {peak:17.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
