"""Write a model's entry, config/models/<name>.yaml, with the facts read from its config.json.

  quantbench add-model my-llama --from /srv/models/my-llama --licence MIT --domain general
  quantbench add-model my-qwen --from config.json --hub-id maker/my-qwen --revision main \\
      --licence "Apache 2.0" --domain biomedical --chat-template tokenizer

FROM is a model's folder, or its config.json alone; with --hub-id the model is retrieved from there, without it the folder
is used where it stands. Known families: llama, qwen2, phi3. At a terminal, what neither the files nor
an option says is asked for.
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

from ..config import Architecture, ModelEntry, located
from ..config.settings import parse
from ..contracts.files import read_json, write_text
from ..errors import ConfigError, ModelError
from . import options

PARENTS = (options.ROOT,)
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
    place = folder.resolve()
    if place.is_relative_to(root):
        place = place.relative_to(root)
    value: dict[str, object] = {
        "title": arguments.title or arguments.name,
        "family": family,
        "domain": _stated(arguments.domain, "--domain", " or ".join(_DOMAINS)),
        **({"hub_id": arguments.hub_id, "revision": arguments.revision or "main"} if arguments.hub_id else {}),
        **({} if arguments.hub_id else {"folder": str(place)}),
        "chat_template": arguments.chat_template or _chat_template(folder, alone),
        "full_dtype": arguments.full_dtype or facts.get("dtype") or facts.get("torch_dtype"),
        "licence": _stated(arguments.licence, "--licence", "as its makers name it"),
        "architecture": _architecture(facts, path).model_dump(),
    }
    parse(ModelEntry, value, str(target))
    write_text(target, yaml.safe_dump(value, sort_keys=False, allow_unicode=True))
    print(target)
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


def _chat_template(folder: Path, alone: bool) -> str:
    if alone:
        return _stated(None, "--chat-template", " or ".join(_TEMPLATES))
    settings = folder / "tokenizer_config.json"
    has = (folder / "chat_template.jinja").exists() or (settings.exists() and "chat_template" in read_json(settings))
    return "tokenizer" if has else "none"


def _stated(value: str | None, option: str, hint: str) -> str:
    """An option's value, or what a person at the terminal answers."""
    if value is None and sys.stdin.isatty():
        value = input(f"{option.removeprefix('--')} ({hint}): ").strip()
    if not value:
        raise ConfigError(f"the files do not say it: give {option} ({hint})")
    return value
