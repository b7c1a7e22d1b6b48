"""The two passes of a cell: some samples timed alone, then every sample answered once and on disk as soon as it is."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from ..contracts.measurements import (
    FixedLengthReadings,
    LatencyReadings,
    MemoryAfterLoad,
    MemoryReadings,
    Process,
    TimedAnswer,
)
from ..contracts.records import Prediction
from ..engine.batches import Plan, Request
from ..engine.job import Job
from ..engine.kinds import find_engine
from ..errors import ModelError
from ..measure import memory
from ..measure.latency import Timing, time_each
from ..models.out_of_memory import is_out_of_memory
from ..study.spec import CellSpec
from .pace import Pace
from .pass_meter import PassMeter
from .progress import Progress
from .short_of_memory import advice, within_memory

if TYPE_CHECKING:
    from ..engine.generation import Generator


def measure(
    spec: CellSpec, requests: Sequence[Request], generator: Generator, held: MemoryAfterLoad
) -> tuple[MemoryReadings, LatencyReadings]:
    """Time some samples one at a time, read the peak of memory, then time some again at a fixed length (docs/protocol.md#latency).

    Args:
        spec: how many samples and warm-ups; the seed of their choice, the same at every precision.
        requests: all of the cell.
        generator: the loaded model.
        held: memory after loading.

    Returns:
        Raw values in bytes and seconds.

    Raises:
        ModelError: the model's scores are no numbers, or memory does not suffice.
    """
    settings = spec.measurement
    chosen = latency_requests(requests, settings.latency_samples + settings.warmup, spec.seed)
    memory.start_peak()
    items = [(request.sample_id, request) for request in chosen]
    warmup = min(settings.warmup, len(items) - 1)
    with _first_prompts(spec), within_memory(spec, "timing single samples", chosen):
        timed = time_each(items, partial(_time_one, spec, generator), generator.synchronize, warmup)
        readings = MemoryReadings(after_load=held, inference=memory.peak())
        fixed = _time_at_fixed_length(spec, items[warmup:], generator)
    return readings, LatencyReadings(warmup=settings.warmup, samples=timed, fixed=fixed)


def _time_at_fixed_length(
    spec: CellSpec, items: Sequence[tuple[str, Request]], generator: Generator
) -> FixedLengthReadings | None:
    """The first samples again with outputs of one length; None where the run wants no such timing."""
    if spec.fixed_new_tokens is None:
        return None
    timed = time_each(
        items[: spec.measurement.fixed_samples],
        partial(_time_one, spec, generator, new_tokens=spec.fixed_new_tokens),
        generator.synchronize,
        warmup=0,
    )
    return FixedLengthReadings(new_tokens=spec.fixed_new_tokens, samples=timed)


def _time_one(spec: CellSpec, generator: Generator, request: Request, new_tokens: int | None = None) -> Timing:
    with within_memory(spec, "timing single samples", [request]):
        return generator.time_one(request, new_tokens)


def timed_with_answers(answers: Sequence[Prediction], contended_by: Sequence[Process]) -> LatencyReadings:
    """The latency of answers that say themselves how long they took: of all samples, the first one included.

    Args:
        answers: of the whole quality pass.
        contended_by: others who computed on the leased GPUs meanwhile.
    """
    samples = [
        TimedAnswer(
            sample_id=one.sample_id,
            latency_s=one.latency_s,
            prompt_tokens=one.prompt_tokens,
            new_tokens=one.new_tokens[-1],
        )
        for one in answers
        if one.latency_s is not None
    ]
    return LatencyReadings(warmup=0, samples=samples, contended_by=list(contended_by))


def answer_largest_again(spec: CellSpec, requests: Sequence[Request], generator: Generator, progress: Progress) -> None:
    """Answer the largest sample that an earlier start finished once more, for nothing but the peak of memory.

    A peak that is measured while samples are answered begins anew at each start, and would be that of the others alone.

    Raises:
        ModelError: memory does not suffice.
    """
    largest = max(progress.finished().values(), key=lambda one: one.prompt_tokens + max(one.new_tokens))
    again = [request for request in requests if request.sample_id == largest.sample_id]
    with within_memory(spec, "answering the largest sample again", again):
        generator.answer(again)


def latency_requests(requests: Sequence[Request], count: int, seed: int) -> list[Request]:
    """A seeded choice, the same at every precision."""
    return random.Random(seed).sample(list(requests), min(count, len(requests)))


def answer_all(
    spec: CellSpec,
    requests: Sequence[Request],
    plan: Plan,
    generator: Generator,
    progress: Progress,
    number: int = 1,
    meter: PassMeter | None = None,
    full: str | None = None,
) -> None:
    """Answer what an earlier start has not finished, saying how far it is.

    Args:
        spec: names the engine.
        requests: in dataset order.
        plan: their batches.
        generator: the loaded model.
        progress: what is finished, and where finished answers go.
        number: how many times the samples will have been answered then.
        meter: notes what the kept answers took; None: nobody does.
        full: hash of full precision's answers that are read beside; None: none are.

    Raises:
        ModelError: memory does not suffice even for one sample, or the engine cannot run this model.
        DataError: the disk is full; what was kept before stays.
    """
    done = progress.finished()
    progress.scores(full)  # nothing is added behind a torn line
    repeats = spec.protocol.repeats
    label = spec.cell.label if repeats == 1 else f"{spec.cell.label}, answer {number} of {repeats}"
    pace = Pace(label, len(requests), len(done))
    missing = {request.sample_id for request in requests} - done.keys()
    if not missing:  # only the last files are
        return
    job = Job(
        generator=generator,
        requests=requests,
        plan=plan,
        missing=missing,
        token_budget=spec.inference.token_budget,
        label=spec.cell.label,
        begin=progress.begin_batch,
        note_halved=progress.note_halved,
        advice=partial(advice, spec),
    )
    # Closed at once where keeping fails: an engine may have a thread that would go on generating.
    stream = find_engine(spec.inference.engine).answer(job)
    with within_memory(spec, "answering", requests), closing(stream):
        with _first_prompts(spec):
            first = next(stream)
        for answered in chain([first], stream):
            if answered.scores:
                progress.keep_scores(answered.scores, full)
            if answered.predictions:
                progress.append(answered.predictions)
                if meter is not None:
                    meter.kept(answered.predictions)
                pace.finished(len(answered.predictions), answered.where)


@contextmanager
def _first_prompts(spec: CellSpec) -> Iterator[None]:
    """Say in one line that a model cannot compute any prompt, since its settings or its class do not allow it.

    Raises:
        ModelError: names the cell.
    """
    try:
        yield
    except ModelError as error:
        label = spec.cell.label
        raise ModelError(str(error) if label in str(error) else f"{label}: {error}") from None
    except (LookupError, TypeError, ValueError, AttributeError, AssertionError, ImportError, RuntimeError) as error:
        of_device = isinstance(error, RuntimeError) and type(error) is not RuntimeError
        if of_device or is_out_of_memory(error):
            raise
        said = " ".join(str(error).split())[:300]
        refused, file, mend = "the model's class cannot compute a prompt", "config.json", "retrieve it again"
        if spec.protocol.decoding != "greedy":
            refused = "the model's class cannot compute a prompt by the model's generation settings"
            file, mend = "generation_config.json or config.json", "correct it, set protocol.decoding: greedy"
        raise ModelError(
            f"{spec.cell.label}: {refused} ({type(error).__name__}: {said}); nothing was answered yet: its {file} may state what "
            f"this class or precision cannot do; {mend}, or try another precision"
        ) from error
