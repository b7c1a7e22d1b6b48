"""Out of memory on purpose: the GPU is filled with a tensor of nothing, and loading or answering must say so and let go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchmarks.watched import NotTried

from quantbench.errors import QuantbenchError
from quantbench.planner import GIB, Workload, plan_memory

from . import cells, peaks
from .found import Found, Setup
from .result import Evidence

_MIB = 2**20
# Pieces that the allocator reserves are up to 20 MiB; those below 1 MiB come from others, which hold no prompt.
_LARGEST_GAP, _SMALLEST_GAP = 20 * _MIB, _MIB
# What may stay after a refusal: workspaces that libraries take once and keep.
_WORKSPACES = 72 * _MIB


def _work(setup: Setup) -> Workload:
    """What is answered: 16 prompts, short ones where a processor stands in for the GPU."""
    return Workload(500, 16, batch=16) if setup.long_prompts else Workload(32, 3, batch=16)


def while_loading(setup: Setup) -> Found:
    """Load a model where half of its weights would find room, and run a cell where next to nothing is.

    Raises:
        QuantbenchError: it loaded all the same, raised something else, or left something allocated.
    """
    _refuse_to_fill(setup)
    work = _work(setup)
    chosen = peaks.random_model(setup.models[-1], "full")
    planned = plan_memory(chosen.setting(work, peaks.nearest_kind(setup)))
    half = filled(int(planned.terms["weights"]) // 2)
    with peaks.leased(setup, "checking a lack of memory"), half:
        words = [_refused(lambda: peaks.placement_now(setup, chosen, work))]
        # As if it had fitted when it was placed, and somebody took the memory since.
        words.append(_refused(lambda: peaks.load(setup, chosen, planned.placement)))
    with filled(2 * _MIB):
        words.append(_refused(lambda: cells.run_cell(setup, "full", "static", name="full-static-without-memory")))
    return Found("; ".join(words), evidence=(_shown(f"loading: {words[0]}"),))


def while_answering(setup: Setup) -> Found:
    """Answer a batch where half of what it needs is free: it is halved; and where nothing is: one line.

    Raises:
        QuantbenchError: it was not halved, raised something else, or left something allocated.
    """
    _refuse_to_fill(setup)
    import torch

    from quantbench.engine.by_plan import answer_halving
    from quantbench.engine.decoding_settings import GenerationSettings
    from quantbench.engine.generation import Generator
    from quantbench.models.out_of_memory import release

    work = _work(setup)
    chosen, halved = peaks.random_model(setup.models[0], "full"), list[list[str]]()
    with peaks.leased(setup, "checking a lack of memory"):
        peaks.refuse_where_short(setup, chosen.setting(work, peaks.nearest_kind(setup)))
        generator = Generator(
            peaks.load(setup, chosen, peaks.placement_now(setup, chosen, work)), GenerationSettings(work.new_tokens)
        )
        asked = peaks.prompts(work.batch, work.prompt_tokens, chosen.entry)
        peaks.answer(generator, asked[:1])
        release()
        torch.cuda.reset_peak_memory_stats()
        held = torch.cuda.memory_allocated()
        peaks.answer(generator, asked)
        needed = torch.cuda.max_memory_allocated() - held
        with filled(needed // 2):
            answers = answer_halving(generator.answer, asked, halved.append, _advice)
        if not halved or len(answers) != len(asked):
            raise QuantbenchError(f"{len(halved)} batches halved, {len(answers)} of {len(asked)} prompts answered")
        with filled(0):
            said = _refused(lambda: answer_halving(generator.answer, asked[:1], halved.append, _advice))
    words = f"half a batch's memory: halved {len(halved)} times, {len(answers)} prompts answered; none: {said}"
    return Found(words, evidence=(_shown(f"answering with {words}"),))


def _refuse_to_fill(setup: Setup) -> None:
    """Raise NotTried where filling the GPU would take memory from others."""
    if setup.device == "cpu":
        raise NotTried("no GPU to fill")
    import torch

    if getattr(torch.cuda.get_device_properties(0), "is_integrated", False):
        raise NotTried("this GPU shares its memory with the processor, and filling it may stop the machine")
    if setup.others:
        raise NotTried(f"others compute on this GPU and would lack memory: {', '.join(setup.others)}")


@contextmanager
def filled(left_bytes: int) -> Iterator[None]:
    """Leave about ``left_bytes`` of the first GPU's memory free while the block runs; its driver rounds to 2 MiB.

    With nothing left, what PyTorch's allocator has reserved around the tensors in use is filled too.
    """
    import torch

    from quantbench.models.out_of_memory import release

    release()
    fillers: list[torch.Tensor] = []
    size = torch.cuda.mem_get_info(0)[0] - left_bytes
    while size >= 2 * _MIB:
        try:
            fillers.append(torch.empty(size, dtype=torch.uint8, device="cuda:0"))
        except torch.OutOfMemoryError:  # what is free is not one piece
            size //= 2
            continue
        size = min(size, torch.cuda.mem_get_info(0)[0] - left_bytes)
    size = 0 if left_bytes else _LARGEST_GAP
    while size >= _SMALLEST_GAP:
        try:
            fillers.append(torch.empty(size, dtype=torch.uint8, device="cuda:0"))
        except torch.OutOfMemoryError:
            size //= 2
    try:
        yield
    finally:
        fillers.clear()
        release()


def _refused(run: Callable[[], object]) -> str:
    """What was said instead of running out of memory silently; nothing may stay allocated.

    Raises:
        QuantbenchError: nothing was said, or something stayed.
    """
    import torch

    from quantbench.models.out_of_memory import release

    release()
    before = torch.cuda.memory_allocated()
    said = _message(run)
    release()
    held = torch.cuda.memory_allocated() - before
    if held > _WORKSPACES:
        raise QuantbenchError(f"{held / GIB:.3f} GiB stayed allocated after: {said}")
    return said


def _message(run: Callable[[], object]) -> str:
    """The one line with which a call is refused."""
    try:
        run()
    except QuantbenchError as error:
        return str(error).splitlines()[0]
    raise QuantbenchError("a lack of memory was expected, and nothing was said")


def _shown(words: str) -> Evidence:
    return Evidence(finding="out_of_memory", holds=True, words=words)


def _advice(tokens: int) -> str:
    return f"this device does not answer prompts of {tokens} tokens with this model"
