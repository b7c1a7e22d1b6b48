"""Say what fits where before anything is downloaded: peak GPU memory of models at each precision, term by term.

  quantbench plan                                    the configured models
  quantbench plan --model phi-4 --prompt-tokens 4000 one model, longer prompts
  quantbench plan --against paper                    the planner held against the 96 measured cells of the paper
  quantbench plan --hours --gpus 4                   how long the configured run takes on four GPUs

Memory is in GiB. docs/memory.md explains the terms, docs/hours.md the times.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ..config import Catalogue, load
from ..config.settings import read_yaml
from ..errors import ConfigError, nearest
from ..planner import GIB, GPUS, Plan, Setting, Workload, plan_memory
from ..planner.against_paper import Comparison, compare_with_paper
from ..planner.fitting import COMMON_GPUS_GIB, devices_needed
from .plan_hours import show_hours
from .printing import write_csv, write_text

# The repository this package lies in; its config/ describes models and precisions.
REPOSITORY = Path(__file__).resolve().parents[3]
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
_WORKLOAD = ("prompt_tokens", "new_tokens", "batch", "devices")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    usual = Workload()
    parser.add_argument("--config", type=Path, metavar="FILE", help="the run's configuration (config/config.yaml)")
    parser.add_argument("--model", action="append", metavar="NAME", help="instead of the configured; may be repeated")
    parser.add_argument("--precision", action="append", metavar="NAME", help="instead of the configured, likewise")
    parser.add_argument("--prompt-tokens", type=int, metavar="N", help=f"of the longest prompt ({usual.prompt_tokens})")
    parser.add_argument("--new-tokens", type=int, metavar="N", help=f"of the longest answer ({usual.new_tokens})")
    parser.add_argument("--batch", type=int, metavar="N", help=f"samples at a time ({usual.batch})")
    parser.add_argument("--devices", type=int, metavar="N", help=f"GPUs the peak is summed over ({usual.devices})")
    parser.add_argument("--against", choices=["paper"], help="hold the planner against published measurements")
    parser.add_argument("--hours", action="store_true", help="wall time and GPU-hours of the configured run")
    parser.add_argument("--gpus", type=int, metavar="N", help="with --hours: GPUs there are (hardware.gpus, or 1)")
    parser.add_argument("--gpu", choices=list(GPUS), help="with --hours: which (by default by hardware.gpu_memory_gib)")
    parser.add_argument("--format", choices=["text", "csv"], default="text", help="text (default) or csv, to stdout")
    parser.add_argument(
        "--root", type=Path, default=REPOSITORY, help="folder that holds config/ (default: this repository)"
    )


def run(arguments: argparse.Namespace) -> None:
    """Print the plan, or the comparison.

    Raises:
        ConfigError: unknown model or precision, numbers below 1, options that do not go together.
        DataError: the published table is missing or malformed.
    """
    path: Path = arguments.config or arguments.root / "config/config.yaml"
    catalogue = load(arguments.root, read_yaml(path), str(path))
    _refuse_together(arguments)
    if arguments.hours:
        show_hours(catalogue, arguments.gpu, arguments.gpus, arguments.format)
    elif arguments.against:
        _show_comparison(arguments, catalogue)
    else:
        _show_plans(arguments, catalogue)


def _refuse_together(arguments: argparse.Namespace) -> None:
    """Refuse options that do not go together, rather than leave one of them without effect."""
    refused: dict[str, tuple[str, ...]] = {}
    if arguments.hours:
        refused["--hours: the configured run is as it is"] = ("model", "precision", "against", *_WORKLOAD)
    elif arguments.against:
        refused["--against: the paper's runs are as they were"] = ("gpus", "gpu", *_WORKLOAD)
    else:
        refused["a plan of memory: they belong to --hours"] = ("gpus", "gpu")
    for reason, names in refused.items():
        for name in names:
            if getattr(arguments, name) is not None:
                raise ConfigError(f"--{name.replace('_', '-')} does not go with {reason}; leave it out")


def _show_comparison(arguments: argparse.Namespace, catalogue: Catalogue) -> None:
    cells = compare_with_paper(catalogue.root, catalogue.models, catalogue.precisions)
    for key in ("model", "precision"):
        published = sorted({getattr(cell, key) for cell in cells})
        names = _named(getattr(arguments, key), published, f"--{key}", published)
        cells = [cell for cell in cells if getattr(cell, key) in names]
    header = ["dataset", "model", "precision", "published_gib", "planned_gib", "error_percent"]
    rows = [_comparison_row(cell) for cell in cells]
    if arguments.format == "csv":
        write_csv(header, rows)
        return
    write_text(header, rows, names=3)
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


def _show_plans(arguments: argparse.Namespace, catalogue: Catalogue) -> None:
    given = {name: getattr(arguments, name) for name in _WORKLOAD if getattr(arguments, name) is not None}
    work = Workload(**given)
    models = _named(arguments.model, catalogue.models, "--model", catalogue.run.models)
    precisions = _named(arguments.precision, catalogue.precisions, "--precision", catalogue.run.precisions)
    plans = {
        (model, precision): plan_memory(Setting(catalogue.models[model], catalogue.precisions[precision], work))
        for model in models
        for precision in precisions
    }
    stated = catalogue.run.hardware.gpu_memory_gib
    sizes: list[float] = sorted({*COMMON_GPUS_GIB, *([] if stated == "auto" else [stated])})
    needed = {key: [devices_needed(plan.setting, size) for size in sizes] for key, plan in plans.items()}
    if arguments.format == "csv":
        header = ["model", "precision", *_WORKLOAD, *(f"{name}_gib" for name in _HEADINGS), "peak_gib"]
        rows = [[*key, *(str(getattr(work, name)) for name in _WORKLOAD), *_gib(plan)] for key, plan in plans.items()]
        counts = [[str(count or "") for count in needed[key]] for key in plans]
        write_csv([*header, *(f"gpus_of_{size:g}_gib" for size in sizes)], _joined(rows, counts))
        return
    _write_plans(plans, needed, sizes)
    _write_notes(plans, needed, sizes)


def _write_plans(
    plans: Mapping[tuple[str, str], Plan],
    needed: Mapping[tuple[str, str], Sequence[int | None]],
    sizes: Sequence[float],
) -> None:
    work = next(iter(plans.values())).setting.workload
    gpus = "1 GPU" if work.devices == 1 else f"{work.devices} GPUs"
    print(
        f"Peak memory in GiB, summed over {gpus}: prompts of {work.prompt_tokens} tokens, answers of {work.new_tokens}, "
        f"{work.batch} at a time. Right: how many GPUs of that many GiB hold it.\n"
    )
    # A term that is nothing for every row is left out.
    shown = [name for name in _HEADINGS if any(plan.terms[name] for plan in plans.values())]
    header = ["model", "precision", *(_HEADINGS[name] for name in shown), "peak", *(f"{size:g}" for size in sizes)]
    rows = [
        [*key, *(f"{plan.terms[name] / GIB:.2f}" for name in shown), f"{plan.peak_bytes / GIB:.2f}"]
        for key, plan in plans.items()
    ]
    counts = [[str(count or "never") for count in needed[key]] for key in plans]
    write_text(header, _joined(rows, counts), names=2)


def _write_notes(
    plans: Mapping[tuple[str, str], Plan],
    needed: Mapping[tuple[str, str], Sequence[int | None]],
    sizes: Sequence[float],
) -> None:
    print()
    for index, size in enumerate(sizes):
        fitting: dict[str, list[str]] = {}
        for model, precision in plans:
            if needed[model, precision][index] == 1:
                fitting.setdefault(model, []).append(precision)
        listed = "; ".join(f"{model} {', '.join(precisions)}" for model, precisions in fitting.items())
        print(f"One GPU of {size:g} GiB holds {listed or 'none of these'}.")
    for model in dict.fromkeys(model for model, _ in plans):
        setting = next(plan.setting for key, plan in plans.items() if key[0] == model)
        length, limit = setting.workload.prompt_tokens + setting.workload.new_tokens, setting.facts.context_length
        if length > limit:
            print(f"Note: {length} tokens of prompt and answer exceed the context of {model}, {limit}.")


def _named(asked: list[str] | None, known: Iterable[str], option: str, usual: Sequence[str]) -> list[str]:
    """The names asked for, or the usual ones (``all``: every known one); an unknown one is refused."""
    names = list(known)
    if asked is None:
        return names if usual == "all" else list(usual)
    for name in asked:
        if name not in names:
            raise ConfigError(f"{option} {name!r} is unknown{nearest(name, names)}")
    return list(dict.fromkeys(asked))


def _gib(plan: Plan) -> list[str]:
    return [f"{value / GIB:.3f}" for value in (*(plan.terms[name] for name in _HEADINGS), plan.peak_bytes)]


def _joined(left: Sequence[list[str]], right: Sequence[list[str]]) -> list[list[str]]:
    return [[*one, *other] for one, other in zip(left, right, strict=True)]
