"""Peaks of models with random weights: planned by formulas, traced on shapes alone, and as the GPU's allocator counted."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.watched import REPOSITORY, NotTried

from quantbench.config import ModelEntry, PrecisionEntry, read_entries
from quantbench.devices import lease_folder, lease_visible
from quantbench.errors import ModelError
from quantbench.measure.neighbours import Neighbours
from quantbench.planner import GIB, GPUS, Placement, Setting, Workload, plan_memory

from .found import Found, Setup
from .result import Evidence, Peak

if TYPE_CHECKING:
    from quantbench.engine.batches import Request
    from quantbench.engine.generation import Generator
    from quantbench.models.loading import LoadedModel

# Both with tied heads and seconds to make; the workspace of cuBLAS is most of what the small one's plan can miss.
SMALL, LARGE = "smollm2-135m", "qwen2.5-3b"
SHOWN_WITHIN = 0.01  # of the measured peak: the claim is shown
# Short by more than both, the room that plans leave, a cell that was planned to fit may not.
FAILED_BELOW, FAILED_BELOW_BYTES = 0.03, 64 * 2**20
_NEW_TOKENS, _PROMPT_TOKENS, _BATCH = 32, 1000, 8
_USUAL = "a100-40gb"
_REHEARSED = (4, 48, 2)  # the same three on CPU


@dataclass(frozen=True)
class RandomModel:
    """A model of the catalogue with random weights, at a precision."""

    name: str
    entry: ModelEntry
    precision_name: str
    precision: PrecisionEntry

    def setting(self, work: Workload, kind: str) -> Setting:
        """What is planned on GPUs of a kind."""
        return Setting(self.entry, self.precision, work, gpu=GPUS[kind])


def random_model(model: str, precision: str) -> RandomModel:
    """A model of the catalogue at a precision of the catalogue, its files disregarded."""
    entries = read_entries(REPOSITORY / "config/models", ModelEntry)
    precisions = read_entries(REPOSITORY / "config/precisions", PrecisionEntry)
    return RandomModel(model, entries[model].model_copy(update={"weights": "random"}), precision, precisions[precision])


def workloads(setup: Setup) -> list[Workload]:
    """What is answered: one prompt, then a batch of them that begin alike."""
    new, prompt, batch = (_NEW_TOKENS, _PROMPT_TOKENS, _BATCH) if setup.long_prompts else _REHEARSED
    devices = max(1, len(setup.uuids))
    return [
        Workload(prompt, new, devices=devices),
        Workload(prompt, new, batch, devices, shared_tokens=prompt // 2),
    ]


def compare_peaks(setup: Setup, model: str, precision: str) -> Found:
    """Plan, trace and measure one model at one precision: loading, one prompt, a batch.

    Raises:
        NotTried: it does not fit on what is free.
        ModelError: a plan or a trace is short of what was measured by more than the room that plans leave.
    """
    chosen, works, kind = random_model(model, precision), workloads(setup), nearest_kind(setup)
    if setup.device == "cpu" and model == LARGE:
        found = _peaks(chosen, works, kind, [_NOTHING] * 3, {})
        return Found(f"{_words(found)}; not loaded on CPU", peaks=tuple(found))
    with leased(setup, f"checking {model} {precision}"):
        refuse_where_short(setup, chosen.setting(works[-1], kind))
        start_peaks(setup)
        placement = placement_now(setup, chosen, works[-1])
        loaded = load(setup, chosen, placement)
        readings = [_reading(setup), *(_answered(setup, chosen, work, loaded) for work in works)]
        found = _peaks(chosen, works, kind, readings, device_map(loaded), placement)
        evidence = _evidence(setup, found)
        if setup.device == "cuda":
            evidence.append(offloading_evidence(loaded, f"{model} {precision}"))
    short = [one for one in found if is_short(one)]
    if short:
        raise ModelError(f"planned or traced more than {FAILED_BELOW:.0%} below the measured peak: {_words(short)}")
    return Found(_words(found), peaks=tuple(found), evidence=tuple(evidence))


def leased(setup: Setup, why: str) -> AbstractContextManager[list[str]]:
    """The GPUs of the checks, held alone."""
    return lease_visible(len(setup.uuids), lease_folder(), why)


def placement_now(setup: Setup, chosen: RandomModel, work: Workload) -> Placement | None:
    """Where a cell with this workload would place the model, by what is free now; None on CPU.

    Raises:
        ModelError: it does not fit.
    """
    if setup.device == "cpu":
        return None
    from quantbench.models.placing import leased_gpus, placed

    kind, alone = nearest_kind(setup), replace(work, batch=1, shared_tokens=0)
    settings = (chosen.setting(one, kind) for one in (work, alone))
    return placed(f"{chosen.name} {chosen.precision_name}", leased_gpus(Neighbours(setup.uuids)), *settings)


def load(setup: Setup, chosen: RandomModel, placement: Placement | None) -> LoadedModel:
    """Make the model by the package's own loading.

    Raises:
        ModelError: memory runs out.
    """
    from quantbench.models.loading import load_model
    from quantbench.models.synthetic_tokenizer import SyntheticTokenizer

    tokenizer = SyntheticTokenizer(chosen.entry.architecture.vocab_size)
    return load_model(Path(), chosen.entry, chosen.precision, tokenizer, setup.device, placement=placement)


def prompts(count: int, tokens: int, entry: ModelEntry, shared: int = 0) -> list[Request]:
    """Random prompts of ``tokens`` tokens that begin with the same ``shared`` ones; the same at every precision."""
    from quantbench.engine.batches import Request
    from quantbench.models.random_weights import SPECIAL_TOKENS

    draw = random.Random(2509 + tokens)
    words = range(SPECIAL_TOKENS, entry.architecture.vocab_size)
    begin = draw.choices(words, k=shared)
    return [Request(str(number), "", begin + draw.choices(words, k=tokens - shared)) for number in range(count)]


def answer(generator: Generator, asked: Sequence[Request]) -> None:
    """Answer as a cell does: one prompt as it is timed, several as a batch."""
    if len(asked) == 1:
        generator.time_one(asked[0])
    else:
        generator.share_prefix(asked)
        generator.answer(asked)
    generator.synchronize()


def offloading_evidence(loaded: LoadedModel, what: str) -> Evidence:
    """Whether every piece of a loaded model is on a GPU."""
    placed = {str(device) for device in device_map(loaded).values()}
    held = {str(weight.device.type) for weight in loaded.model.parameters()}
    on_gpu = not placed & {"cpu", "disk", "meta"} and held == {"cuda"}
    return Evidence(
        finding="no_offloading", holds=on_gpu, words=f"{what}: placed on {', '.join(sorted(placed | held))}"
    )


def device_map(loaded: LoadedModel) -> dict[str, str]:
    """Where loading placed each piece, by transformers' own word; of a model that lies on one device whole, that device."""
    placed = getattr(loaded.model, "hf_device_map", None) or {"": next(iter(loaded.model.parameters())).device}
    return {name or "all": str(device) for name, device in placed.items()}


def errors(peak: Peak) -> list[float]:
    """Planned and traced over measured peak, minus 1; nothing on CPU."""
    if not peak.measured_bytes:
        return []
    return [sum(guessed) / sum(peak.measured_bytes) - 1 for guessed in (peak.planned_bytes, peak.traced_bytes)]


def is_short(peak: Peak) -> bool:
    """Whether planned or traced peak is below the measured one by more than plans leave."""
    measured = sum(peak.measured_bytes or [])
    return any(error < -FAILED_BELOW and -error * measured > FAILED_BELOW_BYTES for error in errors(peak))


def refuse_where_short(setup: Setup, setting: Setting) -> None:
    """Raise NotTried where the plan exceeds what is free on the GPUs."""
    if setup.device == "cpu":
        return
    import torch

    from quantbench.models.out_of_memory import release

    release()
    free = sum(torch.cuda.mem_get_info(index)[0] for index in range(len(setup.uuids)))
    planned = plan_memory(setting).peak_bytes
    if planned * (1 + FAILED_BELOW) > free:
        raise NotTried(f"planned {planned / GIB:.2f} GiB, and {free / GIB:.2f} GiB are free")


def start_peaks(setup: Setup) -> None:
    """Give back what the allocator keeps, and count peaks from now on."""
    if setup.device == "cpu":
        return
    import torch

    from quantbench.models.out_of_memory import release

    release()
    for index in range(len(setup.uuids)):
        torch.cuda.reset_peak_memory_stats(index)


@dataclass(frozen=True)
class _Reading:
    """What the allocator counted on each GPU since peaks were started; None on CPU."""

    allocated: list[int] | None = None
    reserved: list[int] | None = None


_NOTHING = _Reading()


def _reading(setup: Setup) -> _Reading:
    if setup.device == "cpu":
        return _NOTHING
    import torch

    devices = range(len(setup.uuids))
    return _Reading(
        [int(torch.cuda.max_memory_allocated(index)) for index in devices],
        [int(torch.cuda.max_memory_reserved(index)) for index in devices],
    )


def _answered(setup: Setup, chosen: RandomModel, work: Workload, loaded: LoadedModel) -> _Reading:
    from quantbench.engine.decoding_settings import GenerationSettings
    from quantbench.engine.generation import Generator

    asked = prompts(work.batch, work.prompt_tokens, chosen.entry, work.shared_tokens)
    generator = Generator(loaded, GenerationSettings(work.new_tokens))
    if setup.device == "cuda":
        answer(generator, asked[:1])  # workspaces and kernels are there before memory is counted
    start_peaks(setup)
    answer(generator, asked)
    return _reading(setup)


def _peaks(
    chosen: RandomModel,
    works: Sequence[Workload],
    kind: str,
    readings: Sequence[_Reading],
    places: dict[str, str],
    placement: Placement | None = None,
) -> list[Peak]:
    """Readings of loading and of each workload, in this order, beside plan and trace."""
    from quantbench.tracing.engine_walk import Use
    from quantbench.tracing.peak_trace import trace

    found = []
    for work, reading in zip(works, readings[1:], strict=True):
        plan = plan_memory(chosen.setting(work, kind), placement)
        traced = trace(chosen.entry, chosen.precision, Use.of(work), plan.placement, kind)
        named = {"model": chosen.name, "precision": chosen.precision_name, "device_map": places}
        if not found:
            found.append(
                Peak(
                    stage="loading",
                    prompt_tokens=0,
                    new_tokens=0,
                    batch=0,
                    planned_bytes=[device.loading_bytes for device in plan.devices],
                    traced_bytes=[moment.bytes for moment in traced.stages["load"]],
                    measured_bytes=readings[0].allocated,
                    reserved_bytes=readings[0].reserved,
                    **named,
                )
            )
        found.append(
            Peak(
                stage="answering",
                prompt_tokens=work.prompt_tokens,
                new_tokens=work.new_tokens,
                batch=work.batch,
                planned_bytes=[device.peak_bytes for device in plan.devices],
                traced_bytes=[moment.bytes for moment in traced.peaks],
                measured_bytes=reading.allocated,
                reserved_bytes=reading.reserved,
                **named,
            )
        )
    return found


def nearest_kind(setup: Setup) -> str:
    """The kind of GPU, among those of :data:`quantbench.planner.GPUS`, that this one is or is most like.

    By its name, else by its compute capability, which decides on kernels and workspaces.
    """
    if setup.device == "cpu":
        return _USUAL
    import torch

    name = torch.cuda.get_device_name(0).lower().replace(" ", "")
    capability = torch.cuda.get_device_capability(0)
    named = [kind for kind in GPUS if kind.split("-")[0] in name]
    alike = [kind for kind, gpu in GPUS.items() if gpu.capability == capability]
    return next(iter([*named, *alike, _USUAL]))


def _evidence(setup: Setup, found: Sequence[Peak]) -> list[Evidence]:
    seen = []
    for peak in found:
        off = errors(peak)
        keys = ["batch_peak"] if peak.batch > 1 else ["nf4_peak"] if peak.precision.startswith("w4a16") else []
        keys += ["number_of_devices"] if len(setup.uuids) > 1 else []
        within = all(abs(error) <= SHOWN_WITHIN for error in off)
        seen += [Evidence(finding=key, holds=within, words=_words([peak])) for key in keys if off]
    return seen


def _words(found: Sequence[Peak]) -> str:
    """For example ``qwen2.5-3b w4a16, 8 at once: planned 2.31, traced 2.32, measured 2.32 GiB``."""
    said = []
    for peak in found:
        what = "loading" if peak.stage == "loading" else f"{peak.batch} at once"
        numbers = f"planned {sum(peak.planned_bytes) / GIB:.3f}, traced {sum(peak.traced_bytes) / GIB:.3f}"
        measured = f", measured {sum(peak.measured_bytes) / GIB:.3f}" if peak.measured_bytes else ""
        said.append(f"{peak.model} {peak.precision}, {what}: {numbers}{measured} GiB")
    return "; ".join(said)
