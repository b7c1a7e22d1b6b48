"""Relation extraction: exactly one class of the inventory.

Conventions (docs/protocol.md#answers; where it is silent, decided here):

- A class counts in any case and spacing (``cpr 4``, ``ddi_effect``), without its prefix (``effect``, ``4``) where it stands as
  an answer (alone, first, quoted, after a colon), since such words also occur in prose, with a slip of spelling
  (``DDI-advice``) as a whole answer, and by its definition, verbatim or nearly. Another paraphrase (``inhibitor``) or a word
  outside (``none``) is no answer.
- What counts as an answer, and which statement of several, is the same in all tasks (:mod:`quantbench.tasks.statements`).
- Two classes offered together (``A or B``, a list of several) are no answer, unless a stronger statement decides.
- No answer is wrong for its gold class and a prediction of none; it is never mapped to the negative class.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import JsonValue

from ...config import DatasetEntry
from ...contracts.records import Sample
from .. import text as reading
from ..classes import Classes
from ..evidence import decide
from ..extent import both_ends
from ..metrics import Counts, single_label_counts
from ..names import Inventory
from ..origin import Origin
from ..samples import Inputs, SamplesOf, known_label
from ..task import Answer, TaskOf


class Samples(SamplesOf[str | None]):
    """A sentence with the pair marked in it; one class of the inventory."""

    inputs = ("sentence",)
    needs_labels = True
    unit = "pair"

    def read_gold(self, stated: JsonValue, inputs: Inputs) -> str:
        """Take one class."""
        return known_label(stated, self.labels)


class Task(TaskOf[str | None]):
    """One class per sample; macro F1 over the whole inventory, the negative class included."""

    empty: str | None = None

    def __init__(self, entry: DatasetEntry) -> None:
        super().__init__(entry, list(entry.labels))
        self._classes = Classes(Inventory(self.entry.labels, short_names=True))

    def read(self, raw: str, sample: Sample, origin: Origin) -> Answer[str | None]:
        """Read the one class an output names; see the module's conventions."""
        text = reading.normalise(reading.ticked_only(both_ends(reading.visible(raw, origin.reasoning))))
        text = reading.without_echo(text, str(sample.inputs.get("sentence", "")), self.entry.labels)
        head, invented = reading.split_examples(text, origin)
        # Where the limit is that short, the whole output is the word.
        breaks_word = origin.breaks_word(raw) and not self.read_strict(raw, sample).ok
        value = decide(head, self._classes, origin, breaks_word, invented)
        return self.no_answer() if value is None else Answer(value, True)

    def read_strict(self, raw: str, sample: Sample) -> Answer[str | None]:
        """Accept the class exactly as the inventory writes it, alone on its line."""
        line = reading.exact_line(raw)
        return Answer(line, True) if line in self.labels else self.no_answer()

    def render(self, gold: str | None, sample: Sample) -> str:
        """Return the class."""
        return str(gold)

    def options(self, sample: Sample) -> tuple[str, ...]:
        """The inventory."""
        return self.labels

    def counts(self, answers: Sequence[str | None], golds: Sequence[str | None]) -> Counts:
        """One row a class; no answer is a false negative of its gold class only."""
        return single_label_counts(answers, golds, self.labels)

    def check_gold(self, sample: Sample) -> str | None:
        """The gold class must be in the inventory."""
        if isinstance(sample.gold, str) and sample.gold in self.labels:
            return None
        return f"gold {sample.gold!r} is none of {', '.join(self.labels)}"
