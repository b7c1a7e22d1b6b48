"""Write a model's entry, config/models/<name>.yaml, with the facts that its files state and the weights counted on its class.

  quantbench add-model Qwen/Qwen3-8B
  quantbench add-model /srv/models/my-llama --licence MIT --domain biomedical
  quantbench add-model config.json --hub-id maker/my-qwen --chat-template tokenizer
  quantbench add-model maker/my-thinker --reasoning think --reasoning-tokens 2000

SOURCE is a model's id on the hub, its folder, or its config.json alone. Of the hub only small files are fetched, and of
its weights the first bytes, which say how they are stored; the entry then names the commit they were read at. A folder is
used where it stands; a config.json alone needs --hub-id.
Any causal language model can be added that the installed transformers has a class for; one that it has none for, or that
is not what its files say, is refused by file, field and value, and nothing is written.
Where a chat template has the thought markers of one known family, the entry names that family.
At the end stand the memory that the model is planned to take, and the command that runs it.

Exit status: 0 written, 2 bad input.
"""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path
from typing import get_args

import yaml

from ..config import ModelEntry, layered, load, located, shipped_catalogue
from ..config.settings import parse
from ..contracts.files import write_text
from ..errors import ConfigError, ModelError
from ..hub_address import PUBLIC_HUB, Repository, endpoint
from ..store.folder_checks import check_folder
from ..store.hub_facts import facts_on_hub
from ..store.published_facts import PublishedFacts, facts_of_file, facts_of_folder
from ..store.published_precision import check_published_precision
from . import options
from .argument_types import whole
from .new_model import entry_of, remarks
from .plan import show_memory

PARENTS = (options.ROOT, options.REASONING)
# Cells' folders are named by it, as results are by a run's name.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_HUB_ID = re.compile(r"[A-Za-z0-9_][\w.-]*/[A-Za-z0-9_][\w.-]*", re.ASCII)  # ./folder is a path


class _Dumper(yaml.SafeDumper):
    """YAML of an entry: a key a line, lists within one."""


def _in_one_line(dumper: yaml.SafeDumper, items: list[object]) -> yaml.SequenceNode:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=True)


_Dumper.add_representer(list, _in_one_line)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    field = ModelEntry.model_fields
    parser.add_argument("source", metavar="SOURCE", help="id on the hub, folder, or config.json")
    parser.add_argument("--name", metavar="NAME", help="what the model is called here (default: by id or folder)")
    parser.add_argument(
        "--from", dest="place", metavar="PATH", help="folder or config.json, where the first word is the NAME"
    )
    parser.add_argument("--title", metavar="TEXT", help="what figures and tables call it (default: by id or NAME)")
    parser.add_argument("--licence", metavar="TEXT", help="of the model (default: as model card or licence file say)")
    parser.add_argument(
        "--domain", choices=get_args(field["domain"].annotation), help="what it was trained for (default: general)"
    )
    parser.add_argument(
        "--chat-template",
        choices=get_args(field["chat_template"].annotation),
        help="none: a base model (default: as its files have it)",
    )
    parser.add_argument(
        "--reasoning-tokens",
        type=whole(10**7),
        metavar="N",
        help="most new tokens of a thought, on top of the answer's (0)",
    )
    parser.add_argument(
        "--enable-thinking", choices=("true", "false"), help="tells the chat template so (default: nothing)"
    )
    parser.add_argument(
        "--full-dtype", choices=get_args(field["full_dtype"].annotation), help="of its weights (default: as they are)"
    )
    parser.add_argument(
        "--hub-id", metavar="ID", help="of a folder or config.json: retrieve it from the hub, maker/name"
    )
    parser.add_argument("--revision", metavar="NAME", help="branch, tag or commit on the hub (default: main)")


def run(arguments: argparse.Namespace) -> None:
    """Write the entry and say what it is planned to take and what is next.

    Raises:
        ConfigError: a name in use or that no folder can have, a field that nobody states, or one that does not hold.
        ModelError: a source that is not there, or that no entry can be written of.
    """
    root = options.root_of(arguments)
    source = arguments.place or arguments.source
    given = arguments.name or (arguments.source if arguments.place is not None else None)
    name = _checked_name(given) if given is not None else _name_of(source, arguments.hub_id)
    target = root / "config/models" / f"{name}.yaml"
    there = located(root, f"config/models/{name}.yaml")
    if there.exists():
        raise ConfigError(f"{there}: is there already; choose another name (--name), or edit it")
    catalogue = load(root, layered(root), "config/config.yaml")
    facts = _facts(source, arguments)
    value = entry_of(facts, _place(source, root), name, arguments)
    entry = parse(ModelEntry, value, str(target))
    folder = Path(source).expanduser()
    if folder.is_dir():
        _check_loadable(folder, name, entry)
    write_text(target, yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120))
    print(target)
    for line in remarks(facts, value, arguments):
        print(line)
    print()
    stated = catalogue.run.precisions if entry.precision is None else [entry.precision]
    precisions = options.chosen(None, catalogue.precisions, "precisions", stated)
    show_memory({name: entry}, {each: catalogue.precisions[each] for each in precisions})
    pinning = "" if entry.hub_id is None else f"quantbench lock --model {name}, then "
    published = "" if entry.precision is None else f" 'precisions=[{entry.precision}]'"
    print(f"\nNext: {pinning}snakemake --cores 4 --config 'models=[{name}]'{published} run={name}{_workflow(root)}")


def _workflow(root: Path) -> str:
    """The option by which Snakemake finds the workflow; empty where it looks for it."""
    if any((root / name).exists() for name in ("Snakefile", "workflow/Snakefile")):
        return ""
    return f" --snakefile {shlex.quote(str(shipped_catalogue() / 'workflow/Snakefile'))}"


def _facts(source: str, arguments: argparse.Namespace) -> PublishedFacts:
    """What the source states: a file or folder where there is one, else a model of the hub."""
    if arguments.hub_id and not _HUB_ID.fullmatch(arguments.hub_id):
        raise ConfigError(f"--hub-id has the value {arguments.hub_id!r}; give an id on the hub (maker/name)")
    path = Path(source).expanduser()
    if path.is_file():
        if not arguments.hub_id:
            raise ConfigError(
                f"{path}: one file is no model; give its folder, or with --hub-id where to retrieve it from"
            )
        return facts_of_file(path)
    if path.is_dir():
        return facts_of_folder(path)
    hub_id = source.removeprefix(f"{endpoint()}/").removeprefix(f"{PUBLIC_HUB}/").rstrip("/")
    if arguments.hub_id or not _HUB_ID.fullmatch(hub_id):
        raise ModelError(f"{source}: no such folder or file, and no id on the hub (maker/name); give one of these")
    return facts_on_hub(Repository(hub_id, arguments.revision or "main"))


def _check_loadable(folder: Path, name: str, entry: ModelEntry) -> None:
    """Refuse a folder that no cell could load, by the checks that a cell begins with.

    Raises:
        ModelError: names file, field and value.
    """
    from ..models.rehearsal import rehearse
    from ..models.tokenizing import load_tokenizer

    check_folder(folder, name, entry)
    check_published_precision(folder, name, entry, here=False)
    if entry.precision is None:  # tensors that were packed are not those of the class
        rehearse(folder)
    load_tokenizer(folder, entry.architecture.vocab_size)


def _place(source: str, root: Path) -> str:
    """Where a local folder stands: relative to the root where it lies in it."""
    place = Path(source).expanduser().resolve()
    return str(place.relative_to(root) if place.is_relative_to(root) else place)


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"NAME has the value {name!r}; give letters, digits, dots, hyphens and underscores, the first a letter or digit: "
            "files and folders are named by it"
        )
    return name


def _name_of(source: str, hub_id: str | None) -> str:
    """A name by the last part of an id or folder, in lower case as the shipped ones."""
    path = Path(hub_id or source).expanduser()
    last = path.resolve().name if path.exists() and hub_id is None else path.name
    name = re.sub(r"[^a-z0-9._-]+", "-", last.casefold()).lstrip("._-")
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{source}: gives no name for files and folders; give one with --name")
    return name
