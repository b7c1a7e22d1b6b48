"""Memory that runs out anywhere in a cell: one message that names the stage, in the place of a traceback."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..errors import ModelError
from ..planner import GIB, Setting, Workload, plan_memory
from ..study.spec import CellSpec

if TYPE_CHECKING:
    from ..engine.batches import Request


@contextmanager
def within_memory(spec: CellSpec, doing: str, prompts: Sequence[Request]) -> Iterator[None]:
    """Do something that may take more memory than there is.

    Args:
        spec: the cell.
        doing: what is done, in words that follow "while".
        prompts: what it is done with; the longest is named.

    Raises:
        ModelError: memory ran out; says while doing what, how long prompts are, what was asked for, what is free and what to do.
    """
    from ..models.out_of_memory import POSSIBLE, asked_and_free, is_out_of_memory, let_go, release

    try:
        yield
        return
    except POSSIBLE as error:
        if not is_out_of_memory(error):
            raise
        lacking = let_go(error)
    release()
    longest = max(len(prompt.token_ids) for prompt in prompts)
    which = f"sample {prompts[0].sample_id} with" if len(prompts) == 1 else "prompts of up to"
    length = f"a prompt of {longest} tokens" if len(prompts) == 1 else f"{longest} tokens"
    raise ModelError(
        f"{spec.cell.label}: out of memory while {doing} ({which} {length}){asked_and_free(lacking)}; {advice(spec, longest)}"
    ) from None


def advice(spec: CellSpec, prompt_tokens: int) -> str:
    """What a sample that does not fit alone takes at each precision, by the memory planner."""
    work = Workload(prompt_tokens, spec.max_new_tokens, batch=spec.rows)
    peaks = {
        name: plan_memory(Setting(spec.model, entry, work)).peak_bytes / GIB
        for name, entry in spec.alternatives.items()
    }
    return f"by the memory planner such a sample takes {', '.join(f'{peak:.1f} GiB at {name}' for name, peak in peaks.items())}"
