"""How an output came about, as far as reading it depends on that."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ..config.protocol import Prompts
from ..config.reasoning import Reasoning

# Also "2." may become 2.5.
_UNFINISHED = re.compile(r"(?:\w|\d[.,])[ \t]*\Z")


@dataclass(frozen=True, slots=True)
class Origin:
    """What is known of an output besides its text.

    Attributes:
        cut: it ended at the token limit, so that its reasoning may be unfinished (``finish_reason`` is ``length``).
        reasoned: a chain of thought was asked for, so that the answer comes last.
        reasoning: the model's own thought markers, besides those of known families.
        prompts: whose form the answer was asked for in; the published one has square brackets around the answer of a chain of
            thought and a class in the tags of entities (:mod:`quantbench.tasks.published_form`).
    """

    cut: bool = False
    reasoned: bool = False
    reasoning: Reasoning | None = None
    prompts: Prompts = "own"

    def ending(self, cut: bool) -> Origin:
        """Return the origin of an output that is otherwise alike and ended at the token limit, or did not."""
        return self if cut is self.cut else replace(self, cut=cut)

    def breaks_word(self, output: str) -> bool:
        """Tell whether the last word of an output may be half of one: nothing behind it shows that it is complete."""
        return self.cut and _UNFINISHED.search(output) is not None


UNKNOWN = Origin()
