"""The typed form of what stands in ``config/`` beside models (:mod:`.model_entry`): one precision, one dataset, one study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, field_validator, model_validator

from .library_arguments import Argument, check_bitsandbytes, check_torchao, only_plain_values
from .place import PlaceBelow
from .settings import Settings, module_names

Prompting = Literal["instruction", "cot", "self_consistency"]
Split = Literal["test", "train", "dev"]
if TYPE_CHECKING:
    Reader = str
    Task = str
else:
    Reader = Literal[module_names("datasets/readers", "read_")]
    Task = Literal[module_names("tasks/kinds")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
GitBlob = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
# The precision of models whose published weights are quantized, and the method that leaves them as they are.
AS_PUBLISHED = "as_published"
# Of datasets whose entry states none: the smallest of the published ones, so that nothing is called preserved too easily.
DEFAULT_MARGIN = 0.02


class PrecisionEntry(Settings):
    """One precision: how weights are loaded."""

    title: str = Field(description="as tables and figures show it")
    method: Literal["none", "bitsandbytes", "torchao", "as_published"] = Field(
        description="the library that quantizes; `none`: weights as published, which are not quantized; `as_published`: weights "
        "that were published quantized, for models whose entry says so"
    )
    note: str = Field(
        default="", description="what the method really does; stands under Table 1 and in exported models"
    )
    settings: dict[str, Argument] = Field(
        default={},
        description="arguments of transformers' `BitsAndBytesConfig`, each with its type: an unknown name or value, or one without "
        "effect at that width, is refused; with torchao, `config` names one of its quantization configurations and the rest are its "
        "arguments, which are checked before weights are loaded",
    )
    noise_floor_of: str | None = Field(
        default=None,
        description="the precision this one repeats: the same loading, run under another batch plan "
        "(docs/protocol.md#noise-floor)",
    )
    plan: int | None = Field(
        default=None,
        ge=3,
        description="of a noise floor: the number of its batch plan, where it is a further one than the second; `null`: the second",
    )

    @property
    def plan_number(self) -> int:
        """Which of a cell's batch plans this precision runs under: the first, but for noise floors."""
        return 1 if self.noise_floor_of is None else self.plan or 2

    @model_validator(mode="after")
    def _only_noise_floors_have_another_plan(self) -> PrecisionEntry:
        if self.plan is not None and self.noise_floor_of is None:
            raise ValueError(
                f"plan is {self.plan}, and only a noise floor runs under another batch plan; state noise_floor_of, or leave plan out"
            )
        return self

    @field_validator("settings", mode="before")
    @classmethod
    def _plain(cls, settings: object) -> object:
        return only_plain_values(settings)

    @model_validator(mode="after")
    def _settings_are_of_their_method(self) -> PrecisionEntry:
        if self.method == "bitsandbytes":
            check_bitsandbytes(self.settings)
        elif self.method == "torchao":
            check_torchao(self.settings)
        elif self.settings:
            raise ValueError(f"method {self.method} takes no settings, and settings names {', '.join(self.settings)}")
        return self


class DataFile(Settings):
    """One acceptable file of a split: its name, its row count, and what proves its content."""

    name: PlaceBelow = Field(description="of the file in the dataset's folder")
    rows: int | None = Field(default=None, gt=0, description="records in the file; `null` where they are not known")
    sha256: Sha256 | None = Field(default=None, description="of the content; `null`: see `git_blob`")
    git_blob: GitBlob | None = Field(
        default=None,
        description="the id git gives the content (SHA-1); proof where no SHA-256 is known. A file with neither, your own, is "
        "checked by its rows and format alone",
    )
    documents: str | None = Field(
        default=None,
        description="of token tags: a CSV file (`first_sentence`, `pmid`) that says which document each sentence is from, relative to "
        "the working directory or the shipped catalogue. It is used only for a file with this `sha256` and these `rows`; `null`: the "
        "file says it itself, or nothing is known",
    )

    @model_validator(mode="after")
    def _documents_are_of_this_file(self) -> DataFile:
        missing = [name for name in ("rows", "sha256") if getattr(self, name) is None]
        if self.documents is not None and missing:
            raise ValueError(
                f"documents is {self.documents!r}, and {' and '.join(missing)} of {self.name} are not stated, so nothing proves that "
                "they belong together; state them"
            )
        return self


class HubDataset(Settings):
    """A dataset on the Hugging Face hub: which revision, which splits, and which column is what."""

    id: str = Field(description="`<owner>/<name>` there")
    revision: str = Field(description="a commit, so that the same rows come next year")
    subset: str | None = Field(default=None, description="the configuration's name there, where it has several")
    splits: dict[Split, str] = Field(description="`test`, `train`, `dev`: what the split is called there")
    columns: dict[str, str] = Field(
        description="the column for `gold`, each input, and optionally `sample_id` and `group`; `tokens` and `tags` stand for "
        "text and gold"
    )

    @model_validator(mode="after")
    def _complete(self) -> HubDataset:
        if "test" not in self.splits:
            raise ValueError("splits needs 'test'")
        if not ({"gold"} <= self.columns.keys() or {"tokens", "tags"} <= self.columns.keys()):
            raise ValueError("columns needs 'gold', or 'tokens' and 'tags'")
        return self


class TokenCounts(Settings):
    """How long prompts and answers of a dataset are, in tokens."""

    prompt: int = Field(default=512, gt=0, description="mean zero-shot instruction prompt, chat template included")
    longest_prompt: int = Field(default=2048, gt=0, description="the longest of these prompts")
    answer: int = Field(default=50, gt=0, description="mean gold answer, written out")


class TestSetCounts(Settings):
    """What a test set's intervals rest on."""

    __test__ = False  # no class of tests, whatever its name says

    units: int = Field(
        gt=0,
        description="documents the samples are from, or what else is taken as independent (docs/protocol.md#intervals)",
    )
    support: list[Annotated[int, Field(gt=0)]] = Field(
        min_length=1,
        description="samples whose gold answer has each label, in the order of `labels`; of entities, the gold mentions; elsewhere the "
        "samples",
    )


class DatasetEntry(Settings):
    """One benchmark: task, labels, files, and the limits of its answers."""

    title: str = Field(description="as tables and figures show it")
    task: Task = Field(
        description="what is asked, which decides how answers are read and judged: a module of `tasks/kinds/`"
    )
    reader: Reader = Field(
        description="the format of the files: five published ones, or `records`, a dataset of your own (docs/own-datasets.md)"
    )
    metric: str = Field(
        description="`macro_f1`, `entity_f1`, `accuracy` (docs/protocol.md#metrics), or what tasks/metrics.py has besides"
    )
    margin: float = Field(
        default=DEFAULT_MARGIN,
        gt=0,
        lt=1,
        description="largest loss of score, absolute, that is negligible here, and still called preserved (docs/protocol.md#margins); choose "
        "it before looking at results",
    )
    labels: dict[str, str] = Field(
        default={}, description="each label's one-line definition, as prompts show it, in inventory order"
    )
    negative_label: str | None = Field(
        default=None, description="the class that stands for no relation; a second macro F1 leaves it out"
    )
    entity_type: str | None = Field(default=None, description="what an entity is called in the prompt: `disease`")
    citation: str = Field(description="who published the dataset, in words")
    licence: str = Field(description="of the texts, in words")
    redistributable: bool = Field(
        default=False, description="`true`: the licence lets anyone pass the texts on, so bundles hold them"
    )
    private: bool | None = Field(
        default=None,
        description="`true`: neither texts nor outputs nor names of samples ever stand in a bundle or the report, whatever the run's "
        "`data.texts_in_bundles` says (docs/privacy.md). `null`: so where the dataset is no published one (no `upstream_folder`, no `hub`) and "
        "not `redistributable`, and where a `files.yaml` in `data.folder` names its files; say `false` there if they are a published "
        "dataset's",
    )
    upstream_folder: str | None = Field(
        default=None,
        description="a published dataset's folder in the pinned source; `null`: nothing is downloaded from there",
    )
    hub: HubDataset | None = Field(default=None, description="a Hugging Face dataset, read as records")
    few_shot_splits: list[Split] = Field(
        default=["train", "dev"],
        description="where worked examples come from: the first of these splits that has a file",
    )
    max_new_tokens: dict[Prompting, Annotated[int, Field(gt=0)]] = Field(
        description="most new tokens of one answer, for each of `instruction`, `cot` and `self_consistency`; a model's "
        "`reasoning_tokens` come on top"
    )
    tokens: TokenCounts = Field(
        default=TokenCounts(),
        description="lengths of prompts and answers, estimated by `resources/token_counts.py`, from which memory and time are "
        "planned before the dataset is read",
    )
    test_set: TestSetCounts | None = Field(
        default=None,
        description="counts of the whole test set, estimated by `resources/token_counts.py`, from which `quantbench plan --power` says what "
        "a run can decide before the dataset is read; `null`: each sample counts by itself, and labels are taken as equally frequent",
    )
    files: dict[Split, list[DataFile]] = Field(
        description="for each split (`test`, `train`, `dev`) the acceptable files, in order of preference"
    )

    @property
    def is_private(self) -> bool:
        """Whether nothing of its texts may leave, unless the entry says otherwise: nobody but its owner has published them."""
        if self.private is not None:
            return self.private
        return not self.redistributable and self.upstream_folder is None and self.hub is None

    @property
    def has_classes(self) -> bool:
        """Whether answers are labels that mean the same in each sample, two or more of them."""
        return self.reader == "yes_no_maybe" or len(self.labels) > 1

    @model_validator(mode="after")
    def _readable(self) -> DatasetEntry:
        if self.hub is not None and self.reader != "records":
            raise ValueError("a hub dataset is read as records: give reader: records")
        return self


class StudyEntry(Settings):
    """A named selection of cells and the figure it feeds. ``all`` stands for everything the run configures."""

    title: str = Field(description="what the study asks, in words")
    figure: str | None = Field(default=None, description="the module of `figures/` that draws it; `null`: tables only")
    subset_of: str | None = Field(
        default=None,
        description="a study whose cells hold this one's: it adds none, and is drawn whenever that one runs",
    )
    models: list[str] | Literal["all"] = Field(default="all", description="its models; `all`: those of the run")
    precisions: list[str] | Literal["all"] = Field(
        default="all", description="its precisions; `all`: those of the run, noise floors left out"
    )
    datasets: list[str] | Literal["all"] = Field(default="all", description="its datasets; `all`: those of the run")
    promptings: list[Prompting] = Field(
        default=["instruction"],
        description="`instruction`: answer at once; `cot`: reason first; `self_consistency`: the majority of several chains",
    )
    shots: list[Annotated[int, Field(ge=0)]] = Field(
        default=[0], description="numbers of worked examples in the prompt"
    )
