"""``quantbench plan --trace``: the peak of each model by its own code on shapes, beside the plan, per GPU and stage."""

from __future__ import annotations

import importlib.util
import logging
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import ConfigError, ModelError
from ..planner import GIB, GPUS, Plan, plan_memory
from ..planner.terms import stage_terms, stages
from .printing import Value, write_records, write_text

if TYPE_CHECKING:
    from ..tracing.live_bytes import Kind, Moment
    from ..tracing.peak_trace import Stage, Traced

Key = tuple[str, str]
_PACKAGES = ("torch", "transformers", "accelerate", "bitsandbytes")
_KINDS: dict[Kind, str] = {
    "weights": "weights",
    "quantization_state": "scales",
    "kv_cache": "KV cache",
    "activations": "activations",
    "dequantized_matrix": "dequantized",
    "logits": "logits",
    "cublas_workspace": "base",
}
# Columns are called as the plan's are.
_TERMS: dict[Kind, str] = {"dequantized_matrix": "dequantization_buffer", "cublas_workspace": "allocator_base"}
# Of the activations at a peak, so many are named one by one, from this many bytes on.
_NAMED, _WORTH_NAMING = 4, 2**20


def show_trace(plans: Mapping[Key, Plan], gpu: str, form: str) -> dict[Key, int]:
    """Trace what is planned, and print both.

    Args:
        plans: by model and precision.
        gpu: a key of :data:`~quantbench.planner.GPUS`.
        form: ``text``, ``csv`` or ``json``.

    Returns:
        The most bytes that any one device holds, loading included.

    Raises:
        ConfigError: the inference packages are not installed here.
        ModelError: none of the models can be traced; says why.
    """
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"--trace runs the models' own code, and {', '.join(missing)} is not installed here: pip install -r "
            "requirements/inference.txt, or plan without --trace"
        )
    plans = {key: plan_memory(replace(plan.setting, gpu=GPUS[gpu])) for key, plan in plans.items()}
    traced = dict(_traced(plans, gpu))
    most = {
        key: max(moment.bytes for moments in one.stages.values() for moment in moments) for key, one in traced.items()
    }
    if form != "text":
        columns: dict[str, int | None] = dict.fromkeys(("model", "precision", "prompt_tokens", "new_tokens", "batch"))
        columns |= {"devices": None, "gpu": None, "device": None, "stage": None, "traced_gib": 3, "planned_gib": 3}
        columns |= {"planned_by_formulas": None, "module": None, "operation": None}
        columns |= {f"{_TERMS.get(kind, kind)}_gib": 3 for kind in _KINDS}
        write_records(form, columns, [row for key in traced for row in _records(key, plans[key], traced[key])])
        return most
    work = next(iter(plans.values())).setting.workload
    print(
        f"Peak memory in GiB, traced and planned, on {work.devices} {GPUS[gpu].title}: prompts of {work.prompt_tokens} tokens, "
        f"answers of {work.new_tokens}, {work.batch} at a time.\n"
    )
    header = ["model", "precision", "GPU", "stage", "at the peak", "traced", "planned", "error"]
    write_text(header, [row for key in traced for row in _lines(key, plans[key], traced[key])], names=5)
    print("\nAlive at the peak of the fullest GPU:")
    for key, one in traced.items():
        print(f"{' '.join(key)}: {_alive(one.fullest)}")
    for model in dict.fromkeys(model for model, _ in traced):
        kinds = plans[next(key for key in traced if key[0] == model)].setting.counts.beyond_formulas
        if kinds:
            print(
                f"Note: the planner has no formulas for {' and '.join(kinds)}: of {model} the traced figures count, the planned "
                "ones are estimates."
            )
    return most


def _traced(plans: Mapping[Key, Plan], gpu: str) -> Iterator[tuple[Key, Traced]]:
    """Trace one after another; what cannot be traced is named, and left out."""
    for noisy in ("torch.utils._pytree", "torchao", "bitsandbytes.backends.cpu.ops"):
        logging.getLogger(noisy).disabled = True  # they name what they lack on a processor
    from ..tracing.engine_walk import Use
    from ..tracing.peak_trace import trace

    logging.getLogger("transformers").setLevel(logging.ERROR)  # faster kernels that are not installed
    begin, reasons = time.monotonic(), list[str]()
    for done, (key, plan) in enumerate(plans.items(), start=1):
        setting, work = plan.setting, plan.setting.workload
        try:
            yield key, trace(setting.model, setting.precision, Use.of(work), plan.placement, gpu)
        except ModelError as error:
            reasons.append(f"{' '.join(key)}: {error}")
            print(f"not traced: {reasons[-1]}", file=sys.stderr)
        left = (time.monotonic() - begin) / done * (len(plans) - done)
        if len(plans) > 1:
            print(f"traced {done} of {len(plans)}, about {left:.0f} s left", file=sys.stderr)
    if len(reasons) == len(plans):
        raise ModelError(f"nothing could be traced: {'; '.join(reasons)}")


def _planned(plan: Plan, device: int, stage: Stage) -> float:
    """Bytes planned for a device and stage; the planner looks at some stages more closely than the trace names them."""
    if stage == "load":
        return plan.devices[device].loading_bytes
    part = plan.placement.part(device)
    prompt = ("prompt", "repeat")
    names = [name for name in stages(plan.setting) if (name in prompt) == (stage == "prompt")]
    return max(sum(stage_terms(plan.setting, part, name).values()) for name in names)


def _records(key: Key, plan: Plan, traced: Traced) -> Iterator[list[Value]]:
    work = plan.setting.workload
    for stage, moments in traced.stages.items():
        for device, moment in enumerate(moments):
            planned, kinds = _planned(plan, device, stage), moment.by_kind()
            yield [
                *(*key, work.prompt_tokens, work.new_tokens, work.batch, work.devices, traced.gpu, device, stage),
                *(moment.bytes / GIB, planned / GIB),
                *("no" if plan.setting.counts.beyond_formulas else "yes", moment.module, moment.operation),
                *(kinds.get(kind, 0) / GIB for kind in _KINDS),
            ]


def _lines(key: Key, plan: Plan, traced: Traced) -> Iterator[list[str]]:
    names = list(key)
    for device in range(len(traced.peaks)):
        for stage, moments in traced.stages.items():
            moment = moments[device]
            numbers = _numbers(moment.bytes, _planned(plan, device, stage))
            yield [*names, str(device), stage, moment.module or "generate", *numbers]
            names = ["", ""]
    yield ["", "", "all", "answering", "", *_numbers(traced.peak_bytes, plan.peak_bytes)]


def _numbers(traced: float, planned: float) -> Sequence[str]:
    error = round(100 * (planned / traced - 1), 2) + 0.0  # no minus before nothing
    return [f"{traced / GIB:.3f}", f"{planned / GIB:.3f}", f"{error:+.2f}%"]


def _alive(moment: Moment) -> str:
    """What a device holds at its peak, in words: each kind, and the largest activations by module and shape."""
    kinds = moment.by_kind()
    parts = [f"{word} {kinds[kind] / GIB:.3f}" for kind, word in _KINDS.items() if kinds.get(kind)]
    activations = {piece.what: held for piece, held in moment.alive.items() if piece.kind == "activations"}
    largest = sorted(activations.items(), key=lambda item: -item[1])[:_NAMED]
    named = [f"{what} {held / GIB:.3f}" for what, held in largest if held >= _WORTH_NAMING]
    return ", ".join(parts) + (f"; of the activations {', '.join(named)}" if named else "")
