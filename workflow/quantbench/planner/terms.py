"""The terms of the peak, in bytes summed over the devices, and the plan they add up to.

The docstring of each term gives the reason of its formula.

What is alive differs between two stages. While the ``prompt`` is read every prompt token goes through each layer at once,
so activations are large. While the ``answer`` is written one token goes through, the cache is longest and logits exist.
The peak is the larger of the two sums. Layers run one after another, so a device holds the activations of one layer at
a time; but each device of several meets its own peak, and the devices' peaks add up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

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


def weights(setting: Setting, stage: Stage) -> float:
    """All weights as stored: linear layers at the precision; embeddings, output head and experts never quantized."""
    published = published_bytes(setting.model, setting.precision)
    if published is not None:
        return published
    counts = setting.counts
    linear = counts.linear * payload_bytes(setting.precision, setting.width)
    return linear + (counts.tables + counts.experts) * setting.width


def quantization_state(setting: Setting, stage: Stage) -> float:
    """Scales that turn stored weights back into numbers: NF4's a block of 64 weights, LLM.int8's a row of a layer."""
    blocks = setting.counts.linear * scale_bytes(setting.precision)
    return blocks + row_scale_bytes(setting.counts, setting.precision)


def kv_cache(setting: Setting, stage: Stage) -> float:
    """A key and a value of every layer, key-value head and token so far, for each row of the batch.

    Layers with a sliding window keep its last tokens. While the prompt is read they hold all of it: what they keep is a
    view (transformers' ``DynamicSlidingWindowLayer``), which the first written token replaces by a copy.
    """
    counts, work = setting.counts, setting.workload
    tokens = work.prompt_tokens + (work.new_tokens if stage == "answer" else 0)
    in_window = min(tokens, counts.window or tokens) if stage == "answer" else tokens
    return (counts.cached * tokens + counts.cached_in_window * in_window) * setting.width * work.batch


def kept_projections(setting: Setting, stage: Stage) -> float:
    """Queries and keys that a cache of views keeps alive beside the values, in models with a fused projection.

    There the values are a slice of the projection's output, and a slice keeps the whole output. The keys are copied by
    the rotary embedding, so the slice's queries and keys are all surplus. The first written token copies the cache,
    which ends it.
    """
    if stage == "answer" or not (setting.fused and setting.libraries.cache_keeps_projections):
        return 0.0
    facts, work = setting.facts, setting.workload
    surplus = (facts.attention_heads + facts.key_value_heads) * facts.size_of_head
    return facts.layers * surplus * setting.width * work.prompt_tokens * work.batch


def activations(setting: Setting, stage: Stage) -> float:
    """One layer's intermediate results at its fullest moment (:func:`_moment`), once a device; the embedded prompt, once.

    The embedded prompt is held by the model's ``forward`` until its last layer is done, on the first device.
    """
    embedded = setting.facts.hidden_size * _rows(setting, stage) * setting.width
    return setting.workload.devices * _moment(setting, stage)[0] + embedded


def dequantization_buffer(setting: Setting, stage: Stage) -> float:
    """A 16-bit copy of the whole weight matrix, made for the call, once a device: NF4 and weight-only int8 multiply by it.

    The largest matrix counts: the up projection, or gate and up in one where they are fused. NF4 multiplies a single row
    without a copy.
    """
    return setting.workload.devices * _moment(setting, stage)[1]


def outlier_copies(setting: Setting, stage: Stage) -> float:
    """16-bit copies of the weight columns that LLM.int8 multiplies outside of 8 bits (0.1% of the columns).

    How many columns are outliers depends on model and text; this is the share its authors give. Where the copies stay
    there is one for every linear layer; else one at a time on each device, with its int8 and float32 forms.
    """
    if not setting.finds_outliers:
        return 0.0
    if setting.libraries.outlier_copies_stay:
        return OUTLIER_SHARE * setting.counts.linear * setting.width
    a_number = _INT8 + _FLOAT32 + setting.width
    return setting.workload.devices * OUTLIER_SHARE * setting.counts.largest_matrix * a_number


def logits(setting: Setting, stage: Stage) -> float:
    """One score a vocabulary entry for each row's last token, and the float32 copy that ``generate`` chooses from.

    ``generate`` asks for the last position only, so the prompt's length does not enter.
    """
    if stage == "prompt":
        return 0.0
    return setting.workload.batch * setting.facts.vocab_size * (setting.width + _FLOAT32)


def allocator_base(setting: Setting, stage: Stage) -> float:
    """What PyTorch allocates on each device before any tensor of the model: the workspace of cuBLAS, 8.1 MiB."""
    return setting.workload.devices * CUBLAS_WORKSPACE


TERMS: dict[str, Callable[[Setting, Stage], float]] = {
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


@dataclass(frozen=True)
class Plan:
    """Peak memory by term, in bytes summed over the devices, and the stage in which the peak is reached."""

    setting: Setting
    stage: Stage
    terms: dict[str, float]

    @property
    def peak_bytes(self) -> float:
        """The terms' sum: what the allocator holds at the peak."""
        return sum(self.terms.values())


def plan_memory(setting: Setting) -> Plan:
    """Plan the peak: the larger of the sums while the prompt is read and while the answer is written."""
    stages = [
        Plan(setting, stage, {name: term(setting, stage) for name, term in TERMS.items()}) for stage in get_args(Stage)
    ]
    return max(stages, key=lambda plan: plan.peak_bytes)


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
