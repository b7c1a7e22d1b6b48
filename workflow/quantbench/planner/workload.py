"""How much a cell has to read and write, from the configuration alone."""

from __future__ import annotations

from dataclasses import dataclass

from ..config import reasons_first
from ..study.spec import CellSpec

# Of a test file whose rows the configuration does not state.
_UNKNOWN_ROWS = 1000
# A chain of thought ends on its own about half-way to its limit, and so does a reasoning model's thought: an assumption,
# there are no gold ones to count.
_CHAIN_PART = 0.5


@dataclass(frozen=True)
class CellWork:
    """Prompts and answers of a cell; tokens are means unless they say otherwise.

    Attributes:
        samples: test samples.
        prompt_tokens: of one prompt, worked examples included.
        longest_prompt: of the longest prompt.
        answer_tokens: of one answer, its thought included, if the model ends it like the gold one; a base model goes on to
            the limit.
        limit: most new tokens of one answer, its thought included.
        rows: answers a sample (1; the chains of self-consistency).
        batch: samples of a batch of mean prompts.
        largest_batch: samples of the batch that holds the longest prompt.
    """

    samples: int
    prompt_tokens: int
    longest_prompt: int
    answer_tokens: int
    limit: int
    rows: int
    batch: int
    largest_batch: int


def cell_work(spec: CellSpec) -> CellWork:
    """The work of one cell.

    A worked example is counted as a whole prompt with its answer, although it lacks the instructions.
    """
    tokens, limit = spec.dataset.tokens, spec.max_new_tokens
    examples = spec.cell.shots * (tokens.prompt + tokens.answer)
    prompt, longest = tokens.prompt + examples, tokens.longest_prompt + examples
    thought = round(spec.model.reasoning_tokens * _CHAIN_PART)
    answer = round(spec.answer_limit * _CHAIN_PART) if reasons_first(spec.cell.prompting) else tokens.answer
    answer = thought + min(answer, spec.answer_limit)
    if spec.model.chat_template == "none":
        answer = limit

    def batch(length: int) -> int:
        """As :func:`quantbench.engine.batches.make_plan` fills batches."""
        return max(1, min(spec.max_batch_size, spec.inference.token_budget // (spec.rows * (length + limit))))

    rows_in_file = next((file.rows for file in spec.dataset.files.get("test", []) if file.rows), _UNKNOWN_ROWS)
    samples = min(rows_in_file, spec.limit or rows_in_file)
    return CellWork(
        samples=samples,
        prompt_tokens=prompt,
        longest_prompt=longest,
        answer_tokens=answer,
        limit=limit,
        rows=spec.rows,
        batch=min(batch(prompt), samples),
        largest_batch=min(batch(longest), samples),
    )
