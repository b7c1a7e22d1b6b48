"""Say what fits where before anything is downloaded: peak GPU memory of models at each precision, term by term.

  quantbench plan                                    the configured models
  quantbench plan --model phi-4 --prompt-tokens 4000 one model, longer prompts
  quantbench plan --config 'hardware={gpu_memory_gib: 40, gpus: 2}'  what two GPUs of 40 GiB do not hold (any size goes)
  quantbench plan --trace --devices 4                the same by the models' own code on shapes, beside the plan
  quantbench plan --against paper                    the planner held against the 96 measured cells of the paper
  quantbench plan --hours --gpus 4                   how long the configured run takes on four GPUs
  quantbench plan --power                            what losses a run of this size can tell from none

Memory is in GiB. docs/memory.md explains the terms, docs/hours.md the times, docs/protocol.md#power what a run can decide.

Exit status: 0 planned, 1 the GPUs stated by the configuration or the options do not hold some of it, 2 bad input.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..config import ModelEntry, PrecisionEntry, RunConfig
from ..errors import ConfigError, FoundWanting
from ..planner import GIB, GPUS, Plan, Requests, Setting, Workload, nearest_gpu, plan_memory
from ..planner.against_paper import Comparison, compare_with_paper
from ..planner.fitting import COMMON_GPUS_GIB, devices_by_size, free_bytes
from . import options
from .argument_types import whole
from .plan_hours import show_hours
from .plan_notes import write_notes
from .plan_power import show_power
from .plan_trace import show_trace
from .printing import write_records, write_text

PARENTS = (options.ROOT, options.CONFIGURATION, options.MODELS, options.FORMAT)
_HEADINGS = {
    "weights": "weights",
    "quantization_state": "scales",
    "kv_cache": "KV cache",
    "kept_projections": "kept",
    "activations": "activations",
    "dequantization_buffer": "dequantized",
    "outlier_copies": "outliers",
    "logits": "logits",
    "allocator_base": "base",
}
# Columns of the comparison with the paper, and their decimals.
_COMPARED = {
    "dataset": None,
    "model": None,
    "precision": None,
    "published_gib": 2,
    "planned_gib": 3,
    "error_percent": 3,
}
_WORKLOAD = ("prompt_tokens", "new_tokens", "batch", "devices")
_THOUGHT = "thought_tokens"  # of the new tokens


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    usual = Workload()
    parser.add_argument("--precision", action="append", metavar="NAME", help="instead of the configured, likewise")
    parser.add_argument(
        "--prompt-tokens", type=whole(10**9), metavar="N", help=f"of the longest prompt ({usual.prompt_tokens})"
    )
    parser.add_argument(
        "--new-tokens",
        type=whole(10**9),
        metavar="N",
        help=f"of the longest answer, without a thought ({usual.new_tokens})",
    )
    parser.add_argument("--batch", type=whole(10**6), metavar="N", help=f"samples at a time ({usual.batch})")
    parser.add_argument(
        "--devices", type=whole(1024), metavar="N", help=f"GPUs the peak is summed over ({usual.devices})"
    )
    parser.add_argument(
        "--trace", action="store_true", help="run the models' own code on shapes, and hold the plan against it"
    )
    parser.add_argument("--against", choices=["paper"], help="hold the planner against published measurements")
    parser.add_argument("--hours", action="store_true", help="wall time and GPU-hours of the configured run")
    parser.add_argument(
        "--power", action="store_true", help="what losses of score the configured run can tell from none"
    )
    parser.add_argument(
        "--gpus", type=whole(10**6), metavar="N", help="with --hours: GPUs there are (hardware.gpus, or 1)"
    )
    parser.add_argument(
        "--gpu", choices=list(GPUS), help="with --hours or --trace: which (by default by hardware.gpu_memory_gib)"
    )


def run(arguments: argparse.Namespace) -> None:
    """Print the plan, or the comparison.

    Raises:
        ConfigError: unknown model or precision, numbers below 1, options that do not go together.
        DataError: the published table is missing or malformed.
    """
    catalogue = options.configured(arguments)
    _refuse_together(arguments)
    if arguments.power:
        show_power(catalogue, arguments.format)
    elif arguments.hours:
        show_hours(catalogue, arguments.gpu, arguments.gpus, arguments.format)
    elif arguments.against:
        _show_comparison(arguments, compare_with_paper(catalogue.root, catalogue.models, catalogue.precisions))
    else:
        _show_plans(arguments, catalogue.run, catalogue.models, catalogue.precisions)


def _gpu(stated: str | None, run: RunConfig) -> str:
    """The kind of GPU to trace on: as stated, or by the memory of those that the run is for."""
    if stated is not None:
        return stated
    nearest = nearest_gpu(Requests(run.hardware).gpu_memory_gib)
    return next(name for name, gpu in GPUS.items() if gpu == nearest)


def _refuse_together(arguments: argparse.Namespace) -> None:
    """Refuse options that do not go together, rather than leave one of them without effect."""
    refused: dict[str, tuple[str, ...]] = {}
    if arguments.power:
        refused["--power: the configured run is as it is"] = (
            "model",
            "precision",
            "against",
            "hours",
            "trace",
            "gpus",
            "gpu",
            *_WORKLOAD,
        )
    elif arguments.hours:
        refused["--hours: the configured run is as it is"] = ("model", "precision", "against", "trace", *_WORKLOAD)
    elif arguments.against:
        refused["--against: the paper's runs are as they were"] = ("trace", "gpus", "gpu", *_WORKLOAD)
    elif arguments.trace:
        refused["--trace: it belongs to --hours"] = ("gpus",)
    else:
        refused["a plan of memory: it belongs to --hours"] = ("gpus",)
        refused["a plan of memory: it belongs to --hours or --trace"] = ("gpu",)
    for reason, names in refused.items():
        for name in names:
            if getattr(arguments, name) not in (None, False):
                raise ConfigError(f"--{name.replace('_', '-')} does not go with {reason}; leave it out")


def _show_comparison(arguments: argparse.Namespace, cells: list[Comparison]) -> None:
    for key in ("model", "precision"):
        published = sorted({getattr(cell, key) for cell in cells})
        names = options.chosen(getattr(arguments, key), published, f"--{key}", published)
        cells = [cell for cell in cells if getattr(cell, key) in names]
    if arguments.format != "text":
        values = [
            (cell.dataset, cell.model, cell.precision, cell.published_gib, cell.planned_gib, cell.error_percent)
            for cell in cells
        ]
        write_records(arguments.format, _COMPARED, values)
        return
    write_text(list(_COMPARED), [_comparison_row(cell) for cell in cells], names=3)
    errors = [abs(cell.error_percent) for cell in cells]
    worst = max(cells, key=lambda cell: abs(cell.error_percent))
    print(
        f"\n{len(cells)} cells: median absolute error {statistics.median(errors):.2f}%, "
        f"{sum(error <= 3 for error in errors)} within 3%, {sum(error <= 1 for error in errors)} within 1%; "
        f"largest {worst.error_percent:+.2f}% ({worst.dataset}, {worst.model}, {worst.precision})"
    )


def _comparison_row(cell: Comparison) -> list[str]:
    names = [cell.dataset, cell.model, cell.precision]
    return [*names, f"{cell.published_gib:.2f}", f"{cell.planned_gib:.3f}", f"{cell.error_percent:.3f}"]


def _show_plans(
    arguments: argparse.Namespace,
    run: RunConfig,
    models: Mapping[str, ModelEntry],
    precisions: Mapping[str, PrecisionEntry],
) -> None:
    given = {name: getattr(arguments, name) for name in _WORKLOAD if getattr(arguments, name) is not None}
    work = Workload(**given)
    wanted = {model: models[model] for model in options.chosen(arguments.model, models, "--model", run.models)}
    names = options.chosen(arguments.precision, precisions, "--precision", run.precisions)
    if arguments.precision is None:  # weights that were published quantized have one precision, whatever the run lists
        names = list(dict.fromkeys([*names, *(entry.precision for entry in wanted.values() if entry.precision)]))
    plans = _plans(wanted, {precision: precisions[precision] for precision in names}, work)
    if not plans:
        raise ConfigError(
            "nothing to plan: a model with 'precision: as_published' in its entry is loaded at that --precision alone, any other "
            "never"
        )
    stated = run.hardware.gpu_memory_gib
    if arguments.trace:
        traced = show_trace(plans, _gpu(arguments.gpu, run), arguments.format)
        if stated != "auto":
            _refuse_too_full(traced, stated, work.devices)
        return
    sizes: list[float] = sorted({*COMMON_GPUS_GIB, *([] if stated == "auto" else [stated])})
    needed = {key: devices_by_size(plan.setting, sizes) for key, plan in plans.items()}
    if arguments.format == "text":
        _write_plans(plans, needed, sizes, work)
        write_notes(plans, needed, sizes)
        if work.batch == 1 and run.inference.engine != "single" and run.inference.max_batch_size > 1:
            print(
                f"Note: a run answers up to {run.inference.max_batch_size} samples at a time (inference.token_budget), for which its cells "
                "may need more GPUs: quantbench plan --hours --gpus N and snakemake -n --resources gpu=N name those that do not fit."
            )
    else:
        columns: dict[str, int | None] = dict.fromkeys(("model", "precision", *_WORKLOAD, _THOUGHT))
        columns |= {f"{name}_gib": 3 for name in (*_HEADINGS, "peak", "fullest_gpu")} | {"blocks": None}
        columns |= {f"gpus_of_{size:g}_gib": None for size in sizes}
        planned = {
            key: [*(getattr(plan.setting.workload, name) for name in _WORKLOAD), plan.setting.model.reasoning_tokens]
            for key, plan in plans.items()
        }
        write_records(
            arguments.format,
            columns,
            [(*key, *planned[key], *_gib(plan), _blocks(plan), *needed[key]) for key, plan in plans.items()],
        )
    if stated != "auto":
        _refuse_unfit({key: counts[sizes.index(stated)] for key, counts in needed.items()}, stated, run)


def show_memory(models: Mapping[str, ModelEntry], precisions: Mapping[str, PrecisionEntry]) -> None:
    """Print what models take at some precisions, as ``quantbench plan`` does without options."""
    plans = _plans(models, precisions, Workload())
    needed = {key: devices_by_size(plan.setting, COMMON_GPUS_GIB) for key, plan in plans.items()}
    _write_plans(plans, needed, COMMON_GPUS_GIB, Workload())
    write_notes(plans, needed, COMMON_GPUS_GIB)


def _plans(
    models: Mapping[str, ModelEntry], precisions: Mapping[str, PrecisionEntry], work: Workload
) -> dict[tuple[str, str], Plan]:
    return {
        (model, precision): plan_memory(Setting(entry, loading, _with_thought(work, entry)))
        for model, entry in models.items()
        for precision, loading in precisions.items()
        if entry.runs_at(loading)
    }


def _with_thought(work: Workload, model: ModelEntry) -> Workload:
    """What is generated by a model whose thought comes on top of its answer."""
    return replace(work, new_tokens=work.new_tokens + model.reasoning_tokens)


def _refuse_unfit(needed: Mapping[tuple[str, str], int | None], size: float, run: RunConfig) -> None:
    """Say what the GPUs that the configuration states do not hold."""
    most = run.hardware.gpus
    unfit = [" ".join(key) for key, count in needed.items() if count is None or (most is not None and count > most)]
    if unfit:
        gpus = f"at most {most} GPU{'' if most == 1 else 's'}" if most else "any number of GPUs"
        raise FoundWanting(f"{gpus} of {size:g} GiB, as configured, do not hold {', '.join(unfit)}")


def _refuse_too_full(traced: Mapping[tuple[str, str], int], size: float, devices: int) -> None:
    """Say what GPUs of the size that the configuration states do not hold, as it was traced."""
    unfit = [f"{' '.join(key)} ({held / GIB:.2f} GiB)" for key, held in traced.items() if held > free_bytes(size)]
    if unfit:
        gpus = "1 GPU" if devices == 1 else f"{devices} GPUs"
        verb = "does" if devices == 1 else "do"
        raise FoundWanting(
            f"{gpus} of {size:g} GiB, as configured, {verb} not hold what was traced on the fullest one: {', '.join(unfit)}"
        )


def _write_plans(
    plans: Mapping[tuple[str, str], Plan],
    needed: Mapping[tuple[str, str], Sequence[int | None]],
    sizes: Sequence[float],
    work: Workload,
) -> None:
    gpus = "on one GPU" if work.devices == 1 else f"summed over {work.devices} GPUs"
    print(
        f"Peak memory in GiB, {gpus}: prompts of {work.prompt_tokens} tokens, answers of {work.new_tokens}, "
        f"{work.batch} at a time. Right: how many GPUs of that many GiB hold it.\n"
    )
    # A term that is nothing for every row is left out.
    shown = [name for name in _HEADINGS if any(plan.terms[name] for plan in plans.values())]
    spread = ["fullest", "blocks"] if work.devices > 1 else []
    header = ["model", "precision", *(_HEADINGS[name] for name in shown), "peak", *spread]
    header += [f"{size:g}" for size in sizes]
    rows = [
        [
            *key,
            *(f"{plan.terms[name] / GIB:.2f}" for name in shown),
            f"{plan.peak_bytes / GIB:.2f}",
            *([f"{plan.fullest.peak_bytes / GIB:.2f}", _blocks(plan)] if spread else []),
        ]
        for key, plan in plans.items()
    ]
    counts = [[str(count or "never") for count in needed[key]] for key in plans]
    write_text(header, _joined(rows, counts), names=2)


def _gib(plan: Plan) -> list[float]:
    terms = (plan.terms[name] for name in _HEADINGS)
    return [value / GIB for value in (*terms, plan.peak_bytes, plan.fullest.peak_bytes)]


def _blocks(plan: Plan) -> str:
    """How many blocks each GPU holds."""
    return "+".join(str(device.part.blocks) for device in plan.devices)


def _joined(left: Sequence[list[str]], right: Sequence[list[str]]) -> list[list[str]]:
    return [[*one, *other] for one, other in zip(left, right, strict=True)]
