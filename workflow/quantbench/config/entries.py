"""The typed form of what stands in ``config/``: one model, one precision, one dataset, one study."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from .settings import Settings

Prompting = Literal["instruction", "cot", "self_consistency"]
Split = Literal["test", "train", "dev"]
Task = Literal["multi_label_classification", "named_entity_recognition", "relation_extraction", "question_answering"]
Reader = Literal["labelled_text", "token_tags", "entity_pairs", "multiple_choice", "yes_no_maybe", "records"]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
GitBlob = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]


class Architecture(Settings):
    """Facts of a transformer from its published ``config.json``; all the memory planner needs."""

    layers: int = Field(gt=0)
    hidden_size: int = Field(gt=0)
    attention_heads: int = Field(gt=0)
    key_value_heads: int = Field(gt=0)
    intermediate_size: int = Field(gt=0)
    vocab_size: int = Field(gt=0)
    context_length: int = Field(gt=0)
    tied_head: bool


class ModelEntry(Settings):
    """One language model: a hub id with a revision, a local folder, or a stand-in with random weights."""

    title: str
    family: Literal["llama", "qwen2", "phi3"]
    domain: Literal["general", "biomedical"]
    hub_id: str | None = None
    revision: str | None = None
    folder: str | None = Field(
        default=None, description="local folder, relative to the repository, instead of a hub id"
    )
    chat_template: Literal["tokenizer", "none"] = Field(
        description="'tokenizer': the template that comes with the tokenizer; 'none': a base model, prompts go in as text"
    )
    full_dtype: Literal["bfloat16", "float16", "float32"] = Field(description="number format of the precision 'full'")
    licence: str
    gated: bool = False
    demonstration: bool = Field(default=False, description="true for the embedded tiny models: never recommended")
    weights: Literal["published", "random"] = Field(
        default="published",
        description="'random': a stand-in of the same architecture, made where it runs; its answers mean nothing",
    )
    architecture: Architecture

    @property
    def has_random_weights(self) -> bool:
        """Whether this is a stand-in: memory and speed are the model's, answers mean nothing."""
        return self.weights == "random"

    @model_validator(mode="after")
    def _one_source(self) -> ModelEntry:
        sources = (self.hub_id is not None) + (self.folder is not None)
        if sources != 1 and not (self.has_random_weights and sources == 0):
            raise ValueError("give exactly one of hub_id and folder (none is needed with 'weights: random')")
        return self


class PrecisionEntry(Settings):
    """How weights are loaded.

    ``settings`` are the arguments of transformers' ``BitsAndBytesConfig``; with torchao ``config`` names one of its
    quantization configurations, and the others are its arguments.
    """

    title: str
    method: Literal["none", "bitsandbytes", "torchao"]
    note: str = ""
    settings: dict[str, bool | int | float | str] = {}
    noise_floor_of: str | None = Field(
        default=None, description="the precision this one repeats: the same loading, run under a second batch plan"
    )

    @model_validator(mode="after")
    def _torchao_names_its_configuration(self) -> PrecisionEntry:
        if self.method == "torchao" and not isinstance(self.settings.get("config"), str):
            raise ValueError(
                "method torchao needs settings.config, the name of one of its classes: Int8WeightOnlyConfig"
            )
        return self


class DataFile(Settings):
    """One acceptable file of a split: its name, its row count, and what proves its content."""

    name: str
    rows: int | None = Field(default=None, gt=0, description="records in the file; empty where it is not known")
    sha256: Sha256 | None = None
    git_blob: GitBlob | None = Field(
        default=None, description="SHA-1 git gives the content; proof where no SHA-256 is known"
    )


class HubDataset(Settings):
    """A dataset on the Hugging Face hub: which revision, which splits, and which column is what."""

    id: str
    revision: str = Field(description="a commit, so that the same rows come next year")
    subset: str | None = None
    splits: dict[Split, str] = Field(description="our split -> the split's name there")
    columns: dict[str, str] = Field(
        description="gold, inputs, and optionally sample_id and group -> column; tokens and tags stand for text and gold"
    )

    @model_validator(mode="after")
    def _complete(self) -> HubDataset:
        if "test" not in self.splits:
            raise ValueError("splits needs 'test'")
        if not ({"gold"} <= self.columns.keys() or {"tokens", "tags"} <= self.columns.keys()):
            raise ValueError("columns needs 'gold', or 'tokens' and 'tags'")
        return self


class TokenCounts(Settings):
    """How long prompts and answers of a dataset are, from which memory and time are planned before it is read."""

    prompt: int = Field(default=512, gt=0, description="mean zero-shot instruction prompt, chat template included")
    longest_prompt: int = Field(default=2048, gt=0, description="the longest of these prompts")
    answer: int = Field(default=50, gt=0, description="mean gold answer, written out")


class DatasetEntry(Settings):
    """One benchmark: task, labels, files, and the limits of its answers."""

    title: str
    task: Task
    reader: Reader
    metric: Literal["macro_f1", "entity_f1", "accuracy"]
    labels: dict[str, str] = Field(
        default={}, description="label -> one-line definition shown in prompts, in inventory order"
    )
    negative_label: str | None = None
    entity_type: str | None = Field(default=None, description="what an entity is called in the prompt, e.g. 'disease'")
    citation: str
    licence: str
    redistributable: bool = Field(
        default=False, description="true: the licence lets anyone pass the texts on, so bundles hold them"
    )
    upstream_folder: str | None = None
    hub: HubDataset | None = Field(default=None, description="a Hugging Face dataset, read as records")
    few_shot_splits: list[Split] = Field(
        default=["train", "dev"], description="first split that has a file is the pool"
    )
    max_new_tokens: dict[Prompting, Annotated[int, Field(gt=0)]]
    tokens: TokenCounts = Field(default=TokenCounts(), description="estimated by resources/token_counts.py")
    files: dict[Split, list[DataFile]]

    @property
    def lettered(self) -> bool:
        """Whether questions offer lettered options, rather than yes, no and maybe."""
        if self.task != "question_answering" or self.reader != "records":
            return self.reader == "multiple_choice"
        return not self.labels

    @model_validator(mode="after")
    def _readable(self) -> DatasetEntry:
        if self.hub is not None and self.reader != "records":
            raise ValueError("a hub dataset is read as records: give reader: records")
        decisions = {"yes", "no", "maybe"}
        if self.task == "question_answering" and self.reader == "records" and not self.labels.keys() <= decisions:
            raise ValueError(
                "labels of question_answering are some of yes, no, maybe; leave them out for lettered options"
            )
        if self.task in ("multi_label_classification", "relation_extraction") and not self.labels:
            raise ValueError(f"{self.task} needs labels")
        return self


class StudyEntry(Settings):
    """A named selection of cells and the figure it feeds. ``all`` stands for everything the run configures."""

    title: str
    figure: str | None = None
    subset_of: str | None = None
    models: list[str] | Literal["all"] = "all"
    precisions: list[str] | Literal["all"] = "all"
    datasets: list[str] | Literal["all"] = "all"
    promptings: list[Prompting] = ["instruction"]
    shots: list[Annotated[int, Field(ge=0)]] = [0]
