"""What ``quantbench plan`` says below its table: which GPU holds what alone, and what of a model's figures to know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..planner import Plan, Setting

_Key = tuple[str, str]
_Needed = Mapping[_Key, Sequence[int | None]]


def write_notes(plans: Mapping[_Key, Plan], needed: _Needed, sizes: Sequence[float]) -> None:
    """Print the notes.

    Args:
        plans: by model and precision.
        needed: GPUs that each plan takes, of each size; None: no number of them holds it.
        sizes: of GPUs, in GiB.
    """
    print()
    _write_single_gpus(plans, needed, sizes)
    for model in dict.fromkeys(model for model, _ in plans):
        for note in _remarks(model, next(plan.setting for key, plan in plans.items() if key[0] == model)):
            print(f"Note: {note}")


def _write_single_gpus(plans: Mapping[_Key, Plan], needed: _Needed, sizes: Sequence[float]) -> None:
    """A line a size, but for one that holds no more than the one before."""
    said = None
    for index, size in enumerate(sizes):
        fitting: dict[str, list[str]] = {}
        for model, precision in plans:
            if needed[model, precision][index] == 1:
                fitting.setdefault(model, []).append(precision)
        listed = "; ".join(f"{model} {', '.join(precisions)}" for model, precisions in fitting.items())
        if listed != said:
            print(f"One GPU of {size:g} GiB holds {listed or 'none of these'}.")
        said = listed


def _remarks(model: str, setting: Setting) -> list[str]:
    """What of a model's figures is to be known."""
    work, notes = setting.workload, []
    if setting.model.reasoning_tokens:
        thought = setting.model.reasoning_tokens
        notes.append(
            f"of the {work.new_tokens} new tokens planned for {model}, {thought} are for a thought before the answer."
        )
    if setting.counts.beyond_formulas:
        notes.append(
            f"the figures of {model} are estimates: the planner has no formulas for "
            f"{' and '.join(setting.counts.beyond_formulas)}; quantbench plan --trace --model {model} runs its own code "
            "instead. The numbers of GPUs leave 30% more free."
        )
    length, limit = work.prompt_tokens + work.new_tokens, setting.facts.context_length
    if length > limit:
        notes.append(f"{length} tokens of prompt and answer exceed the context of {model}, {limit}.")
    return notes
