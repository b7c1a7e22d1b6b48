"""What a new model's entry holds, by its files and by options, and what is left to say about it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, get_args

from ..config import AS_PUBLISHED, FAMILIES, Counts, ModelEntry
from ..errors import ConfigError, ModelError
from ..store.published_facts import PublishedFacts
from . import options

if TYPE_CHECKING:
    from ..models.describing import Description

# Fields of an entry, ready for YAML.
Fields = dict[str, object]
_TEMPLATES: tuple[str, ...] = get_args(ModelEntry.model_fields["chat_template"].annotation)
_DTYPES: tuple[str, ...] = get_args(ModelEntry.model_fields["full_dtype"].annotation)
NOT_STATED = "not stated"
# Below it, names of precisions promise more than the weights keep.
_NEARLY_ALL = 0.5


def entry_of(facts: PublishedFacts, place: str, name: str, arguments: argparse.Namespace) -> Fields:
    """The fields of a model's entry.

    Args:
        facts: of its files.
        place: its folder, where it is not retrieved from the hub.
        name: what it is called here.
        arguments: of ``add-model``; an option goes before what the files say.

    Raises:
        ConfigError: neither says what an entry needs.
        ModelError: as :func:`quantbench.models.describing.describe`, or weights that are fewer than the class has.
    """
    from ..models.describing import describe  # needs torch, which the other commands do without

    described = describe(facts.unquantized_config, facts.where)
    _check_weights(facts, described)
    hub_id = facts.hub_id or arguments.hub_id
    title = hub_id.split("/")[-1] if hub_id and not arguments.place else name
    return {
        "title": arguments.title or title,
        "family": described.family,
        "domain": arguments.domain or "general",
        **({"hub_id": hub_id, "revision": _revision(facts, arguments)} if hub_id else {"folder": place}),
        "chat_template": arguments.chat_template or _chat_template(facts.template),
        **_thoughts(arguments, facts.template or ""),
        "full_dtype": _full_dtype(facts, described, arguments.full_dtype),
        **_as_published(facts),
        "licence": arguments.licence or facts.licence or NOT_STATED,
        **({"gated": True} if facts.gated else {}),
        "architecture": described.architecture.model_dump(exclude_none=True),
        "counts": described.counts.model_dump(exclude_defaults=True),
        **({"config_json": described.config_json} if described.config_json else {}),
    }


def remarks(facts: PublishedFacts, value: Fields, arguments: argparse.Namespace) -> list[str]:
    """What was assumed, what the files disagree on, and what is left open about thoughts."""
    said = []
    if facts.quantized:
        said.append(
            f"Its weights were published quantized ({facts.quantized}): it runs as they are (precision: {AS_PUBLISHED}), and at no "
            "other precision. Its memory is planned by the size of its files; a method without kernels for a machine may take more."
        )
    if arguments.domain is None:
        said.append("domain: general is assumed; a biomedical model has --domain biomedical, or the same in its entry.")
    if value["licence"] == NOT_STATED:
        said.append(
            "Neither a model card nor a licence file names a licence: give --licence, or write it in the entry."
        )
    named = facts.config.get("dtype") or facts.config.get("torch_dtype")
    if (
        facts.weights is not None
        and not facts.quantized
        and named not in (None, facts.weights.most)
        and arguments.full_dtype is None
    ):
        said.append(
            f"{facts.where}: dtype is {named}, and most weights are stored in {facts.weights.most}: full_dtype is what is stored."
        )
    if value["chat_template"] == "none" and arguments.chat_template is None:
        said.append(
            "Its files have no chat template, so it is asked as a base model is (chat_template: none): a chat model lacks "
            "chat_template.jinja."
        )
    share = Counts.model_validate(value["counts"]).quantized_share
    if share < _NEARLY_ALL and not facts.quantized:
        said.append(
            f"Of its weights in matrices quantization replaces {share:.0%}; experts, embedding and output head stay in 16 bits."
        )
    return said + _remarks_on_thoughts(facts.template, value)


def _as_published(facts: PublishedFacts) -> Fields:
    """What weights that were published quantized have beside others: nothing to choose, and a size of their own."""
    if not facts.quantized:
        return {}
    stored = facts.weights.stored_bytes if facts.weights is not None else None
    return {"precision": AS_PUBLISHED, **({"stored_bytes": stored} if stored else {})}


def _check_weights(facts: PublishedFacts, described: Description) -> None:
    """Refuse too few weights; quantized ones are packed, several to a number."""
    if facts.weights is not None and not facts.quantized and facts.weights.total < described.weights:
        raise ModelError(
            f"{facts.where}: its class has {described.weights} weights, and the safetensors files hold {facts.weights.total}: some "
            "are missing, or are of another model; fetch both again"
        )


def _revision(facts: PublishedFacts, arguments: argparse.Namespace) -> str:
    """The commit that the facts were read at; without one, what an option names."""
    return facts.commit or arguments.revision or "main"


def _full_dtype(facts: PublishedFacts, described: Description, stated: str | None) -> str:
    """The number format of the weights: as the files hold them, which ``config.json`` may contradict.

    Of quantized ones ``config.json`` alone says in which format the others are, and what is computed in.
    """
    weights = None if facts.quantized else facts.weights
    if weights is not None and weights.most is None:
        formats = ", ".join(sorted(weights.weights)) or "none"
        raise ModelError(
            f"{facts.where}: its weights are stored in {formats}, which is no format of full precision; give the model that it "
            "was quantized from"
        )
    found = stated or (weights.most if weights is not None else described.dtype)
    if found is None:
        raise ConfigError(f"{facts.where}: dtype is missing; give --full-dtype ({', '.join(_DTYPES)})")
    return found


def _chat_template(template: str | None) -> str:
    if template is not None:
        return "tokenizer" if template else "none"
    value = ""
    if sys.stdin.isatty():
        value = input(f"chat-template ({' or '.join(_TEMPLATES)}): ").strip()
    if not value:
        raise ConfigError(f"the files do not say it: give --chat-template ({' or '.join(_TEMPLATES)})")
    return value


def _thoughts(arguments: argparse.Namespace, template: str) -> Fields:
    """What the options say of the model's thoughts; markers also by its chat template, where that has those of one family."""
    stated = options.stated_reasoning(arguments)
    found = _families_in(template)
    if stated is None and len(found) == 1 and arguments.chat_template != "none":
        stated = found[0]
    value = {
        "enable_thinking": None if arguments.enable_thinking is None else arguments.enable_thinking == "true",
        "reasoning": stated,
        "reasoning_tokens": arguments.reasoning_tokens,
    }
    return {name: said for name, said in value.items() if said is not None}


def _families_in(template: str) -> list[str]:
    return [name for name, markers in FAMILIES.items() if markers.open in template and markers.close in template]


def _remarks_on_thoughts(template: str | None, value: Mapping[str, object]) -> list[str]:
    """What is left open about thoughts, by the chat template; None: it is not at hand."""
    if value["chat_template"] == "none":
        return []
    if template is None:
        needs = "a reasoning model needs --reasoning and --reasoning-tokens, or the same keys in its entry"
        return [] if "reasoning" in value else [f"Whether it thinks, config.json does not say: {needs}."]
    said = []
    if _families_in(template) and not value.get("reasoning_tokens") and value.get("enable_thinking") is not False:
        said.append(
            f"Its chat template has thought markers ({', '.join(_families_in(template))}): if the model thinks, "
            "reasoning_tokens in the entry gives its thoughts room (2000, for example); without it they share the answer's limit."
        )
    if "enable_thinking" in template and "enable_thinking" not in value:
        said.append(
            "Its chat template has the switch enable_thinking: the template's default holds unless the entry sets it."
        )
    return said
