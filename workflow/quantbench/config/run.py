"""The typed form of a run's configuration file, ``config/config.yaml`` or ``config/demo.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from .entries import DatasetEntry, Prompting
from .place import Place
from .protocol import ProtocolSettings
from .settings import Settings, module_names

if TYPE_CHECKING:
    Engine = str
else:
    Engine = Literal[module_names("engine/kinds")]

Names = list[str] | Literal["all"]

# What Llama 3's own template takes for today where nobody tells it.
DEFAULT_PROMPT_DATE = date(2024, 7, 26)


class DataSettings(Settings):
    """Where datasets come from, and where their texts may go."""

    folder: Place | None = Field(
        default=None,
        description="a local folder with `<dataset>/<file>`, which may state its own files in `<dataset>/files.yaml` (a dataset of "
        "your own may also have its files beside its entry); `null`: the pinned files are downloaded",
    )
    mirror: Place | None = Field(
        default=None,
        description="a folder or address that mirrors the source of the pinned files: `benchmarks/` as in a clone of "
        "`BIDS-Xu-Lab/Biomedical-NLP-Benchmarks`, `pubmedqa/data/` as in one of `pubmedqa/pubmedqa`; contents are checked as "
        "ever. `null`: the source itself",
    )
    texts_in_bundles: Literal["by_licence", "all", "none"] = Field(
        default="by_licence",
        description="whose texts a bundle holds: `by_licence`, of datasets marked `redistributable`; `all`, of every dataset that is not "
        "`private`; `none`, which leaves out raw outputs and names of samples too, as of private datasets always (docs/privacy.md)",
    )
    private_texts_in_report: bool = Field(
        default=False,
        description="`true`: the explorer of `report.html` also shows texts and outputs of private datasets, and only the file's owner may read "
        "it; `false`: their labels alone",
    )


class SelfConsistency(Settings):
    """Sampling of several chains of thought, answered by majority vote (Wang et al. 2023)."""

    chains: int = Field(default=5, ge=1, le=1000, description="sampled chains of thought per sample")
    temperature: float = Field(default=0.7, gt=0, le=100, description="of that sampling")


class RandomWeightSettings(Settings):
    """Models to run as stand-ins with random weights: memory and speed without downloading anything."""

    models: Names = Field(
        default=[],
        description="models, or `all`, to run as stand-ins: the same architecture, made where it runs (docs/random_weights.md), "
        "so that memory and speed are known before anything is downloaded. Answers and scores then mean nothing, and everything "
        "says so",
    )
    prompt_tokens: int | None = Field(
        default=None,
        gt=0,
        le=10_000_000,
        description="their prompts are cut or filled to this many tokens; `null`: as long as the datasets' texts",
    )


class InferenceSettings(Settings):
    """How the quality pass generates answers."""

    engine: Engine = Field(
        default="static",
        description="`static`: frozen batches of similar length; `single`: one sample at a time, as the paper did; `continuous`: "
        "transformers' continuous batching, on one GPU, greedy, batches not frozen (which when: docs/inference.md)",
    )
    token_budget: int = Field(
        default=16384, gt=0, le=10**9, description="most prompt and new tokens of one batch, padding included"
    )
    max_batch_size: int = Field(default=64, gt=0, le=10**6, description="most samples of one batch")
    max_new_tokens: int | None = Field(
        default=None,
        gt=0,
        le=10_000_000,
        description="lowers the datasets' own limits on new tokens, never the `reasoning_tokens` that a model has on top; `null`: "
        "these hold",
    )
    stop_early: bool = Field(
        default=True,
        description="`true`: an answer ends where it is complete, which never changes what is read from it "
        "(docs/inference.md#where-an-answer-ends); `false`: at the model's end token or the limit",
    )
    likelihoods: bool = Field(
        default=True,
        description="`true`: the log-probabilities of what was written, of options, and of full precision's answers at other precisions "
        "stand beside the answers (docs/protocol.md#likelihoods), and quantized cells begin once the full-precision cell they are compared "
        "with is done; `false`: neither. Answers are the same, and no cell runs again",
    )
    self_consistency: SelfConsistency = SelfConsistency()

    @property
    def has_further_plans(self) -> bool:
        """Whether batches are frozen and hold several samples, so that they can be composed otherwise: noise floors need it."""
        return self.engine == "static" and self.max_batch_size > 1


class MeasurementSettings(Settings):
    """How latency and memory are measured before the quality pass."""

    latency_samples: int = Field(
        default=64,
        ge=1,
        le=10**6,
        description="samples timed one at a time; percentiles need 64 (p90), 130 (p95), 662 (p99)",
    )
    warmup: int = Field(default=3, ge=0, le=10_000, description="untimed generations before these")
    fixed_new_tokens: int | None = Field(
        default=64,
        ge=2,
        le=10**6,
        description="tokens of each output of a second timing, in which end tokens are suppressed, so that precisions are compared "
        "at equal length; at most the cell's own limit. `null`: none. Cells that are finished keep what they have",
    )
    fixed_samples: int = Field(
        default=16, ge=2, le=10**6, description="of the samples timed, how many are timed again so: the first of them"
    )


class ComparisonSettings(Settings):
    """How quantized cells are compared with full precision."""

    margin: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="largest loss of score, absolute, that is still called preserved, for every dataset of the run; `null`: each dataset's "
        "own (`margin` in its entry)",
    )
    resamples: int = Field(default=10000, ge=100, le=10**6, description="bootstrap resamples")
    confidence: float = Field(default=0.95, gt=0.5, lt=1, description="of all intervals")

    def margin_of(self, dataset: DatasetEntry) -> float:
        """The margin that holds for a dataset in this run."""
        return dataset.margin if self.margin is None else self.margin


class HardwareSettings(Settings):
    """What a job may ask for."""

    device: Literal["auto", "cuda", "cpu"] = Field(
        default="auto", description="where models run; `auto`: on GPUs where any is visible, else on the CPU"
    )
    gpu_memory_gib: Annotated[float, Field(gt=0)] | Literal["auto"] = Field(
        default="auto",
        description="memory of one GPU, which decides how many a cell asks for; `auto`: of the smallest GPU visible where "
        "Snakemake starts, 80 where none is or none tells its memory (docs/gpus.md)",
    )
    gpus: int | None = Field(
        default=None,
        ge=1,
        le=1024,
        description="most GPUs one cell may take, as many as one node has; `null`: no limit",
    )
    unfit: Literal["refuse", "leave_out"] = Field(
        default="refuse",
        description="cells that need more GPUs than that: `refuse` the run, naming them, or `leave_out` these cells (needs "
        "`gpu_memory_gib` as a number)",
    )
    gres: str | None = Field(
        default=None,
        pattern=r"^\w+(:[\w.]+)?$",
        description="SLURM clusters that know GPUs only as a generic resource: its name, `gpu` or `gpu:a100`; `null`: cells ask "
        "by `--gpus` (docs/clusters.md)",
    )
    runtime_limit_hours: float | None = Field(
        default=None,
        gt=0,
        le=10**5,
        description="longest job the cluster allows; a cell planned to take longer is cut off and goes on in a retry. `null`: no "
        "limit",
    )
    threads: int = Field(default=1, ge=1, le=4096, description="CPU threads of one inference job")
    warm_start: bool = Field(
        default=False,
        description="CPU only: fork cells from one process that has imported torch already, which saves seconds a cell",
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

    retired: ClassVar[dict[str, str]] = {"confirm": "`quantbench clean` frees disk, and deletes with --yes"}

    run: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)] = Field(
        description="name of the run: results go to `<results_folder>/<run>/`"
    )
    results_folder: Place = Field(default="results", description="where runs are kept")
    catalogue_root: Place = Field(
        default=".",
        description="`.`: entries and relative paths are looked for in the working directory, then in the shipped catalogue "
        "([docs/module.md](../docs/module.md)); a folder: the entries under its `config/` and no others, as an opened bundle has",
    )
    studies_file: Place = Field(default="config/studies.yaml", description="the file that defines studies")
    studies: Annotated[list[str], Field(min_length=1)] = Field(
        description="the studies to run; their subsets (`subset_of`) are drawn too"
    )
    models: Names = Field(
        default="all", description="what a study's `all` stands for, and what every study is narrowed to"
    )
    precisions: Names = Field(
        default="all", description="likewise; a noise floor is kept wherever the precision it repeats is"
    )
    datasets: Names = Field(default="all", description="likewise")
    shots: list[Annotated[int, Field(ge=0)]] | Literal["all"] = Field(
        default="all",
        description="likewise, numbers of worked examples in the prompt; where a model of the run stands in no study's list, the "
        "whole run has each number listed here, without a studies file",
    )
    promptings: list[Prompting] | Literal["all"] = Field(
        default="all", description="likewise, `instruction`, `cot` and `self_consistency`"
    )
    data: DataSettings = DataSettings()
    models_folder: Place = Field(
        default="resources/models",
        description="where models from the hub are kept, one folder each; a group may share it (docs/offline.md)",
    )
    keep: Literal["full", "quantized", "both"] = Field(
        default="full",
        description="weights kept on disk. `full`: as published, quantized each time a cell loads them; `both`: also quantized "
        "once, and cells load these checkpoints; `quantized`: the same, and the weights of retrieved models are freed once every "
        "full-precision cell is done",
    )
    limit: int | None = Field(
        default=None,
        ge=1,
        le=10**9,
        description="a seeded, stratified sample of so many test samples a dataset; `null`: all",
    )
    seed: int = Field(
        default=2509,
        ge=0,
        lt=2**32,
        description="of the sample limit, worked examples, latency samples, sampled chains and bootstrap",
    )
    prompt_date: date = Field(
        strict=False,
        default=DEFAULT_PROMPT_DATE,
        description="the day that chat templates take for today where they ask for it, `YYYY-MM-DD`: prompts are the same whenever a "
        "cell runs. Another day runs the cells of all models with a chat template again",
    )
    allow_missing: bool = Field(
        default=False,
        description="`true`: no inference; tables and figures are made from the cells that exist, and the missing ones are named",
    )
    random_weights: RandomWeightSettings = RandomWeightSettings()
    protocol: ProtocolSettings = ProtocolSettings()
    inference: InferenceSettings = InferenceSettings()
    measurement: MeasurementSettings = MeasurementSettings()
    comparison: ComparisonSettings = ComparisonSettings()
    hardware: HardwareSettings = HardwareSettings()

    @field_validator("run")
    @classmethod
    def _not_the_published_values(cls, name: str) -> str:
        if name == "published":
            raise ValueError(
                "this folder is for figures of the paper's published values (make paper-figures); choose another name"
            )
        return name

    @model_validator(mode="after")
    def _one_answer_at_a_time(self) -> RunConfig:
        if self.protocol.one_by_one and self.inference.engine != "single":
            switch = "timing" if self.protocol.decoding == "greedy" else "decoding"
            raise ValueError(
                f"protocol.{switch}: {getattr(self.protocol, switch)} needs inference.engine: single, one sample at a time (it is "
                f"{self.inference.engine})"
            )
        if self.protocol.timing == "whole_pass" and self.inference.stop_early:
            raise ValueError(
                "protocol.timing: whole_pass times whole answers, and inference.stop_early ends them where they are read; set "
                "stop_early: false"
            )
        return self


def recorded_settings(settings: Mapping[str, object]) -> dict[str, object]:
    """A run's settings as a manifest or a bundle recorded them, less those that are retired since.

    For what was recorded only: who still writes a retired key is told what takes its place.
    """
    return {key: value for key, value in settings.items() if key not in RunConfig.retired}
