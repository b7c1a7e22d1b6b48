"""The peak of one model at one precision by tracing, per device and stage, with what is alive then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from torch.nn import Linear

from ..config import ModelEntry, PrecisionEntry
from ..errors import ModelError
from ..planner import GPUS, Placement
from ..reading.library_errors import said
from .counting_mode import CountingMode
from .engine_walk import Use, walk
from .function_mode import FunctionMode
from .live_bytes import Moment
from .meta_model import load_weights, meta_model, place_of, tables_apart
from .module_watch import watched
from .placed_hooks import place

Stage = Literal["load", "prompt", "answer"]


@dataclass(frozen=True)
class Traced:
    """A trace.

    Attributes:
        entry: the model.
        precision: at which it was traced.
        use: what its engine did.
        gpu: on which, a key of :data:`quantbench.planner.GPUS`.
        at_rest: what each device holds once the weights are loaded.
        stages: the fullest moment of each device, by stage.
    """

    entry: ModelEntry
    precision: PrecisionEntry
    use: Use
    gpu: str
    at_rest: tuple[Moment, ...]
    stages: dict[Stage, tuple[Moment, ...]]

    @property
    def peaks(self) -> tuple[Moment, ...]:
        """The fullest moment of each device while prompts are read and answers are written."""
        pairs = zip(self.stages["prompt"], self.stages["answer"], strict=True)
        return tuple(max(pair, key=lambda moment: moment.bytes) for pair in pairs)

    @property
    def fullest(self) -> Moment:
        """The peak of the device that holds most."""
        return max(self.peaks, key=lambda moment: moment.bytes)

    @property
    def peak_bytes(self) -> int:
        """The devices' peaks added up: ``max_memory_allocated`` summed over the GPUs, without what loading took."""
        return sum(moment.bytes for moment in self.peaks)


def trace(
    entry: ModelEntry, precision: PrecisionEntry, use: Use, placement: Placement | None = None, gpu: str = "a100-40gb"
) -> Traced:
    """Trace a model from loading to its last token.

    Args:
        entry: the model.
        precision: how its weights are held.
        use: what its engine does at once.
        placement: which device holds what; None: one device holds everything.
        gpu: a key of :data:`quantbench.planner.GPUS`; its chip decides on kernels and workspaces.

    Raises:
        ModelError: the model cannot be built, spread or run on shapes.
    """
    model, places = meta_model(entry, precision, placement)
    devices = max(places.values()) + 1  # one in between may hold nothing
    counting = CountingMode(devices, GPUS[gpu], entry.architecture.vocab_size)
    stages: dict[Stage, tuple[Moment, ...]] = {}

    def end(stage: Stage) -> None:
        stages[stage] = tuple(device.fullest for device in counting.devices)
        counting.begin_stage()

    with tables_apart(), FunctionMode(counting), counting:
        load_weights(model, entry, precision, counting, places)
        end("load")
        at_rest = tuple(device.fullest for device in counting.devices)
        multiplying = {place_of(name, places) for name, module in model.named_modules() if isinstance(module, Linear)}
        for device in multiplying:
            counting.give_workspace(device)
        counting.begin_stage()
        if devices > 1:
            place(model, counting, places)
        with watched(model, counting):
            try:
                walk(model, use, counting, lambda: end("prompt"))
            except (RuntimeError, TypeError, ValueError, AttributeError, NotImplementedError) as error:
                raise ModelError(
                    f"{entry.title} at {precision.title}: its code does not run on shapes as the engine calls it "
                    f"({said(error)}); plan it without --trace"
                ) from error
        end("answer")
    assert set(stages) == set(get_args(Stage))
    return Traced(entry, precision, use, gpu, at_rest, stages)
