"""The terms of one device's peak, in bytes; the docstring of each gives the reason of its formula.

What is alive differs between two stages. While the ``prompt`` is read every prompt token goes through each layer at once,
so activations are large. While the ``answer`` is written one token goes through, the cache is longest and logits exist.
A device's peak is the larger of its two sums. Layers run one after another, so a device holds the activations of one
layer at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

from .device_part import DevicePart
from .setting import Setting
from .weight_bytes import (
    is_int8,
    is_int8_weight_only,
    is_nf4,
    payload_bytes,
    published_bytes,
    row_scale_bytes,
    scale_bytes,
)

Stage = Literal["prompt", "answer"]

# LLM.int8's outliers are about 0.1% of all features (Dettmers et al. 2022, abstract and section 4).
OUTLIER_SHARE = 0.001
# cuBLAS workspace a device, as PyTorch sets it before Hopper: CUBLAS_WORKSPACE_CONFIG=:4096:2:16:8, in KiB.
CUBLAS_WORKSPACE = (4096 * 2 + 16 * 8) * 1024
_INT8, _INT32, _FLOAT32 = 1, 4, 4  # bytes


def weights(setting: Setting, part: DevicePart, stage: Stage) -> float:
    """All weights as stored: linear layers at the precision; embeddings, output head and experts never quantized."""
    counts = setting.counts
    tables = counts.tables * setting.width * _tables(setting, part)
    published = published_bytes(setting.model, setting.precision)
    if published is not None:
        return tables + (published - counts.tables * setting.width) * _blocks(setting, part)
    linear = counts.linear * payload_bytes(setting.precision, setting.width)
    return tables + (linear + counts.experts * setting.width) * _blocks(setting, part)


def quantization_state(setting: Setting, part: DevicePart, stage: Stage) -> float:
    """Scales that turn stored weights back into numbers: NF4's a block of 64 weights, LLM.int8's a row of a layer."""
    blocks = setting.counts.linear * scale_bytes(setting.precision)
    return (blocks + row_scale_bytes(setting.counts, setting.precision)) * _blocks(setting, part)


def kv_cache(setting: Setting, part: DevicePart, stage: Stage) -> float:
    """A key and a value of every layer, key-value head and token so far, for each row of the batch.

    Layers with a sliding window keep its last tokens. While the prompt is read they hold all of it: what they keep is a
    view (transformers' ``DynamicSlidingWindowLayer``), which the first written token replaces by a copy.
    """
    counts, work = setting.counts, setting.workload
    tokens = work.prompt_tokens + (work.new_tokens if stage == "answer" else 0)
    in_window = min(tokens, counts.window or tokens) if stage == "answer" else tokens
    a_row = (counts.cached * tokens + counts.cached_in_window * in_window) * setting.width
    return a_row * work.batch * _blocks(setting, part)


def kept_projections(setting: Setting, part: DevicePart, stage: Stage) -> float:
    """Queries and keys that a cache of views keeps alive beside the values, in models with a fused projection.

    There the values are a slice of the projection's output, and a slice keeps the whole output. The keys are copied by
    the rotary embedding, so the slice's queries and keys are all surplus. The first written token copies the cache,
    which ends it.
    """
    if stage == "answer" or not (setting.fused and setting.libraries.cache_keeps_projections):
        return 0.0
    facts, work = setting.facts, setting.workload
    surplus = (facts.attention_heads + facts.key_value_heads) * facts.size_of_head
    return part.blocks * surplus * setting.width * work.prompt_tokens * work.batch


def activations(setting: Setting, part: DevicePart, stage: Stage) -> float:
    """One layer's intermediate results at its fullest moment (:func:`_moment`), ; with the embedding, the embedded prompt.

    The embedded prompt is held by the model's ``forward`` until its last layer is done.
    """
    embedded = setting.facts.hidden_size * _rows(setting, stage) * setting.width if part.embedding else 0
    return (_moment(setting, stage)[0] if part.blocks else 0.0) + embedded


def dequantization_buffer(setting: Setting, part: DevicePart, stage: Stage) -> float:
    """A 16-bit copy of the whole weight matrix, made for the call: NF4 and weight-only int8 multiply by it.

    The largest matrix counts: the up projection, or gate and up in one where they are fused. NF4 multiplies a single row
    without a copy.
    """
    return _moment(setting, stage)[1] if part.blocks else 0.0


def outlier_copies(setting: Setting, part: DevicePart, stage: Stage) -> float:
    """16-bit copies of the weight columns that LLM.int8 multiplies outside of 8 bits (0.1% of the columns).

    How many columns are outliers depends on model and text; this is the share its authors give. Where the copies stay
    there is one for every linear layer; else one at a time, with its int8 and float32 forms.
    """
    if not setting.finds_outliers:
        return 0.0
    if setting.libraries.outlier_copies_stay:
        return OUTLIER_SHARE * setting.counts.linear * setting.width * _blocks(setting, part)
    a_number = _INT8 + _FLOAT32 + setting.width
    return OUTLIER_SHARE * setting.counts.largest_matrix * a_number if part.blocks else 0.0


def logits(setting: Setting, part: DevicePart, stage: Stage) -> float:
    """One score a vocabulary entry for each row's last token, and the float32 copy that ``generate`` chooses from.

    ``generate`` asks for the last position only, so the prompt's length does not enter.
    """
    if stage == "prompt" or not part.head:
        return 0.0
    return setting.workload.batch * setting.facts.vocab_size * (setting.width + _FLOAT32)


def allocator_base(setting: Setting, part: DevicePart, stage: Stage) -> float:
    """What PyTorch allocates on a device that multiplies, before anything else: the workspace of cuBLAS, 8.1 MiB."""
    return CUBLAS_WORKSPACE if part.blocks or part.head else 0.0


TERMS: dict[str, Callable[[Setting, DevicePart, Stage], float]] = {
    "weights": weights,
    "quantization_state": quantization_state,
    "kv_cache": kv_cache,
    "kept_projections": kept_projections,
    "activations": activations,
    "dequantization_buffer": dequantization_buffer,
    "outlier_copies": outlier_copies,
    "logits": logits,
    "allocator_base": allocator_base,
}


def stage_terms(setting: Setting, part: DevicePart, stage: Stage) -> dict[str, float]:
    """Bytes by term on a device in a stage; all 0 where it holds nothing."""
    return {name: 0.0 if part.is_empty else float(term(setting, part, stage)) for name, term in TERMS.items()}


def peak_on(setting: Setting, part: DevicePart) -> float:
    """Bytes the allocator holds on a device at its peak."""
    return max(sum(stage_terms(setting, part, stage).values()) for stage in get_args(Stage))


def _blocks(setting: Setting, part: DevicePart) -> float:
    """The share of all blocks on the device (0 to 1)."""
    return part.blocks / setting.facts.layers


def _tables(setting: Setting, part: DevicePart) -> float:
    """The share of the weights of embedding and output head on the device (0 to 1); a tied head has none of its own."""
    if setting.facts.tied_head:
        return float(part.embedding)
    return (part.embedding + part.head) / 2


def _rows(setting: Setting, stage: Stage) -> int:
    """Tokens that go through a layer at once: the whole prompts, then one token a sample."""
    return setting.workload.batch * (setting.workload.prompt_tokens if stage == "prompt" else 1)


def _moment(setting: Setting, stage: Stage) -> tuple[float, float]:
    """Activations and dequantization buffer of one device at a layer's fullest moment.

    While the prompt is read that is the feed-forward part: attention holds four tensors of hidden size (rotated queries,
    repeated keys and values, output), fewer than the three or four of intermediate size here.
    """
    facts, work = setting.facts, setting.workload
    rows = _rows(setting, stage)
    # The layer's input, which the loop over layers holds; the sum after attention; and that sum, normalized. Beside them
    # cosine and sine of each position for the rotary embedding.
    hidden = (3 * facts.hidden_size + 2 * facts.size_of_head) * rows * setting.width
    inner, buffer = max(_feed_forward(setting, rows), key=sum)
    if stage == "answer":
        inner, buffer = max((inner, buffer), (_attention_over_cache(setting), 0.0), key=sum)
        return hidden + inner, buffer
    if setting.counts.holds_scores:
        inner, buffer = max((inner, buffer), (_scores(setting), 0.0), key=sum)
    # Rows of different lengths need a mask, and so does a window that a prompt outgrows: one byte a pair of tokens.
    masked = work.batch > 1 or work.prompt_tokens > (setting.counts.window or work.prompt_tokens)
    return hidden + inner + (work.prompt_tokens**2 * work.batch if masked else 0), buffer


def _feed_forward(setting: Setting, rows: int) -> list[tuple[float, float]]:
    """Candidates for the fullest moment of ``down(activation(gate(x)) * up(x))``: (activations, buffer) in bytes.

    - The product: activated gate, up and their product; where fused, the joint output stays under its two halves.
    - The multiplication before it, at a quantized precision: the activated gate and up (or the joint output), with the
      16-bit copy of the matrix that NF4 and weight-only int8 make, or with LLM.int8's 32-bit sums of the same shape and its 8-bit input.
    """
    facts, width = setting.facts, setting.width
    experts = setting.counts.experts_a_token
    if experts:
        # A token's experts at once, at 16 bits: its copies, the joint gate and up projection, its activated half, the product.
        return [((experts * facts.hidden_size + 4 * setting.counts.expert_intermediate) * rows * width, 0.0)]
    intermediate = facts.intermediate_size * rows
    product = (4 if setting.fused else 3) * intermediate * width
    outputs = 2 * intermediate * width
    candidates: list[tuple[float, float]] = [(product, 0.0)]
    if is_nf4(setting.precision):
        candidates.append((outputs, setting.counts.largest_matrix * width if rows > 1 else 0.0))
    if is_int8_weight_only(setting.precision):
        candidates.append((outputs, setting.counts.largest_matrix * width))
    if is_int8(setting.precision):
        sums = (2 if setting.fused else 1) * intermediate * _INT32
        candidates.append((outputs + sums + facts.hidden_size * rows * _INT8, 0.0))
    return candidates


def _scores(setting: Setting) -> float:
    """One layer's attention over the whole prompt without a kernel of its own: scores, masked, and their softmax."""
    work = setting.workload
    return 3 * setting.facts.attention_heads * work.prompt_tokens**2 * work.batch * setting.width


def _attention_over_cache(setting: Setting) -> float:
    """One layer's keys and values repeated for every query head, for one written token over the whole cache."""
    facts, work = setting.facts, setting.workload
    tokens = (work.prompt_tokens + work.new_tokens) * work.batch
    return 2 * facts.attention_heads * facts.size_of_head * tokens * setting.width
