"""``manifest.json``: everything needed to say what a cell's outputs came from, and to make them again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import ClassVar, Literal

from pydantic import Field, JsonValue

from .cell_name import Cell
from .contract import Contract, Part, unknown
from .machine import DeviceFacts
from .measurements import Energy, Process, QuantizedShare
from .prepared_dataset import PreparedDataset


class PublishedModel(Part):
    """The files a cell's model was loaded from."""

    weights: Literal["published"] = "published"
    resolved_revision: str | None = Field(default=None, description="commit on the hub; null for a local folder")
    files: dict[str, str] = Field(description="file -> SHA-256")
    quantized_checkpoint: bool = Field(default=False, description="whether these weights were quantized already")


class StandIn(Part):
    """A model with random weights, made where the cell ran: there are no files."""

    weights: Literal["random"]
    note: str
    resolved_revision: None = None
    files: dict[str, str] = {}


WeightPlace = Literal["layers", "embeddings and head"]


class WeightCount(Part):
    """How many weights of one class of layers are stored in one way; vectors, such as norms and biases, are not counted."""

    holder: str = Field(description="class of the layers, such as `Linear4bit`, `Embedding`, `MixtralExperts`")
    storage: str = Field(description="`nf4`, `int8`, `bfloat16` and so on")
    quantized: bool
    place: WeightPlace
    matrices: int = Field(description="parameters of two or more dimensions")
    weights: int = Field(description="numbers in them, as they would be unquantized")


class AppliedPrecision(Part):
    """A precision as it was applied, read off the loaded model."""

    method: str = Field(description="what quantized the weights: a library or, as published, the checkpoint's method")
    settings: dict[str, bool | int | float | str]
    dtype: str = Field(description="number format in which what is not quantized was computed")
    checkpoint_dtype: str | None = Field(
        default=None,
        exclude_if=unknown,
        description="that of the model's files, where the processor does not multiply it; else left out",
    )
    quantized_share: float | None = Field(
        default=None,
        exclude_if=unknown,
        description="of the weights in matrices, those that are quantized; left out in files of before it was counted",
    )
    weights: list[WeightCount] | None = Field(
        default=None, exclude_if=unknown, description="all matrices, by class of layer and storage; left out likewise"
    )

    @property
    def quantized(self) -> QuantizedShare | None:
        """How much of the model is quantized; None: not counted."""
        if self.weights is None:
            return None
        layers = [one for one in self.weights if one.place == "layers"]
        return QuantizedShare(of_all=share_quantized(self.weights), of_layers=share_quantized(layers))


def share_quantized(counts: Sequence[WeightCount]) -> float:
    """Of all weights counted, the share that is quantized; 0 where there are none."""
    whole = sum(one.weights for one in counts)
    return sum(one.weights for one in counts if one.quantized) / whole if whole else 0.0


class ForeignProcesses(Part):
    """Who else computed on the leased GPUs during the whole cell."""

    found: list[Process]
    reason: str = Field(default="", description="why nobody could be seen; empty where they could")


class Decoding(Part):
    """What decided the next token, where a run follows the generation settings that come with its models."""

    sampled: bool = Field(description="whether tokens were drawn; `false`: the likeliest one each time")
    settings: dict[str, JsonValue] = Field(
        description="of the model's `generation_config.json`, the temperature that the run states put in where tokens were drawn"
    )
    seeds: list[int] = Field(description="of each time that a sample was answered; empty where nothing was drawn")


class Manifest(Contract):
    """What one cell's outputs came from. Written last: a cell with a manifest is finished."""

    path: ClassVar[str] = "cells/<cell>/manifest.json"

    cell: Cell
    identity: dict[str, JsonValue] = Field(
        description="all that predictions and measurements depend on, compared as a whole; hashes of prompts, batch plan and weights"
    )
    model: PublishedModel | StandIn
    configuration: dict[str, JsonValue] | None = Field(
        default=None, description="the run's settings, whole; null in files of before they were recorded"
    )
    dataset: PreparedDataset = Field(description="the content of `dataset.json`")
    first_prompt_sha256: str = Field(description="of the first sample's prompt")
    prompts_sha256: str | None = Field(
        default=None,
        exclude_if=unknown,
        description="of all prompts, as text and token ids; left out by earlier versions. Only cells with the same are compared",
    )
    prompt_date: date | None = Field(
        default=None,
        exclude_if=unknown,
        description="the day that the chat template was told, where prompts show it; else left out",
    )
    decoding: Decoding | None = Field(
        default=None, exclude_if=unknown, description="left out where decoding is the sound protocol's"
    )
    full_predictions_sha256: str | None = Field(
        default=None,
        exclude_if=unknown,
        description="of full precision's answers that this cell was handed, to be read by its model for `likelihoods.npz`; left out where "
        "it was handed none",
    )
    plan_sha256: str = Field(description="of which samples shared which batch")
    seed: int = Field(description="of samples, of those timed, and of sampling")
    outputs: dict[str, str] = Field(default={}, description="the cell's other files -> SHA-256")
    python: str = Field(description="its version")
    packages: dict[str, str | None] = Field(description="package -> version; null where it is not installed")
    git_commit: str | None = Field(description="`-dirty` where tracked files differ from it; null outside a checkout")
    device: DeviceFacts
    precision_applied: AppliedPrecision
    energy: Energy = Field(default=Energy(energy_j=None, reason="unavailable: not measured"))
    foreign_processes: ForeignProcesses = Field(
        default=ForeignProcesses(found=[], reason="unavailable: not looked for")
    )
    start: str = Field(description="when the last start of the cell began, ISO 8601 in UTC")
    end: str = Field(description="when its outputs were written")
    resumed: int = Field(description="starts after the first")
    batches_generated: int = Field(description="over all starts, those a kill undid included")
    halved_batches: list[list[str]] = Field(
        default=[], description="sample ids of each batch that did not fit into memory and was answered in halves"
    )
