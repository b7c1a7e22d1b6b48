"""The typed form of a run's configuration file, ``config/config.yaml`` or ``config/demo.yaml``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from .settings import Settings

Names = list[str] | Literal["all"]


class DataSettings(Settings):
    """Where datasets come from."""

    folder: str | None = Field(
        default=None, description="local folder with one sub-folder a dataset; empty: downloaded from the pinned source"
    )
    mirror: str | None = Field(
        default=None, description="folder or address of a mirror of the pinned source; empty: the source itself"
    )
    texts_in_bundles: Literal["by_licence", "all", "none"] = Field(
        default="by_licence",
        description="whose texts a bundle holds: of datasets whose licence lets them be passed on, of all, of none",
    )


class SelfConsistency(Settings):
    """Sampling of several chains of thought, answered by majority vote (Wang et al. 2023)."""

    chains: int = Field(default=5, ge=1)
    temperature: float = Field(default=0.7, gt=0)


class RandomWeightSettings(Settings):
    """Models to run as stand-ins with random weights: memory and speed without downloading anything."""

    models: Names = Field(default=[], description="these models, or all; their answers mean nothing")
    prompt_tokens: int | None = Field(
        default=None, gt=0, description="their prompts are cut or filled to this length; empty: as the texts are"
    )


class InferenceSettings(Settings):
    """How the quality pass generates answers."""

    engine: Literal["single", "static", "continuous"] = "static"
    token_budget: int = Field(
        default=16384, gt=0, description="most prompt + new tokens of one batch, padding included"
    )
    max_batch_size: int = Field(default=64, gt=0)
    max_new_tokens: int | None = Field(default=None, gt=0, description="lowers the datasets' own limits where set")
    stop_early: bool = Field(
        default=True, description="end an answer where it is complete; what is read from it stays the same"
    )
    self_consistency: SelfConsistency = SelfConsistency()


class MeasurementSettings(Settings):
    """How latency and memory are measured before the quality pass."""

    latency_samples: int = Field(default=64, ge=1)
    warmup: int = Field(default=3, ge=0)


class ComparisonSettings(Settings):
    """How quantized cells are compared with full precision."""

    margin: float = Field(default=0.01, gt=0, lt=1, description="largest loss of score still called preserved")
    resamples: int = Field(default=10000, ge=100)
    confidence: float = Field(default=0.95, gt=0.5, lt=1)


class HardwareSettings(Settings):
    """What a job may ask for."""

    device: Literal["auto", "cuda", "cpu"] = "auto"
    gpu_memory_gib: Annotated[float, Field(gt=0)] | Literal["auto"] = Field(
        default="auto", description="memory of one GPU, from which GPUs a cell are counted; auto: as seen here, else 80"
    )
    gpus: int | None = Field(default=None, ge=1, description="most GPUs one cell may take, as many as one node has")
    unfit: Literal["refuse", "leave_out"] = Field(
        default="refuse", description="cells that need more GPUs than that: refuse the run, or leave them out"
    )
    gres: str | None = Field(
        default=None,
        pattern=r"^\w+(:[\w.]+)?$",
        description="ask SLURM for GPUs by this generic resource (gpu, gpu:a100) instead of by --gpus",
    )
    runtime_limit_hours: float | None = Field(
        default=None, gt=0, description="longest runtime a job may ask for; a cell that needs longer goes on in a retry"
    )
    threads: int = Field(default=1, ge=1, description="CPU threads of one inference job")
    warm_start: bool = Field(
        default=False, description="fork cells from one process that holds the libraries; CPU only"
    )

    @model_validator(mode="after")
    def _warm_on_cpu(self) -> HardwareSettings:
        if self.warm_start and self.device != "cpu":
            raise ValueError(f"warm_start needs device: cpu (it is {self.device}): CUDA does not survive a fork")
        return self

    @model_validator(mode="after")
    def _left_out_alike_everywhere(self) -> HardwareSettings:
        if self.unfit == "leave_out" and self.gpu_memory_gib == "auto" and self.device != "cpu":
            raise ValueError(
                "unfit: leave_out needs a number as gpu_memory_gib: every job must leave out the same cells, on whichever "
                "machine it runs"
            )
        return self


class RunConfig(Settings):
    """One run: everything under ``results/<run>/`` follows from this and the catalogue it names."""

    run: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")] = Field(
        description="name of the results folder"
    )
    results_folder: str = "results"
    catalogue_root: str = Field(
        default=".",
        description="folder that holds config/, from which relative paths of the configuration start; ., the repository",
    )
    studies_file: str = "config/studies.yaml"
    studies: Annotated[list[str], Field(min_length=1)]
    models: Names = "all"
    precisions: Names = "all"
    datasets: Names = "all"
    data: DataSettings = DataSettings()
    models_folder: str = "resources/models"
    keep: Literal["full", "quantized", "both"] = Field(
        default="full",
        description="weights kept on disk: as published, quantized on every load; or quantized once, with or without these",
    )
    confirm: bool = Field(default=False, description="let the clean_* targets delete what they list")
    limit: int | None = Field(default=None, ge=1, description="stratified number of test samples a dataset; empty: all")
    seed: int = Field(default=2509, ge=0)
    allow_missing: bool = Field(default=False, description="draw from the cells that exist and name the missing ones")
    random_weights: RandomWeightSettings = RandomWeightSettings()
    inference: InferenceSettings = InferenceSettings()
    measurement: MeasurementSettings = MeasurementSettings()
    comparison: ComparisonSettings = ComparisonSettings()
    hardware: HardwareSettings = HardwareSettings()
