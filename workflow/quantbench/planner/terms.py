"""The terms of one device's peak, in bytes; the docstring of each gives the reason of its formula.

What is alive differs between stages. The ``prefix`` that all prompts share is read once, before any batch. While the
``prompt`` is read every other prompt token goes through each block at once, so activations are large. Where a prompt has several chains, its cache is ``repeat``-ed for each of them. While the ``answer`` is
written one token of each output goes through at a time, and the cache is longest. Between two of them the next token's
``choice`` is made, from scores of the whole vocabulary. A device's peak is the largest of its sums.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

from .block_moments import Moment, Passage, answer_passage, fullest_moment, prefix_passage, prompt_passage
from .device_part import DevicePart
from .setting import Setting
from .weight_bytes import (
    HALF,
    SCALED,
    is_int8,
    is_int8_weight_only,
    is_nf4,
    payload_bytes,
    published_bytes,
    row_scale_bytes,
    scale_bytes,
)

Stage = Literal["prefix", "prompt", "repeat", "answer", "choice"]

# LLM.int8's outliers are about 0.1% of all features (Dettmers et al. 2022, abstract and section 4).
OUTLIER_SHARE = 0.001
_INT8, _FLOAT32 = 1, 4  # bytes
# Bytes a weight that torchao's `quantize_` holds beside its result.
_TORCHAO = 9
# Bytes of a token's 64-bit ids, mask and position, old and new, while ``generate`` appends to them; and of each number in a
# head while sine and cosine of a position are computed in float32.
_INDICES, _ROTATION = 5 * 8, 18
# What bitsandbytes' `QuantState` of a doubly quantized matrix keeps beside its scales, in the allocator's blocks of 512 bytes:
# the 16 values of NF4, the 256 of its scales, and the scales' mean.
_NF4_TABLES = 512 + 1024 + 512
# What is left free for layers that no formula here describes: traces of such models lay up to 26% above their plan.
_BEYOND_FORMULAS = 1.3


def weights(setting: Setting, part: DevicePart, stage: Stage) -> float:
    """All weights as stored: linear layers at the precision; embeddings, head, experts, norms and biases never quantized."""
    counts, width = setting.counts, setting.width
    tables = counts.tables * width * _tables(setting, part)
    published = published_bytes(setting.model, setting.precision)
    if published is not None:
        return tables + (published - counts.tables * width) * _blocks(setting, part)
    linear = counts.linear * payload_bytes(setting.precision, width)
    return tables + (linear + (counts.experts + counts.rest) * width) * _blocks(setting, part)


def quantization_state(setting: Setting, part: DevicePart, stage: Stage) -> float:
    """Scales that turn stored weights back into numbers: NF4's a block of 64 weights, LLM.int8's a row of a layer."""
    state = setting.counts.linear * scale_bytes(setting.precision) + row_scale_bytes(setting.counts, setting.precision)
    if is_nf4(setting.precision):
        state += setting.counts.linear_calls * _NF4_TABLES
    return state * _blocks(setting, part)


def kv_cache(setting: Setting, part: DevicePart, stage: Stage) -> float:
    """A key and a value of every layer, key-value head and token, for each row of the batch.

    A cache that is written in place has its full length from the start, and what all prompts begin with is cached once more
    beside it. The prompts of several chains are read into a cache of their own, which then stays where it is used again.
    One that grows holds the tokens so far. Layers with a sliding window keep its last tokens; while the prompt is read they
    hold all of it: what they keep is a view (transformers' ``DynamicSlidingWindowLayer``), which the first written token
    replaces by a copy.
    """
    work, whole = setting.workload, setting.workload.capacity
    if stage == "prefix":
        held = 0.0
    elif work.chains > 1:
        prompts = work.batch * _cached(setting, work.prompt_tokens)
        written = work.rows * _cached(setting, whole)
        held = {"prompt": prompts, "repeat": prompts + written}.get(
            stage, written + (prompts if work.shared_tokens else 0)
        )
    elif stage == "prompt":
        in_window = whole if work.reserved and whole <= (setting.counts.window or whole) else work.prompt_tokens
        held = work.batch * _cached(setting, whole if work.reserved else work.prompt_tokens, in_window)
    else:
        held = work.batch * _cached(setting, whole if work.reserved else whole - 1)
    return (_cached(setting, work.shared_tokens) + held) * _blocks(setting, part)


def kept_projections(setting: Setting, part: DevicePart, stage: Stage) -> float:
    """Queries and keys that a cache of views keeps alive beside the values, in models with a fused projection.

    There the values are a slice of the projection's output, and a slice keeps the whole output. The keys are copied by
    the rotary embedding, so the slice's queries and keys are all surplus. The first written token copies the cache,
    which ends it.
    """
    if stage != "prompt" or not (setting.fused and setting.libraries.cache_keeps_projections):
        return 0.0
    facts, work = setting.facts, setting.workload
    surplus = (facts.attention_heads + facts.key_value_heads) * facts.size_of_head
    return part.blocks * surplus * setting.width * work.prompt_tokens * work.batch


def activations(setting: Setting, part: DevicePart, stage: Stage) -> float:
    """A block's intermediate results at its fullest moment (:mod:`.block_moments`); with the embedding, the embedded tokens.

    These the model's ``forward`` holds until its last block is done. A cache that grows copies one layer's keys and values
    to make room for each written token. Token ids, masks and positions lie with the embedding.
    """
    work, facts = setting.workload, setting.facts
    indices = _INDICES * work.rows * work.capacity if part.embedding else 0
    passage = _passage(setting, stage)
    if passage is None:
        return indices
    if part.embedding:
        indices += facts.hidden_size * passage.rows * setting.width
    if not part.blocks:
        return indices + (_ROTATION * facts.size_of_head * passage.rows + passage.mask) * part.embedding
    grown = 0.0
    if stage == "answer" and not work.reserved and work.chains == 1:
        grown = _cached(setting, work.capacity) / facts.layers
    return indices + max(_moment(setting, stage).activations, grown)


def dequantization_buffer(setting: Setting, part: DevicePart, stage: Stage) -> float:
    """A 16-bit copy of a whole weight matrix, made for the call, and its scales unpacked: NF4 and weight-only int8 need it.

    NF4 multiplies few rows without one (:mod:`.nf4_kernels`).
    """
    return _moment(setting, stage).copy if part.blocks else 0.0


def outlier_copies(setting: Setting, part: DevicePart, stage: Stage) -> float:
    """16-bit copies of the weight columns that LLM.int8 multiplies outside of 8 bits (0.1% of the columns).

    How many columns are outliers depends on model and text; this is the share its authors give. Where the copies stay
    there is one for every linear layer; else one at a time, with its int8 and float32 forms.
    """
    if not setting.finds_outliers:
        return 0.0
    if setting.libraries.outlier_copies_stay:
        return OUTLIER_SHARE * setting.counts.linear * setting.width * _blocks(setting, part)
    if not part.blocks or _passage(setting, stage) is None:
        return 0.0
    return OUTLIER_SHARE * setting.counts.largest_matrix * (_INT8 + _FLOAT32 + setting.width)


def logits(setting: Setting, part: DevicePart, stage: Stage) -> float:
    """Scores of the vocabulary for each row's last token, the only position that ``generate`` asks for.

    The head makes them in 16 bits, and the first device gets a copy, which ``generate`` turns into float32 while the scores of
    the token before are still held. Where likelihoods are noted their logarithms are taken in float32 once more. Several
    chains are sampled: scores stand there as they came and perturbed, for this token and the one before, beside the noise and
    its logarithm (:class:`quantbench.engine.sampling.SeededSampling`).
    """
    work = setting.workload
    a_score, sampled = work.rows * setting.facts.vocab_size, work.chains > 1
    if stage == "choice" and part.embedding:
        made = 6 if sampled else 3 if work.likelihoods else 2
        return a_score * (setting.width + made * _FLOAT32)
    if stage == "choice" and part.head:
        return a_score * setting.width
    return a_score * (2 if sampled else 1) * _FLOAT32 if stage == "answer" and part.embedding else 0.0


def allocator_base(setting: Setting, part: DevicePart, stage: Stage) -> float:
    """What PyTorch allocates on a device that multiplies, before anything else: the workspace of cuBLAS."""
    return setting.gpu.cublas_workspace if part.blocks or part.head else 0.0


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


def stages(setting: Setting) -> tuple[Stage, ...]:
    """The stages that a workload goes through."""
    left_out = {"prefix": not setting.workload.shared_tokens, "repeat": setting.workload.chains == 1}
    return tuple(stage for stage in get_args(Stage) if not left_out.get(stage))


def stage_terms(setting: Setting, part: DevicePart, stage: Stage) -> dict[str, float]:
    """Bytes by term on a device in a stage; all 0 where it holds nothing."""
    return {name: 0.0 if part.is_empty else float(term(setting, part, stage)) for name, term in TERMS.items()}


def loading_bytes(setting: Setting, part: DevicePart) -> float:
    """What a device holds at most while the model loads: its weights, and what one of them takes while it is quantized.

    Weights are quantized on their device one after another (transformers' ``core_model_loading``). Beside its result a
    matrix then stands there in 16 bits: once for NF4, with its scales in float32 as they are and less their mean
    (``Bnb4bitQuantize``); twice for LLM.int8 (``Bnb8bitQuantize``, ``Int8Params``); torchao computes in float32. A
    mixture's experts that its files hold one by one are merged: two thirds of a block's stand there once more.
    """
    if part.is_empty:
        return 0.0
    at_rest = weights(setting, part, "prompt") + quantization_state(setting, part, "prompt")
    if not part.blocks:
        return at_rest
    counts, precision = setting.counts, setting.precision
    merged = 2 / 3 * counts.experts / setting.facts.layers * setting.width
    if is_nf4(precision):
        a_weight = HALF + 2 * _FLOAT32 / SCALED
    elif is_int8(precision):
        a_weight = 2 * HALF
    else:
        a_weight = _TORCHAO if is_int8_weight_only(precision) else 0
    return at_rest + max(merged, counts.largest_matrix * a_weight)


def needed_on(setting: Setting, part: DevicePart) -> float:
    """Bytes a device must have free for the allocator: at its peak, or while the model loads if that is more."""
    sums = [_needed_in(setting, part, stage) for stage in stages(setting)]
    return max(loading_bytes(setting, part), *sums)


def needed_by_blocks(setting: Setting, embedding: bool, head: bool) -> list[float]:
    """:func:`needed_on` of a device with 0, 1, ... all blocks, beside embedding and head or without them.

    From the first block on each of its sums grows by the same bytes a block, so that three of each tell all.
    """
    parts = [DevicePart(blocks, embedding, head) for blocks in (0, 1, 2)]
    sums = [[_needed_in(setting, part, stage) for part in parts] for stage in stages(setting)]
    sums.append([loading_bytes(setting, part) for part in parts])
    more = range(setting.facts.layers)
    return [max(none for none, *_ in sums), *(max(one + n * (two - one) for _, one, two in sums) for n in more)]


def _needed_in(setting: Setting, part: DevicePart, stage: Stage) -> float:
    planned = sum(stage_terms(setting, part, stage).values())
    return planned * (_BEYOND_FORMULAS if setting.counts.beyond_formulas else 1.0)


def _passage(setting: Setting, stage: Stage) -> Passage | None:
    """What goes through a block in a stage; None: nothing does."""
    passages = {"prefix": prefix_passage, "prompt": prompt_passage, "answer": answer_passage}
    return passages[stage](setting) if stage in passages else None


def _moment(setting: Setting, stage: Stage) -> Moment:
    passage = _passage(setting, stage)
    return Moment(0.0) if passage is None else fullest_moment(setting, passage)


def _cached(setting: Setting, tokens: int, in_window: int | None = None) -> float:
    """Keys, values and states of one row in all layers; ``in_window``: in those with a window, None: what such a layer keeps."""
    counts = setting.counts
    if in_window is None:
        in_window = min(tokens, counts.window or tokens)
    return (counts.cached * tokens + counts.cached_in_window * in_window + counts.state) * setting.width


def _blocks(setting: Setting, part: DevicePart) -> float:
    """The share of all blocks on the device (0 to 1)."""
    return part.blocks / setting.facts.layers


def _tables(setting: Setting, part: DevicePart) -> float:
    """The share of the weights of embedding and output head on the device (0 to 1); a tied head has none of its own."""
    if setting.facts.tied_head:
        return float(part.embedding)
    return (part.embedding + part.head) / 2
