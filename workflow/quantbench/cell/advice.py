"""What to say when one sample does not fit into memory: what it takes at each precision, by the memory planner."""

from __future__ import annotations

from collections.abc import Callable

from ..config import Catalogue
from ..planner import GIB, Setting, Workload, plan_memory
from ..study.grid import Cell
from ..study.identity import max_new_tokens


def advice(catalogue: Catalogue, cell: Cell) -> Callable[[int], str]:
    """A function from the prompt's tokens to a sentence that says what one such sample takes, and what to do."""

    def say(prompt_tokens: int) -> str:
        chains = catalogue.run.inference.self_consistency.chains if cell.prompting == "self_consistency" else 1
        work = Workload(prompt_tokens, max_new_tokens(catalogue, cell), batch=chains)
        model = catalogue.models[cell.model]
        peaks = {
            name: plan_memory(Setting(model, entry, work)).peak_bytes / GIB
            for name, entry in catalogue.precisions.items()
            if name not in catalogue.noise_floors
        }
        planned = ", ".join(f"{peak:.1f} GiB at {name}" for name, peak in peaks.items())
        return (
            f"by the memory planner such a sample takes {planned}; lower hardware.gpu_memory_gib so that the cell asks for "
            "more GPUs, or choose a precision that fits"
        )

    return say
