"""What a model's ``config.json`` and its class say of its size: all that memory, time and stand-ins are planned by.

The numbers of weights are counted on the model class itself (:mod:`quantbench.models.counting`) when an entry is
written, so that planning needs neither torch nor any knowledge of a family.
"""

from __future__ import annotations

from pydantic import Field, model_validator

from .settings import Settings

# No fact of any model comes near; products of several are computed as floats.
_LARGEST = 1 << 62


class _Sizes(Settings):
    @model_validator(mode="after")
    def _are_of_a_model(self) -> _Sizes:
        for name, value in self:
            if isinstance(value, int) and value > _LARGEST:
                raise ValueError(f"{name} has more than 18 digits, which no model has; correct it")
        return self


class Architecture(_Sizes):
    """Facts of a transformer from its published ``config.json``, whose keys are named."""

    layers: int = Field(gt=0, description="`num_hidden_layers`")
    hidden_size: int = Field(gt=0, description="`hidden_size`")
    attention_heads: int = Field(gt=0, description="`num_attention_heads`")
    key_value_heads: int = Field(
        gt=0, description="`num_key_value_heads`; equal to the attention heads where it is absent"
    )
    head_size: int | None = Field(
        default=None, gt=0, description="`head_dim`; `null`: `hidden_size` by `num_attention_heads`"
    )
    intermediate_size: int = Field(gt=0, description="`intermediate_size`, of the feed-forward part")
    vocab_size: int = Field(gt=0, description="`vocab_size`")
    context_length: int = Field(
        gt=0, description="most tokens of prompt and answer together: `max_position_embeddings`"
    )
    tied_head: bool = Field(description="whether embeddings and output head are one matrix: `tie_word_embeddings`")

    @property
    def size_of_head(self) -> int:
        """Numbers in one attention head's query or key of one token."""
        return self.head_size or self.hidden_size // self.attention_heads


class Counts(_Sizes):
    """Weights by what becomes of them, counted on the model's class: `quantbench add-model` writes them."""

    linear: int = Field(ge=0, description="weights in the linear layers that quantization replaces")
    linear_outputs: int = Field(ge=0, description="outputs of these layers: 8-bit weights have one scale for each")
    linear_calls: int = Field(ge=0, description="of these layers, those that a token passes")
    largest_matrix: int = Field(ge=0, description="weights of the largest of these layers")
    fused: bool = Field(default=False, description="whether gate and up projection are one of these layers")
    experts: int = Field(
        default=0,
        ge=0,
        description="weights in tensors that hold all experts of a layer, which bitsandbytes and torchao leave in 16 bits",
    )
    active_experts: int = Field(default=0, ge=0, description="of these, what one token is multiplied by")
    experts_a_token: int = Field(default=0, ge=0, description="experts of a layer that one token goes to")
    expert_intermediate: int = Field(
        default=0, ge=0, description="numbers between up and down projection of these experts together"
    )
    tables: int = Field(ge=0, description="weights in embedding and output head, once where they are one matrix")
    rest: int = Field(default=0, ge=0, description="all other weights: normalization, biases, routers (at most 0.3%)")
    cached: int = Field(
        ge=0, description="numbers that one token leaves in the keys and values of layers that keep all tokens"
    )
    cached_in_window: int = Field(
        default=0, ge=0, description="the same of layers that keep the last `window` tokens only"
    )
    window: int | None = Field(default=None, gt=0, description="`sliding_window` of these layers")
    state: int = Field(
        default=0,
        ge=0,
        description="numbers that one row keeps in layers with a state in place of tokens (state space, linear attention)",
    )
    holds_scores: bool = Field(
        default=False,
        description="whether attention holds the scores of all pairs of tokens, since no kernel computes it without",
    )
    beyond_formulas: list[str] = Field(
        default=[],
        description=(
            "what of its layers the planner has no formulas for, so that its figures are estimates; `quantbench plan --trace` "
            "traces the model instead"
        ),
    )

    @property
    def parameters(self) -> int:
        """Weights in matrices: linear layers, experts, embedding and output head."""
        return self.linear + self.experts + self.tables

    @property
    def quantized_share(self) -> float:
        """The part of the weights in matrices that quantization replaces (0 to 1)."""
        return self.linear / self.parameters


# Families that entries could name before they held counts, and whether these join gate and up projection.
_UNCOUNTED = {"llama": False, "qwen2": False, "phi3": True}
UNCOUNTED_FAMILIES = tuple(_UNCOUNTED)


def counted_by_formula(family: str, facts: Architecture) -> Counts:
    """Counts of an entry without any, as bundles of earlier versions hold them: dense, with a gated feed-forward part.

    Args:
        family: one of :data:`UNCOUNTED_FAMILIES`; others have layers that no formula here knows.
        facts: its sizes.
    """
    fused, head = _UNCOUNTED[family], facts.size_of_head
    heads, key_value_heads, hidden = facts.attention_heads, facts.key_value_heads, facts.hidden_size
    attention = hidden * head * (2 * heads + 2 * key_value_heads)
    outputs = head * (heads + 2 * key_value_heads) + 2 * hidden + 2 * facts.intermediate_size
    return Counts(
        linear=facts.layers * (attention + 3 * hidden * facts.intermediate_size),
        linear_outputs=facts.layers * outputs,
        linear_calls=facts.layers * (4 if fused else 7),
        largest_matrix=(2 if fused else 1) * hidden * facts.intermediate_size,
        fused=fused,
        tables=facts.vocab_size * hidden * (1 if facts.tied_head else 2),
        cached=2 * facts.layers * key_value_heads * head,
    )
