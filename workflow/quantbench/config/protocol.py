"""The points in which a run may follow the paper's authors instead of the sound protocol, each a switch of its own.

The defaults are the sound protocol (docs/protocol.md). ``config/published.yaml`` sets every switch as the authors ran their
study, as far as that is known (docs/reproduction.md says how sure each point is).
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from .settings import Settings


class Slips(Settings):
    """What the authors hardly meant to do, and what their numbers depend on all the same; only with `prompts: as_published`."""

    ncbi_asks_for_chemicals: bool = Field(
        default=False,
        description="the instruction of NCBI-disease asks for chemicals; the guide to its markup says diseases",
    )
    pubmedqa_examples_from_test: bool = Field(
        default=False, description="the worked examples of PubMedQA are taken from its own test set"
    )


class ProtocolSettings(Settings):
    """Where the run follows the paper's authors; what is left out is the sound protocol."""

    prompts: Literal["own", "as_published"] = Field(
        default="own",
        description="`own`: the templates `instruction.txt` and `cot.txt`; `as_published`: those named `as_published_*.txt`, which "
        "have the form of the authors' prompts in our words",
    )
    chat: Literal["of_model", "as_published"] = Field(
        default="of_model",
        description="`of_model`: prompts are sent as each model's entry says; `as_published`: as the `as_published` of its entry "
        "says, with or without chat template and system prompt",
    )
    system_prompt: str | None = Field(
        default=None,
        description="what models that the authors gave a system prompt are told, with `chat: as_published`",
    )
    examples: Literal["balanced", "first_rows"] = Field(
        default="balanced",
        description="`balanced`: worked examples are drawn by the seed, every label in turn; `first_rows`: the first rows of the "
        "file, for relations and questions of each label in sorted order, and the same for all samples",
    )
    decoding: Literal["greedy", "of_model"] = Field(
        default="greedy",
        description="`greedy`: the likeliest token each time; `of_model`: by the generation settings that come with each model, at "
        "`temperature`, so that models whose settings sample are sampled (needs `inference.engine: single`)",
    )
    temperature: float = Field(default=0.7, gt=0, description="of models that are sampled, with `decoding: of_model`")
    repeats: int = Field(
        default=1,
        ge=1,
        description="how often each sample is answered, the n-th time from the seed `seed` + n - 1; models whose settings are greedy "
        "answer once. Needs `decoding: of_model`",
    )
    full_dtype: Literal["of_model", "float16"] = Field(
        default="of_model",
        description="number format of full precision: that of the published weights, or float16 for all",
    )
    timing: Literal["apart", "whole_pass"] = Field(
        default="apart",
        description="`apart`: latency and memory of some samples after warm-up, before the quality pass; `whole_pass`: of all "
        "samples while they are answered, without warm-up, of the last chain where there are several (needs `inference.engine: single` and "
        "`stop_early: false`)",
    )
    slips: Slips = Slips()

    @property
    def is_sound(self) -> bool:
        """Whether no switch leaves the sound protocol."""
        return self == ProtocolSettings()

    @model_validator(mode="after")
    def _switches_that_say_nothing_alone(self) -> ProtocolSettings:
        if self.repeats > 1 and self.decoding != "of_model":
            raise ValueError(
                f"repeats is {self.repeats} and decoding is {self.decoding}, whose answers are the same each time; set decoding: of_model"
            )
        if self.system_prompt is not None and self.chat != "as_published":
            raise ValueError("system_prompt is told with chat: as_published alone; set that, or leave it out")
        wanted = [name for name, on in self.slips.model_dump().items() if on]
        if wanted and self.prompts != "as_published":
            raise ValueError(f"slips name {', '.join(wanted)}, which need prompts: as_published")
        return self
