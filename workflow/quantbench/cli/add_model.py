"""Write a model's entry, config/models/<name>.yaml, with the facts read from its config.json.

  quantbench add-model my-llama --from /srv/models/my-llama --licence MIT --domain general
  quantbench add-model my-qwen --from config.json --hub-id maker/my-qwen --revision main \\
      --licence "Apache 2.0" --domain biomedical --chat-template tokenizer
  quantbench add-model my-thinker --from /srv/models/my-thinker --licence MIT --domain general \\
      --reasoning think --reasoning-tokens 2000

FROM is a model's folder, or its config.json alone; with --hub-id the model is retrieved from there, without it the folder
is used where it stands. Known families: llama, qwen2, phi3. At a terminal, what neither the files nor
an option says is asked for.
Where a folder's chat template has the thought markers of one known family, the entry names that family.
`quantbench lock --model NAME` then pins a hub model, `quantbench plan --model NAME` says where it fits.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import yaml

from ..config import FAMILIES, Architecture, ModelEntry, located
from ..config.settings import parse
from ..contracts.files import read_json, write_text
from ..errors import ConfigError, ModelError
from . import options

PARENTS = (options.ROOT, options.REASONING)
# Cells' folders are named by it, as results are by a run's name.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_FAMILIES: tuple[str, ...] = get_args(ModelEntry.model_fields["family"].annotation)
_DOMAINS: tuple[str, ...] = get_args(ModelEntry.model_fields["domain"].annotation)
_TEMPLATES: tuple[str, ...] = get_args(ModelEntry.model_fields["chat_template"].annotation)
_DTYPES: tuple[str, ...] = get_args(ModelEntry.model_fields["full_dtype"].annotation)
# Our fact -> its key in config.json, the same in all three families.
_KEYS = {
    "layers": "num_hidden_layers",
    "hidden_size": "hidden_size",
    "attention_heads": "num_attention_heads",
    "key_value_heads": "num_key_value_heads",
    "intermediate_size": "intermediate_size",
    "vocab_size": "vocab_size",
    "context_length": "max_position_embeddings",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("name", metavar="NAME", help="what the model is called here")
    parser.add_argument(
        "--from", dest="source", required=True, type=Path, metavar="PATH", help="folder, or config.json"
    )
    parser.add_argument("--title", metavar="TEXT", help="what figures and tables call it (default: NAME)")
    parser.add_argument("--licence", metavar="TEXT", help="of the model, as its makers name it")
    parser.add_argument("--domain", choices=_DOMAINS, help="what it was trained for")
    parser.add_argument(
        "--chat-template", choices=_TEMPLATES, help="none: a base model (default: as the folder has it)"
    )
    parser.add_argument(
        "--reasoning-tokens", type=int, metavar="N", help="most new tokens of a thought, on top of the answer's (0)"
    )
    parser.add_argument(
        "--enable-thinking", choices=("true", "false"), help="tells the chat template so (default: nothing)"
    )
    parser.add_argument("--full-dtype", choices=_DTYPES, help="of its weights (default: as config.json says)")
    parser.add_argument("--hub-id", metavar="ID", help="retrieve it from the hub: maker/name")
    parser.add_argument("--revision", metavar="NAME", help="branch, tag or commit there (default: main)")


def run(arguments: argparse.Namespace) -> None:
    """Write the entry and say what is next.

    Raises:
        ConfigError: a name in use or that no folder can have, a field that nobody states, or one that does not hold.
        DataError: config.json is not there, or not readable.
        ModelError: another family, or facts that an entry cannot express.
    """
    root = options.root_of(arguments)
    if not _NAME.fullmatch(arguments.name):
        raise ConfigError(
            f"NAME has the value {arguments.name!r}; give letters, digits, dots, hyphens and underscores, the first a letter "
            "or digit: files and folders are named by it"
        )
    target = root / "config/models" / f"{arguments.name}.yaml"
    there = located(root, f"config/models/{arguments.name}.yaml")
    if there.exists():
        raise ConfigError(f"{there}: is there already; choose another name, or edit it")
    alone = arguments.source.is_file()
    folder = arguments.source.parent if alone else arguments.source
    path = arguments.source if alone else folder / "config.json"
    if alone and not arguments.hub_id:
        raise ConfigError(
            f"{path}: one file is no model; give its folder with --from, or with --hub-id where to retrieve it from"
        )
    facts = read_json(path)
    family = _family(facts, path)
    template = None if alone else _template_text(folder)
    place = folder.resolve()
    if place.is_relative_to(root):
        place = place.relative_to(root)
    value: dict[str, object] = {
        "title": arguments.title or arguments.name,
        "family": family,
        "domain": _stated(arguments.domain, "--domain", " or ".join(_DOMAINS)),
        **({"hub_id": arguments.hub_id, "revision": arguments.revision or "main"} if arguments.hub_id else {}),
        **({} if arguments.hub_id else {"folder": str(place)}),
        "chat_template": arguments.chat_template or _chat_template(template),
        **_thoughts(arguments, template or ""),
        "full_dtype": arguments.full_dtype or facts.get("dtype") or facts.get("torch_dtype"),
        "licence": _stated(arguments.licence, "--licence", "as its makers name it"),
        "architecture": _architecture(facts, path).model_dump(),
    }
    parse(ModelEntry, value, str(target))
    write_text(target, yaml.safe_dump(value, sort_keys=False, allow_unicode=True))
    print(target)
    for line in _remarks(value, template):
        print(line)
    after = (
        f"quantbench lock --model {arguments.name}" if arguments.hub_id else f"quantbench plan --model {arguments.name}"
    )
    print(f"Next: {after}; name {arguments.name} under 'models' in your run's configuration.")


def _family(facts: Mapping[str, object], path: Path) -> str:
    family = facts.get("model_type")
    if family not in _FAMILIES:
        raise ModelError(f"{path}: model_type is {family!r}; the known families are {', '.join(_FAMILIES)}")
    if "quantization_config" in facts:
        raise ModelError(f"{path}: its weights are quantized already; name the full-precision model it was made from")
    return str(family)


def _architecture(facts: Mapping[str, object], path: Path) -> Architecture:
    """The facts under our names; heads of keys and values are as many as of queries where nothing else is said."""
    usual = {"num_key_value_heads": facts.get("num_attention_heads")}
    value = {name: facts.get(key) or usual.get(key) for name, key in _KEYS.items()}
    missing = [_KEYS[name] for name, fact in value.items() if fact is None]
    if missing:
        raise ModelError(f"{path}: does not state {', '.join(missing)}")
    found = parse(Architecture, value | {"tied_head": facts.get("tie_word_embeddings", False)}, str(path))
    head = facts.get("head_dim")
    if head is not None and head != found.hidden_size // found.attention_heads:
        raise ModelError(
            f"{path}: head_dim is {head!r}, not hidden_size / num_attention_heads; entries cannot express such models yet"
        )
    return found


def _chat_template(template: str | None) -> str:
    if template is None:
        return _stated(None, "--chat-template", " or ".join(_TEMPLATES))
    return "tokenizer" if template else "none"


def _template_text(folder: Path) -> str:
    """The chat template of a model's folder, all of them where it has several; empty: it has none."""
    own, settings = folder / "chat_template.jinja", folder / "tokenizer_config.json"
    if own.exists():
        return own.read_text(encoding="utf-8", errors="replace")
    found = read_json(settings).get("chat_template") if settings.exists() else None
    named = found if isinstance(found, list) else [{"template": found or ""}]
    return "\n".join(str(one.get("template", "")) for one in named)


def _thoughts(arguments: argparse.Namespace, template: str) -> dict[str, object]:
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


def _remarks(value: Mapping[str, object], template: str | None) -> list[str]:
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


def _stated(value: str | None, option: str, hint: str) -> str:
    """An option's value, or what a person at the terminal answers."""
    if value is None and sys.stdin.isatty():
        value = input(f"{option.removeprefix('--')} ({hint}): ").strip()
    if not value:
        raise ConfigError(f"the files do not say it: give {option} ({hint})")
    return value
