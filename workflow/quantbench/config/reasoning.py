"""How a reasoning model marks its thoughts: the markers of known families, and those that a model's entry names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from ..errors import nearest
from .settings import Settings

# A shorter marker would also stand in answers.
_SHORTEST, _LONGEST = 3, 100


class Reasoning(Settings):
    """The text that opens a thought and the text that closes it."""

    open: str = Field(description='what a thought begins with, in quotes: `"<think>"`, `"## Thinking"`')
    close: str = Field(description='what it ends with: `"</think>"`, `"## Final Response"`')

    @field_validator("open", "close")
    @classmethod
    def _tells(cls, marker: str) -> str:
        if not _SHORTEST <= len(marker) <= _LONGEST or not any(map(str.isalpha, marker)):
            raise ValueError(
                f"a marker has {_SHORTEST} to {_LONGEST} characters, letters among them; give it as the model writes it, in quotes"
            )
        return marker

    @model_validator(mode="after")
    def _two_markers(self) -> Reasoning:
        if self.open.casefold() == self.close.casefold():
            raise ValueError(f"open and close are both {self.open!r}; name the two markers that the model writes")
        return self


# As the families write them; the gpt-oss channels are special tokens (openai/harmony).
FAMILIES = {
    "think": Reasoning(open="<think>", close="</think>"),
    "thinking": Reasoning(open="<thinking>", close="</thinking>"),
    "mistral": Reasoning(open="[THINK]", close="[/THINK]"),
    "reasoning": Reasoning(open="<reasoning>", close="</reasoning>"),
    "analysis": Reasoning(open="<analysis>", close="</analysis>"),
    "thought": Reasoning(open="<thought>", close="</thought>"),
    "scratchpad": Reasoning(open="<scratchpad>", close="</scratchpad>"),
    "seed": Reasoning(open="<seed:think>", close="</seed:think>"),
    "kimi": Reasoning(open="◁think▷", close="◁/think▷"),
    "open-thoughts": Reasoning(open="<|begin_of_thought|>", close="<|end_of_thought|>"),
    "huatuo": Reasoning(open="## Thinking", close="## Final Response"),
    "gpt-oss": Reasoning(open="<|channel|>analysis<|message|>", close="<|channel|>final<|message|>"),
}
FAMILIES_TOLD = ", ".join(f"`{name}` (`{each.open}` to `{each.close}`)" for name, each in FAMILIES.items())
if TYPE_CHECKING:
    Family = str
else:
    Family = Literal[tuple(FAMILIES)]


def of_family(stated: object) -> object:
    """Look a family's name up; markers themselves pass.

    Raises:
        ValueError: no such family, or neither a name nor markers.
    """
    if isinstance(stated, Reasoning | dict):
        return stated
    if isinstance(stated, str) and stated in FAMILIES:
        return FAMILIES[stated]
    hint = nearest(stated, FAMILIES) if isinstance(stated, str) else ""
    raise ValueError(f"neither a known family of thought markers nor open and close{hint}")


# In an entry: a family's name, or both markers.
StatedReasoning = Annotated[Reasoning, BeforeValidator(of_family, json_schema_input_type=Family | Reasoning)]
