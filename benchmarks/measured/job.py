"""One job measured: load a stand-in, time single prompts of each length, answer a batch, compare engines."""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from quantbench.config import ModelEntry, PrecisionEntry
from quantbench.contracts.records import Prediction
from quantbench.engine.batches import Request
from quantbench.engine.by_plan import answer_halving
from quantbench.engine.decoding_settings import GenerationSettings
from quantbench.engine.generation import Generator
from quantbench.engine.kinds.continuous import answer_continuously
from quantbench.errors import ModelError
from quantbench.measure import memory
from quantbench.measure.energy import EnergyWindow, energy_window
from quantbench.measure.latency import time_each
from quantbench.models.loading import LoadedModel, load_model
from quantbench.models.random_weights import SPECIAL_TOKENS
from quantbench.models.synthetic_tokenizer import SyntheticTokenizer
from quantbench.models.weight_sizes import weight_bytes
from quantbench.planner import Setting, Workload, plan_memory
from quantbench.planner.terms import quantization_state, weights

from .peers import harness_version, peers_tokens_per_s
from .sets import Job, MeasuredSet

Record = dict[str, Any]
Answers = Callable[[Generator, list[Request]], list[Prediction]]


def measure(
    jobs: MeasuredSet, job: Job, precision: PrecisionEntry, device: str, uuids: list[str], deadline: float
) -> Iterator[Record]:
    """Yield the records of one job, each as soon as it is there: ``row`` for each prompt length, ``quality``, ``engines``.

    ``deadline`` (:func:`time.monotonic`) stops before the next record, never within one.
    """
    entry = jobs.models[job.model].model_copy(update={"weights": "random"})
    window = energy_window(uuids)
    memory.start_peak()
    begin = time.perf_counter()
    tokenizer = SyntheticTokenizer(entry.architecture.vocab_size)
    loaded = load_model(Path(), entry, precision, tokenizer, device)
    generator = Generator(loaded, GenerationSettings(jobs.new_tokens))
    generator.synchronize()
    names = {"model": job.model, "precision": job.precision, "weights": "random"}
    held = names | {"load_s": time.perf_counter() - begin, "weight_bytes": weight_bytes(loaded.model)}
    held |= {"load_peak": memory.peak().model_dump(), "after_load": memory.after_load().model_dump()}
    for tokens in jobs.prompt_tokens:
        if time.monotonic() > deadline:
            return
        setting = Setting(entry, precision, Workload(tokens, jobs.new_tokens))
        row = _row(jobs, setting, generator)
        yield {"kind": "row", **held, **row, "read_bytes_a_token": read_bytes(loaded.model)}
    if time.monotonic() > deadline:
        return
    asked = prompts(jobs.quality.samples, jobs.quality.prompt_tokens, jobs.quality.shared_tokens, entry)
    quality = _quality(jobs, generator, asked, window)
    yield {"kind": "quality", **names, **quality}
    if job == jobs.engines and time.monotonic() < deadline:
        compared = _engines(jobs, loaded, asked)
        facts = names | {"samples": len(asked), "lm_eval_version": harness_version()}
        yield {"kind": "engines", **facts, "tokens_per_s": compared}


def release() -> None:
    """Give what the last job held back to the device, so that the next one starts with all of it."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def prompts(count: int, tokens: int, shared: int, entry: ModelEntry) -> list[Request]:
    """Random prompts of ``tokens`` tokens that begin with the same ``shared`` ones; the same at every precision."""
    draw = random.Random(2509 + tokens)
    words = range(SPECIAL_TOKENS, entry.architecture.vocab_size)
    begin = draw.choices(words, k=shared)
    return [Request(str(number), "", begin + draw.choices(words, k=tokens - shared)) for number in range(count)]


def _row(jobs: MeasuredSet, setting: Setting, generator: Generator) -> Record:
    """Single prompts of one length: memory against the plan, raw times."""
    tokens = setting.workload.prompt_tokens
    items = [(item.sample_id, item) for item in prompts(jobs.samples + jobs.warmup, tokens, 0, setting.model)]
    release()  # what is reserved is then this length's
    memory.start_peak()
    timed = time_each(items, generator.time_one, generator.synchronize, jobs.warmup)
    plan = plan_memory(setting)
    return {
        "prompt_tokens": tokens,
        "new_tokens": jobs.new_tokens,
        "planned_weight_bytes": weights(setting, setting.whole, "prompt")
        + quantization_state(setting, setting.whole, "prompt"),
        "planned_peak_bytes": plan.peak_bytes,
        "planned_terms": plan.terms,
        "planned_stage": plan.stage,
        **memory.peak().model_dump(),
        "device_used_bytes": _device_used_bytes(),
        "first_token_s": [sample.first_token_s for sample in timed],
        "latency_s": [sample.latency_s for sample in timed],
    }


def _device_used_bytes() -> int | None:
    """Bytes in use on the whole device, whoever holds them: in a container NVML does not tell processes apart."""
    if not torch.cuda.is_available():
        return None
    free, total = torch.cuda.mem_get_info(0)
    return total - free


def read_bytes(model: Any) -> int:
    """Bytes of weights that one new token reads: all but the embedding table, of which it reads one row.

    A tied table is read whole, as output head.
    """
    table = model.get_input_embeddings().weight
    tied = model.get_output_embeddings().weight is table
    return weight_bytes(model) - (0 if tied else table.numel() * table.element_size())


def _quality(jobs: MeasuredSet, generator: Generator, asked: list[Request], window: EnergyWindow) -> Record:
    """All prompts in one batch by the engine ``static``, with the energy it took; the peak is the batch's."""
    halved: list[list[str]] = []
    memory.start_peak()
    generator.synchronize()
    begin = time.perf_counter()
    with window:
        generator.share_prefix(asked)
        answers = answer_halving(generator.answer, asked, halved.append, _advice)
        generator.synchronize()
    seconds = time.perf_counter() - begin
    new = sum(count for answer in answers for count in answer.new_tokens)
    energy = window.record()
    joules = energy.energy_j
    return {
        "samples": len(asked),
        "prompt_tokens": jobs.quality.prompt_tokens,
        "shared_tokens": jobs.quality.shared_tokens,
        "seconds": seconds,
        "new_tokens": new,
        "tokens_per_s": new / seconds,
        "halved_batches": len(halved),
        "energy": energy.model_dump(),
        "energy_j_per_1000_tokens": None if joules is None else 1000 * joules / new,
        **memory.peak().model_dump(),
    }


def _engines(jobs: MeasuredSet, loaded: LoadedModel, asked: list[Request]) -> dict[str, float | str]:
    """New tokens a second of our engines and of peers: batches of all prompts, one at a time of a quarter of them.

    The quality pass has warmed the device up for all of them.
    """
    few = asked[: max(1, len(asked) // 4)]
    engines: dict[str, tuple[Answers, list[Request]]] = {
        "static": (_static, asked),
        "continuous": (_continuous, asked),
        "single": (_single, few),
    }
    rates: dict[str, float | str] = {}
    for name, (answers, prompted) in engines.items():
        generator = Generator(loaded, GenerationSettings(jobs.new_tokens))
        generator.synchronize()
        begin = time.perf_counter()
        try:
            new = sum(answer.new_tokens[0] for answer in answers(generator, prompted))
        except ModelError as error:  # an engine may refuse a precision or a device
            rates[name] = f"failed: {error}"
            continue
        generator.synchronize()
        rates[name] = new / (time.perf_counter() - begin)
    return rates | peers_tokens_per_s(loaded, asked, few, jobs.new_tokens)


def _static(generator: Generator, asked: list[Request]) -> list[Prediction]:
    generator.share_prefix(asked)
    return answer_halving(generator.answer, asked, lambda halved: None, _advice)


def _single(generator: Generator, asked: list[Request]) -> list[Prediction]:
    return [generator.answer([request])[0] for request in asked]


def _continuous(generator: Generator, asked: list[Request]) -> list[Prediction]:
    budget = sum(len(request.token_ids) + generator.settings.max_new_tokens for request in asked)
    return list(answer_continuously(generator, asked, budget, "benchmark"))


def _advice(tokens: int) -> str:
    return f"this device does not answer prompts of {tokens} tokens with this model"
