"""One language model of the catalogue, ``config/models/<name>.yaml``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import ConfigDict, Field, JsonValue, model_validator

from .architecture import UNCOUNTED_FAMILIES, Architecture, Counts, counted_by_formula
from .entries import AS_PUBLISHED
from .reasoning import FAMILIES, FAMILIES_TOLD, StatedReasoning
from .settings import Settings

if TYPE_CHECKING:
    from .entries import PrecisionEntry


class PublishedUse(Settings):
    """How the paper's authors asked this model, as far as that is known; for runs with `protocol.chat: as_published` alone."""

    chat_template: Literal["tokenizer", "none"] = Field(
        description="`tokenizer`: their prompts went through the template that comes with the tokenizer; `none`: in as text"
    )
    system_prompt: bool = Field(default=False, description="whether they gave it a system prompt of their own")
    reasoning_tokens: int | None = Field(
        default=None,
        ge=0,
        description="room that its thoughts had beside the answer; `null`: what the entry's own says",
    )

    @model_validator(mode="after")
    def _told_by_a_template(self) -> PublishedUse:
        if self.system_prompt and self.chat_template == "none":
            raise ValueError(
                "system_prompt is true, which only a chat template can tell; give chat_template: tokenizer"
            )
        return self


class ModelEntry(Settings):
    """One language model: a hub id with a revision, a local folder, or a stand-in with random weights."""

    # A maker's config.json may hold infinities, as Mamba's time_step_limit; our own numbers have bounds.
    model_config = ConfigDict(allow_inf_nan=True)

    title: str = Field(description="as tables and figures show it")
    family: str = Field(description="the architecture, as transformers calls it: `model_type`")
    domain: Literal["general", "biomedical"] = Field(
        description="what the model was trained for, which Figure 3 compares"
    )
    hub_id: str | None = Field(default=None, description="`<owner>/<name>` on the Hugging Face hub")
    revision: str | None = Field(
        default=None, description="branch, tag or commit there; `quantbench lock` pins what it stands for"
    )
    folder: str | None = Field(
        default=None,
        description="a local folder, relative to the repository or to one's home (`~`), instead of a hub id",
    )
    chat_template: Literal["tokenizer", "none"] = Field(
        description="`tokenizer`: the template that comes with the tokenizer; `none`: a base model, prompts go in as text"
    )
    chat_template_name: str | None = Field(
        default=None,
        description="which one is meant where the tokenizer has several; `null`: the one named `default`",
    )
    system_prompt: str | None = Field(
        default=None,
        description="what the chat template is told as system prompt; `null`: nothing, so that the template's own default holds",
    )
    start_token: bool | None = Field(
        default=None,
        description="whether the model was trained on texts that begin with a start token (`bos_token`): `true`, every prompt must "
        "have exactly one, at its beginning; `false`, none there; `null`: not known, one where the tokenizer adds it by itself",
    )
    enable_thinking: bool | None = Field(
        default=None,
        description="what the chat template is told as `enable_thinking`, the switch of models that think or do not; `null`: "
        "nothing, so that the template's own default holds",
    )
    reasoning: StatedReasoning | None = Field(
        default=None,
        description="how the model marks its thoughts: the name of a known family, or `open` and `close`. A thought is never an "
        "answer; the markers of all known families count in every model's outputs, but only those named here are kept where they "
        f"are special tokens. Families: {FAMILIES_TOLD}",
    )
    reasoning_tokens: int = Field(
        default=0,
        ge=0,
        description="most new tokens of a thought: they come on top of the dataset's `max_new_tokens`, whatever the prompting",
    )
    as_published: PublishedUse | None = None
    full_dtype: Literal["bfloat16", "float16", "float32"] = Field(
        description="number format of the published weights, and so of the precision `full`"
    )
    precision: Literal["as_published"] | None = Field(
        default=None,
        description="`as_published`: the published weights are quantized (GPTQ, AWQ, FP8, MXFP4, bitsandbytes and so on), so the "
        "model runs at that precision and at no other; `null`: they are not, and it runs at every other",
    )
    stored_bytes: int | None = Field(
        default=None,
        gt=0,
        description="what weights that were published quantized take in their files, by which their memory is planned; `null`: as "
        "if they had 16 bits",
    )
    licence: str = Field(description="of the weights, in words; recommendations and exported models repeat it")
    gated: bool = Field(
        default=False, description="`true`: the hub gives the weights only to accounts that accepted a licence"
    )
    demonstration: bool = Field(
        default=False, description="`true` for the embedded tiny models, which are never recommended"
    )
    weights: Literal["published", "random"] = Field(
        default="published",
        description="`random`: a stand-in of the same architecture, made where it runs, which needs neither hub id nor folder; its "
        "answers mean nothing",
    )
    architecture: Architecture
    counts: Counts | None = Field(
        default=None,
        description="numbers of weights by kind, from which memory and time are planned; `null`, as in entries of earlier versions: "
        f"by formula, for {', '.join(UNCOUNTED_FAMILIES)} alone",
    )
    config_json: dict[str, JsonValue] = Field(
        default={},
        description="what else of `config.json` makes a stand-in of this architecture; written by `quantbench add-model`",
    )

    @property
    def counted(self) -> Counts:
        """The numbers of its weights."""
        return self.counts or counted_by_formula(self.family, self.architecture)

    @property
    def has_random_weights(self) -> bool:
        """Whether this is a stand-in: memory and speed are the model's, answers mean nothing."""
        return self.weights == "random"

    def runs_at(self, precision: PrecisionEntry) -> bool:
        """Whether the model can be loaded at a precision: published quantized weights only as they are, others never so."""
        return (self.precision == AS_PUBLISHED) == (precision.method == AS_PUBLISHED)

    @model_validator(mode="after")
    def _random_weights_are_not_published(self) -> ModelEntry:
        if self.has_random_weights and self.precision is not None:
            raise ValueError(
                f"precision is {self.precision}, and weights: random are not published; take one of them out"
            )
        return self

    @model_validator(mode="after")
    def _one_source(self) -> ModelEntry:
        sources = (self.hub_id is not None) + (self.folder is not None)
        if sources != 1 and not (self.has_random_weights and sources == 0):
            raise ValueError("give exactly one of hub_id and folder (none is needed with 'weights: random')")
        return self

    @model_validator(mode="after")
    def _weights_are_counted(self) -> ModelEntry:
        if self.counts is None and self.family not in UNCOUNTED_FAMILIES:
            raise ValueError(
                f"counts are missing, and family {self.family} is planned by nothing else; `quantbench add-model` writes an entry "
                "with them from the model's config.json"
            )
        return self

    @model_validator(mode="after")
    def _thoughts_are_possible(self) -> ModelEntry:
        if self.enable_thinking is not None and self.chat_template == "none":
            raise ValueError(
                f"enable_thinking is {str(self.enable_thinking).lower()}, which only a chat template can be told; leave it out, or "
                "give chat_template: tokenizer"
            )
        if self.chat_template_name is not None and self.chat_template == "none":
            raise ValueError(
                f"chat_template_name is {self.chat_template_name!r}, and chat_template: none asks for no template; leave one of "
                "them out"
            )
        if self.system_prompt is not None and self.chat_template == "none":
            raise ValueError(
                "system_prompt is told by a chat template, and chat_template: none asks for no template; leave one of them out"
            )
        if self.reasoning_tokens and self.enable_thinking is False:
            raise ValueError(
                f"reasoning_tokens is {self.reasoning_tokens}, and enable_thinking: false asks for no thoughts; leave one of them "
                "out"
            )
        if self.reasoning_tokens and self.reasoning is None:
            raise ValueError(
                f"reasoning_tokens is {self.reasoning_tokens}, and reasoning does not say how thoughts are marked; name a family "
                f"({', '.join(FAMILIES)}), or give open and close"
            )
        if self.reasoning_tokens >= self.architecture.context_length:
            raise ValueError(
                f"reasoning_tokens is {self.reasoning_tokens}, and the model's context_length {self.architecture.context_length} "
                "must hold prompt, thought and answer; lower it"
            )
        return self
