"""How a reasoning model marks its thoughts: the markers of known families, and those that a model's entry names."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from ..errors import nearest
from .settings import Settings


class Reasoning(Settings):
    """The text that opens a thought and the text that closes it."""

    open: str = Field(min_length=1, description="what a thought begins with, such as `<think>` or `## Thinking`")
    close: str = Field(min_length=1, description="what it ends with, such as `</think>` or `## Final Response`")


# As the families write them; the gpt-oss channels are special tokens (openai/harmony).
FAMILIES = {
    "think": Reasoning(open="<think>", close="</think>"),
    "thinking": Reasoning(open="<thinking>", close="</thinking>"),
    "mistral": Reasoning(open="[THINK]", close="[/THINK]"),
    "reasoning": Reasoning(open="<reasoning>", close="</reasoning>"),
    "analysis": Reasoning(open="<analysis>", close="</analysis>"),
    "huatuo": Reasoning(open="## Thinking", close="## Final Response"),
    "gpt-oss": Reasoning(open="<|channel|>analysis<|message|>", close="<|channel|>final<|message|>"),
}


def _of_family(stated: object) -> object:
    """Look a family's name up; markers themselves pass."""
    if not isinstance(stated, str):
        return stated
    if stated not in FAMILIES:
        raise ValueError(
            f"no family of markers is called {stated!r}{nearest(stated, FAMILIES)}; give 'open' and 'close' instead"
        )
    return FAMILIES[stated]


# In an entry: a family's name, or both markers.
StatedReasoning = Annotated[Reasoning, BeforeValidator(_of_family)]
