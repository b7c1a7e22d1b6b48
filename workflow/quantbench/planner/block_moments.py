"""The fullest moment of one block while rows of tokens go through it: what attention and feed-forward part hold, step by step.

Blocks run one after another, so a device holds this once. Which step is the fullest depends on sizes and precision; each is
written down as what is alive then, and the largest counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .nf4_kernels import Matrix, copies
from .setting import Setting
from .weight_bytes import HALF, SCALED, is_doubly_quantized, is_int8, is_int8_weight_only, is_nf4

_INT8, _INT32, _FLOAT32 = 1, 4, 4  # bytes
# Numbers in a row of the mask that attention kernels take: a multiple of this (`preprocess_mask` of PyTorch's
# `transformers/attention.cpp`).
_ALIGNED = 8


@dataclass(frozen=True)
class Moment:
    """Bytes of intermediate results, and of a 16-bit copy of the matrix at work with its unpacked scales."""

    activations: float
    copy: float = 0.0

    @property
    def bytes(self) -> float:
        """Both."""
        return self.activations + self.copy


@dataclass(frozen=True)
class Passage:
    """Tokens that go through a block at once.

    Attributes:
        batch: rows.
        tokens: of each row that go through.
        context: of each row in all, those in the cache included.
        masked: whether attention gets a mask.
    """

    batch: int
    tokens: int
    context: int
    masked: bool

    @property
    def rows(self) -> int:
        """Rows that a linear layer multiplies."""
        return self.batch * self.tokens

    @property
    def mask(self) -> int:
        """Bytes of the mask: one a pair of tokens."""
        return self.rows * self.context if self.masked else 0


def prefix_passage(setting: Setting) -> Passage:
    """What all prompts begin with, read once."""
    shared = setting.workload.shared_tokens
    return Passage(1, shared, shared, masked=False)


def prompt_passage(setting: Setting) -> Passage:
    """The prompts, as they are read."""
    work = setting.workload
    # A window that a prompt outgrows needs a mask too.
    masked = work.padded or work.prompt_tokens > (setting.counts.window or work.prompt_tokens)
    return Passage(work.batch, work.read, work.prompt_tokens - (work.chains > 1), masked)


def answer_passage(setting: Setting) -> Passage:
    """One written token of each output, at its end."""
    work = setting.workload
    return Passage(work.rows, 1, work.capacity - 1, masked=work.batch > 1)


def fullest_moment(setting: Setting, passage: Passage) -> Moment:
    """The fullest moment of a block, in bytes."""
    facts, width = setting.facts, setting.width
    # Cosine and sine of each position, for the rotary embedding.
    around = 2 * facts.size_of_head * passage.rows * width + passage.mask
    steps = [*_attention(setting, passage), *_feed_forward(setting, passage)]
    fullest = max(steps, key=lambda step: step.bytes)
    return Moment(around + fullest.activations, fullest.copy)


def _attention(setting: Setting, passage: Passage) -> Iterator[Moment]:
    """Beside the block's input and that, normalized: queries, keys, values and result."""
    facts, width, rows = setting.facts, setting.width, passage.rows
    before = 2 * facts.hidden_size * rows * width
    heads = facts.attention_heads * facts.size_of_head
    keys = facts.key_value_heads * facts.size_of_head
    projected = heads + (2 * keys if setting.fused else 0)
    yield Moment(before + projected * rows * width, _copy(setting, Matrix(projected, facts.hidden_size), rows))
    # Rotated queries, beside the projection that they were sliced from; then the result, which the output projection multiplies.
    queries = before + (heads + (projected if setting.fused else 0)) * rows * width
    result = heads * rows * width
    output = facts.hidden_size * rows * width
    yield Moment(queries + result + output, _copy(setting, Matrix(facts.hidden_size, heads), rows))
    pairs = passage.batch * passage.context
    queries += 2 * heads * pairs * width if keys < heads else 0  # keys and values repeated for every query head
    if setting.counts.holds_scores:
        # Without a kernel of its own: scores, masked, and their softmax.
        yield Moment(queries + result + 3 * facts.attention_heads * pairs * passage.tokens * width)
    elif passage.masked and passage.tokens > 1:
        # The mask as 16-bit numbers to add to the scores, in rows that are then brought to a multiple of eight.
        aligned = -(-passage.context // _ALIGNED) * _ALIGNED
        mask = HALF * passage.rows * aligned
        yield Moment(
            queries + mask + max(result, 0 if aligned == passage.context else HALF * passage.rows * passage.context)
        )


def _feed_forward(setting: Setting, passage: Passage) -> Iterator[Moment]:
    """Steps of ``down(activation(gate(x)) * up(x))`` beside the block's input, the sum after attention and that, normalized.

    Where gate and up come from one matrix, their joint output stays under its two halves to the end.
    """
    facts, counts, width, rows = setting.facts, setting.counts, setting.width, passage.rows
    before = 3 * facts.hidden_size * rows * width
    if counts.experts_a_token:
        # A token's experts at once, at 16 bits: its copies, the joint gate and up projection, its activated half, the product.
        experts = counts.experts_a_token * facts.hidden_size + 4 * counts.expert_intermediate
        yield Moment(before + experts * rows * width)
        return
    inner = facts.intermediate_size * rows * width
    into = Matrix(counts.largest_matrix // facts.hidden_size, facts.hidden_size)
    out = Matrix(facts.hidden_size, facts.intermediate_size)
    # The up projection, beside the activated gate; then the product, beside both; then the down projection.
    yield Moment(before + 2 * inner, _copy(setting, into, rows))
    yield Moment(before + (4 if setting.fused else 3) * inner)
    yield Moment(
        before + (3 if setting.fused else 1) * inner + facts.hidden_size * rows * width, _copy(setting, out, rows)
    )
    if is_int8(setting.precision):
        # The up projection's sums in 32 bits, and its 8-bit input.
        sums = (2 if setting.fused else 1) * facts.intermediate_size * rows * _INT32
        yield Moment(before + 2 * inner + sums + facts.hidden_size * rows * _INT8)


def _copy(setting: Setting, matrix: Matrix, rows: int) -> float:
    """Bytes of the 16-bit copy of a quantized matrix that so many rows are multiplied by, and of its unpacked scales."""
    if is_int8_weight_only(setting.precision):
        return matrix.size * setting.width
    if not is_nf4(setting.precision):
        return 0.0
    if not (copies(matrix, rows, setting.gpu) if setting.libraries.nf4_kernel else rows > 1):
        return 0.0
    unpacked = setting.libraries.unpacked_scales if is_doubly_quantized(setting.precision) else 0
    return matrix.size * (setting.width + unpacked * _FLOAT32 / SCALED)
